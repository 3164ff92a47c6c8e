from latentlab import data, quality, training
from latentlab.files import write_json
from latentlab.jobs import job

with job(snakemake.log):
    model, described = training.load(snakemake.input.weights)
    test, held_out = (
        data.load(snakemake.input.data, split, snakemake.params.validation_size)[0] for split in ("test", "validation")
    )
    judge = quality.load_judge(snakemake.input.judge)
    write_json(snakemake.output.metrics, quality.measure_samples(judge, model, described["settings"], test, held_out))

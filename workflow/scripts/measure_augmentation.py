from latentlab import data, quality, training
from latentlab.files import write_json
from latentlab.jobs import job

with job(snakemake.log):
    params = snakemake.params
    model, described = training.load(snakemake.input.weights)
    shown, test = (training.tensors(*data.load(snakemake.input.data, split)) for split in ("train", "test"))
    write_json(
        snakemake.output.metrics,
        described
        | quality.augmentation(model, described["settings"], shown, test, params.sizes, params.seeds, params.draws),
    )

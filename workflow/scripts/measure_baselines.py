from latentlab import classify, data, quality, training
from latentlab.files import read_json, write_json
from latentlab.jobs import job

with job(snakemake.log):
    record, params = read_json(snakemake.input.data), snakemake.params
    train, test = (training.tensors(*data.load(record, split)) for split in ("train", "test"))
    cnn = quality.load_judge(snakemake.input.judge)
    write_json(
        snakemake.output.metrics,
        {"dataset": record["dataset"], "data": data.digest(record)} | classify.baselines(train, test, cnn),
    )

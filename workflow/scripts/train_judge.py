from latentlab import data, quality, training
from latentlab.jobs import job

with job(snakemake.log):
    shown = training.tensors(*data.load(snakemake.input.data, "train", snakemake.params.validation_size))
    quality.save_judge(snakemake.output.weights, quality.train_judge(*shown))

from latentlab import data, quality, training
from latentlab.jobs import job

with job(snakemake.log):
    shown = training.tensors(*data.load(snakemake.input.data, "train"))
    judge = quality.train_judge(*shown, snakemake.params.epochs)
    quality.save_judge(snakemake.output.weights, judge)

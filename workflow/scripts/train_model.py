import torch

from latentlab import data, training
from latentlab.files import write_csv
from latentlab.jobs import job

with job(snakemake.log) as say:
    seed, latent_dim = int(snakemake.wildcards.seed), int(snakemake.wildcards.latent_dim)
    images, validation = (
        torch.tensor(data.load(snakemake.input.data, split, snakemake.params.validation_size)[0])
        for split in ("train", "validation")
    )
    model, history = training.train(
        snakemake.params.settings, latent_dim, seed, images, validation, lambda row: say(training.describe(row))
    )
    training.save(snakemake.output.weights, model, snakemake.params.settings, seed)
    write_csv(snakemake.output.history, history)

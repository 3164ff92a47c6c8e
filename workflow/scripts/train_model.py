import time

from latentlab import data, training
from latentlab.files import write_csv
from latentlab.jobs import job

with job(snakemake.log) as say:
    params, record = snakemake.params, snakemake.input.data
    seed, latent_dim = int(snakemake.wildcards.seed), int(snakemake.wildcards.latent_dim)
    shown, held_out = (training.tensors(*data.load(record, split)) for split in ("train", "validation"))
    device = training.device_of(params.device)
    say(f"on {device}")
    start = time.monotonic()

    def tell(row):
        each, left = (time.monotonic() - start) / row["epoch"], params.settings["epochs"] - row["epoch"]
        say(f"{training.describe(row)}; {each:.1f} s an epoch, {each * left:.0f} s left")

    model, history = training.train(params.settings, latent_dim, seed, shown, held_out, tell, device)
    training.save(snakemake.output.weights, model, params.settings, seed)
    write_csv(snakemake.output.history, history)

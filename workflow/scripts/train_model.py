import time

from latentlab.data.splits import load_split
from latentlab.models.checkpoint import save_checkpoint
from latentlab.models.inputs import to_tensors
from latentlab.models.train import format_epoch, select_device, train_model
from latentlab.records.data import DataRecord
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.files import write_csv
from latentlab.runtime.jobs import job

with job(snakemake.log) as log:
    wildcards, record = snakemake.wildcards, DataRecord.read(snakemake.input.data)
    settings = ModelSettings.from_dict(snakemake.params.settings)
    spec = ModelSpec.of(settings, record.declaration, int(wildcards.latent_dim), int(wildcards.seed))
    training, validation = (to_tensors(*load_split(record, split)) for split in ("train", "validation"))
    device = select_device(snakemake.params.device)
    log(f"on {device}")
    start = time.monotonic()

    def log_epoch(row):
        seconds, remaining = (time.monotonic() - start) / row["epoch"], settings.epochs - row["epoch"]
        log(f"{format_epoch(row)}; {seconds:.1f} s per epoch, {seconds * remaining:.0f} s left")

    model, history = train_model(spec, training, validation, log_epoch, device)
    save_checkpoint(snakemake.output.weights, model)
    write_csv(snakemake.output.history, history)

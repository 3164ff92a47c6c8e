import time

from latentlab.data.splits import load_split
from latentlab.models.checkpoint import save_checkpoint
from latentlab.models.inputs import to_tensors
from latentlab.models.precision import resolve_precision
from latentlab.models.train import format_epoch, select_device, train_model
from latentlab.records.data import DataRecord
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.files import write_csv
from latentlab.runtime.jobs import job

with job(snakemake) as log:
    wildcards, record = snakemake.wildcards, DataRecord.read(snakemake.input.data)
    requested, device = ModelSettings.from_dict(snakemake.params.settings), select_device(snakemake.params.device)
    settings = resolve_precision(requested, device)  # as train_model does, to say so in advance
    spec = ModelSpec.of(requested, record.declaration, int(wildcards.latent_dim), int(wildcards.seed))
    training, validation = (to_tensors(*load_split(record, split)) for split in ("train", "validation"))
    log(f"on {device}: {settings.precision} products with {settings.instruction_set}")
    if requested.instruction_set not in (None, settings.instruction_set):
        log(
            f"instruction_set asks for {requested.instruction_set}: weights may differ in their last digits",
            warning=True,
        )
    start = time.monotonic()

    def log_epoch(row):
        seconds, remaining = (time.monotonic() - start) / row["epoch"], settings.epochs - row["epoch"]
        log(f"{format_epoch(row)}; {seconds:.1f} s per epoch, {seconds * remaining:.0f} s left")

    model, history = train_model(spec, training, validation, log_epoch, device)
    save_checkpoint(snakemake.output.weights, model)
    write_csv(snakemake.output.history, history)

from latentlab.models.checkpoint import save_checkpoint
from latentlab.notebook.models import measured_model, trained_model
from latentlab.records.data import DataRecord
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.files import write_csv
from latentlab.runtime.jobs import job

with job(snakemake):
    inputs, outputs = snakemake.input, snakemake.output
    settings = ModelSettings.from_dict(snakemake.params.settings)
    metrics, history = measured_model(inputs.measurements, settings)
    spec = ModelSpec.of(settings, DataRecord.read(inputs.data).declaration)
    save_checkpoint(outputs.weights, trained_model(inputs.weights, spec))
    write_csv(outputs.history, history)
    metrics.write(outputs.metrics)

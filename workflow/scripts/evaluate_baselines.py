from latentlab.data.splits import load_split
from latentlab.metrics.baselines import evaluate_baselines
from latentlab.metrics.reference_classifier import load_reference_classifier
from latentlab.models.inputs import to_tensors
from latentlab.records.data import DataRecord
from latentlab.runtime.jobs import job

with job(snakemake):
    record = DataRecord.read(snakemake.input.data)
    train, test = (to_tensors(*load_split(record, split)) for split in ("train", "test"))
    classifier = load_reference_classifier(snakemake.input.reference_classifier, record.declaration)
    metrics = evaluate_baselines(train, test, classifier, snakemake.params.epochs, record.dataset, record.digest)
    metrics.write(snakemake.output.metrics)

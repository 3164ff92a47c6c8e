from latentlab.data.splits import load_split
from latentlab.metrics.reference_classifier import save_reference_classifier, train_reference_classifier
from latentlab.metrics.samples import reference_moments
from latentlab.models.inputs import to_tensors
from latentlab.records.data import DataRecord
from latentlab.runtime.files import write_npz
from latentlab.runtime.jobs import job

with job(snakemake):
    record = DataRecord.read(snakemake.input.data)
    images, labels = to_tensors(*load_split(record, "train"))
    classifier = train_reference_classifier(record.declaration, images, labels, snakemake.params.epochs)
    save_reference_classifier(snakemake.output.weights, classifier)
    test, held_out = (load_split(record, split)[0] for split in ("test", "validation"))
    write_npz(snakemake.output.moments, reference_moments(classifier, test, held_out))

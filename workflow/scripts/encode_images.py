from latentlab import data, training
from latentlab.files import write_npz
from latentlab.jobs import job

with job(snakemake.log):
    model, _ = training.load(snakemake.input.weights)
    codes = {}
    for split in ("train", "test"):
        images, labels = data.load(snakemake.input.data, split, snakemake.params.validation_size)
        found = training.encode(model, *training.tensors(images, labels))
        codes |= {f"{split}_{name}": array for name, array in found.items()} | {f"{split}_labels": labels}
    write_npz(snakemake.output.codes, codes)

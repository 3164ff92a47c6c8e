from latentlab.runtime.files import write_zip
from latentlab.runtime.jobs import job

with job(snakemake):
    members = dict(zip(snakemake.params.names, snakemake.input.files, strict=True))
    write_zip(snakemake.output.archive, members | {"manifest.txt": snakemake.input.manifest})

from latentlab.files import write_zip
from latentlab.jobs import job

with job(snakemake.log):
    given = snakemake.input
    members = dict(zip(snakemake.params.names, given.files, strict=True))
    write_zip(snakemake.output.archive, members | {"manifest.txt": given.manifest})

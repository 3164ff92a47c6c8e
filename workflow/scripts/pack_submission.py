from latentlab import submission
from latentlab.jobs import job

with job(snakemake.log):
    given = snakemake.input
    submission.pack(snakemake.output.archive, [*snakemake.params.names, "manifest.txt"], [*given.files, given.manifest])

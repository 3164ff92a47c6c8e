from latentlab.files import copy
from latentlab.jobs import job

with job(snakemake.log):
    copy(snakemake.input.html, snakemake.output.html)
    copy(snakemake.input.pdf, snakemake.output.pdf)

from latentlab.report.pdf import print_pdf
from latentlab.runtime.jobs import job

with job(snakemake.log) as log:
    attachments = [snakemake.input.provenance, snakemake.input.config]
    size = print_pdf(snakemake.input.html, snakemake.output.pdf, attachments)
    log(f"fits at {size:.1f} pt")

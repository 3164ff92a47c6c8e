from latentlab.report.pdf import print_pdf
from latentlab.runtime.jobs import job

with job(snakemake) as log:
    attachments = dict(zip(snakemake.params.names, snakemake.input.attachments, strict=True))
    size = print_pdf(snakemake.input.html, snakemake.output.pdf, attachments)
    log(f"fits at {size:.1f} pt")

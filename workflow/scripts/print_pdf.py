from latentlab import report
from latentlab.jobs import job

with job(snakemake.log) as say:
    attached = [snakemake.input.provenance, snakemake.input.config]
    size = report.print_pdf(snakemake.input.html, snakemake.output.pdf, attached)
    say(f"fits at {size:.1f} pt")

from latentlab import report
from latentlab.jobs import job

with job(snakemake.log) as say:
    size = report.print_pdf(snakemake.input.html, snakemake.output.pdf, [snakemake.input.provenance])
    say(f"fits at {size:.1f} pt")

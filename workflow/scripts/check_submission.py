from latentlab import data, submission
from latentlab.errors import UserError
from latentlab.files import read_json, write_text
from latentlab.jobs import job

with job(snakemake.log):
    given = snakemake.input
    stand_in = any(data.is_stand_in(read_json(path)) for path in given.data)
    missing = submission.missing(given.pdf, given.html, snakemake.params.authors, stand_in)
    if missing:
        raise UserError("\n".join(["not to be handed in yet:", *missing]))
    write_text(snakemake.output.manifest, submission.manifest(snakemake.params.names, given.files))

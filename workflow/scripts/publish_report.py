from latentlab import data
from latentlab.files import copy, read_json, twin
from latentlab.jobs import job

with job(snakemake.log):
    copy(snakemake.input.page, snakemake.output.page)
    marked = twin(snakemake.output.page, "STAND-IN-DATA")  # a name that nobody can take for a hand-in's
    if any(data.is_stand_in(read_json(path)) for path in snakemake.input.data):
        copy(snakemake.input.page, marked)
    else:
        marked.unlink(missing_ok=True)

from latentlab import data
from latentlab.files import copy, read_json, twin
from latentlab.jobs import job

with job(snakemake.log):
    stand_in = data.is_stand_in(read_json(snakemake.input.data))
    for kind in ("html", "pdf"):
        source, target = snakemake.input[kind], snakemake.output[kind]
        copy(source, target)
        marked = twin(target, "STAND-IN-DATA")  # a name that nobody can take for a hand-in's
        copy(source, marked) if stand_in else marked.unlink(missing_ok=True)

from pathlib import Path

from latentlab import data
from latentlab.files import write_json
from latentlab.jobs import job

with job(snakemake.log) as say:
    folder = data.local_folder(snakemake.params.data_dir)
    write_json(snakemake.output.record, data.fetch(snakemake.wildcards.dataset, Path("resources"), folder, say))

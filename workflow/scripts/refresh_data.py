from latentlab import data, fetch
from latentlab.files import read_json, write_json
from latentlab.jobs import job

with job(snakemake.log) as say:
    folder = fetch.local_folder(snakemake.params.data_dir)
    for path in snakemake.input.records:
        record = read_json(path)
        if snakemake.params.data_source == "auto" and data.is_stand_in(record):
            write_json(path, record | fetch.fetch(record["dataset"], "resources", "auto", folder, say))

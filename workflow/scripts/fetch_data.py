from latentlab import fetch
from latentlab.files import write_json
from latentlab.jobs import job

with job(snakemake.log) as say:
    request = snakemake.params.request
    folder = fetch.local_folder(request["data_dir"])
    record = fetch.fetch(snakemake.wildcards.dataset, "resources", request["source"], folder, say)
    write_json(snakemake.output.record, record)
    write_json(snakemake.output.request, request)

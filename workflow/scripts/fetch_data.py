from latentlab import fetch
from latentlab.files import write_json
from latentlab.jobs import job

with job(snakemake.log) as say:
    params, request = snakemake.params, snakemake.params.request
    folder = fetch.local_folder(request["data_dir"])
    record = fetch.fetch(snakemake.wildcards.dataset, "resources", request["source"], folder, say)
    sizes = {"validation_size": params.validation_size, "training_size": params.training_size}
    write_json(snakemake.output.record, record | sizes)
    write_json(snakemake.output.request, request)

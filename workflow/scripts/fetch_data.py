from latentlab.data.fetch import fetch_dataset, local_data_folder
from latentlab.records.data import DataRequest
from latentlab.records.datasets import get_dataset
from latentlab.runtime.jobs import job

with job(snakemake) as log:
    params = snakemake.params
    request = DataRequest.from_dict(params.request)
    record = fetch_dataset(
        get_dataset(snakemake.wildcards.dataset),
        "resources",
        request.source,
        local_data_folder(request.data_dir),
        params.validation_size,
        params.training_size,
        log,
    )
    record.write(snakemake.output.record)
    request.write(snakemake.output.request)

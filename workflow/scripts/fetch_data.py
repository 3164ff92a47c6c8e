from latentlab.data.fetch import fetch_dataset, local_data_folder
from latentlab.data.pictures import prepare_images
from latentlab.records.data import DataRequest
from latentlab.records.datasets import Dataset
from latentlab.runtime.jobs import job

with job(snakemake) as log:
    params = snakemake.params
    dataset, request = Dataset.from_dict(params.dataset), DataRequest.from_dict(params.request)
    if request.images:
        record = prepare_images(dataset, request.images, "resources", params.training_size, log)
    else:
        folder, sizes = local_data_folder(request.data_dir), (params.validation_size, params.training_size)
        record = fetch_dataset(dataset, "resources", request.source, folder, *sizes, log)
    record.write(snakemake.output.record)
    request.write(snakemake.output.request)

from latentlab.data.fetch import fetch_dataset, local_data_folder
from latentlab.records.data import DataRecord
from latentlab.runtime.jobs import job

with job(snakemake) as log:
    folder = local_data_folder(snakemake.params.data_dir)
    for path in snakemake.input.records:
        record = DataRecord.read(path)
        if snakemake.params.data_source == "auto" and record.is_synthetic:
            sizes = record.validation_size, record.training_size
            fetch_dataset(record.declaration, "resources", "auto", folder, *sizes, log).write(path)

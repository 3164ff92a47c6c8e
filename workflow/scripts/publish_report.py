from latentlab.records.data import DataRecord
from latentlab.runtime.files import copy, with_stem_suffix
from latentlab.runtime.jobs import job

with job(snakemake):
    copy(snakemake.input.page, snakemake.output.page)
    marked = with_stem_suffix(snakemake.output.page, "SYNTHETIC-DATA")  # a name that nobody takes for a submission's
    if any(DataRecord.read(path).is_synthetic for path in snakemake.input.data):
        copy(snakemake.input.page, marked)
    else:
        marked.unlink(missing_ok=True)

from latentlab.records.data import DataRecord
from latentlab.records.settings import Author
from latentlab.report.conformance import violations
from latentlab.report.submission import manifest, submission_problems
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import write_text
from latentlab.runtime.jobs import job

with job(snakemake) as log:
    inputs, params = snakemake.input, snakemake.params
    synthetic = any(DataRecord.read(path).is_synthetic for path in inputs.data)
    authors = [Author.from_dict(author) for author in params.authors]
    problems = submission_problems(inputs.pdf, inputs.html, authors, synthetic, params.preview)
    if problems:
        raise UserError("\n".join(["not ready to be submitted:", *problems]))
    for violation in violations(inputs.pdf):
        log(f"{inputs.pdf} violates a rule of its standards: {violation}", warning=True)
    write_text(snakemake.output.manifest, manifest(params.names, inputs.files))

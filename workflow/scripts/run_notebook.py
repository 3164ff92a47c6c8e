from pathlib import Path
from tempfile import TemporaryDirectory

from latentlab.data.splits import load_split
from latentlab.notebook.run import code_notebook, link_data, run_notebook, save_notebook
from latentlab.records.data import DataRecord
from latentlab.records.notebooks import read_code, with_settings
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import PARTIAL, copy
from latentlab.runtime.jobs import job

with job(snakemake):
    inputs, outputs = snakemake.input, snakemake.output
    record = DataRecord.read(inputs.data)
    for split in ("train", "test"):
        load_split(record, split)  # checks the files and the sizes, which the cells take for granted
    code = with_settings(read_code(inputs.cells), snakemake.params.settings)
    notebook = code_notebook(code, inputs.cells)
    target = Path(outputs.cells).parent
    with TemporaryDirectory(prefix=PARTIAL, dir=target) as folder:
        link_data(record, folder)
        run_notebook(notebook, folder)
        for path in map(Path, (outputs.measurements, outputs.weights)):
            if not (Path(folder) / path.name).is_file():
                raise UserError(f"{inputs.cells}: its cells do not write {path.name}; write it in the last one")
            copy(Path(folder) / path.name, path)
    save_notebook(outputs.cells, notebook)

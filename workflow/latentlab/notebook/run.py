"""Runs the code of a notebook, cell by cell."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from latentlab.records.data import DataRecord
from latentlab.records.notebooks import cell_names
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import write_text

Notebook = Any  # nbformat.NotebookNode

TIME_LIMIT = 3600  # seconds, for a cell
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def code_notebook(code: str, place: str = "the notebook") -> Notebook:
    """The notebook of code in the percent format; the IDs of its cells are their names.

    Raises:
        UserError: a cell has no name of its own (`cell_names`); `place` names the file.
    """
    names = cell_names(code, place)
    notebook = jupytext.reads(code, fmt="py:percent")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for name, cell in zip(names, notebook.cells, strict=True):
        cell["id"], cell["metadata"] = name, {}
    return notebook


def run_notebook(notebook: Notebook, folder: str | Path) -> None:
    """Run all cells in `folder`, on one thread, and store their outputs in the notebook.

    Raises:
        UserError: a cell failed.
    """
    # Threads add in another order: the last digits would depend on the number of cores.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    client = NotebookClient(
        notebook,
        timeout=TIME_LIMIT,
        record_timing=False,
        coalesce_streams=True,  # a kernel splits what a cell prints by time, which differs from run to run
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        failed = [cell.id for cell in notebook.cells if any(out.output_type == "error" for out in cell.outputs)]
        raise UserError(f"cell {failed[0]!r} of the notebook failed: {error.ename}: {error.evalue}") from error


def save_notebook(path: str | Path, notebook: Mapping[str, Any]) -> None:
    """Write an .ipynb file; equal notebooks give equal bytes."""
    write_text(path, json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def link_data(record: DataRecord, folder: str | Path) -> None:
    """Make the verified files of a data set appear in `folder` where torchvision looks for them, so that it downloads
    nothing: data/{dataset}/raw."""
    target = Path(folder, "data", str(record.declaration.torchvision), "raw")
    target.parent.mkdir(parents=True)
    target.symlink_to(Path(record.folder).resolve(), target_is_directory=True)

"""Cells that run."""

import pytest
from torchvision import datasets

from latentlab.data.fetch import fetch_dataset
from latentlab.notebook.run import code_notebook, link_data, run_notebook, save_notebook
from latentlab.records.datasets import get_dataset
from latentlab.runtime.errors import UserError

CODE = """# %% first
print(6 * 7)

# %% second
def double(x):
    return 2 * x


print(double(21))
"""


def test_the_cells_of_code_have_its_names():
    notebook = code_notebook(CODE)
    assert [(cell.id, cell.cell_type) for cell in notebook.cells] == [("first", "code"), ("second", "code")]
    assert notebook.cells[0].source == "print(6 * 7)" and notebook.cells[1].source.endswith("print(double(21))")
    assert code_notebook(CODE) == code_notebook(CODE)


def test_a_cell_without_a_name_is_refused():
    with pytest.raises(UserError, match=r"mine\.py, line 2: a cell has no name"):
        code_notebook("# %% first\n# %%\n", "mine.py")


def test_cells_run_in_their_folder_and_their_outputs_are_kept(tmp_path):
    (tmp_path / "answer.txt").write_text("forty-two")
    notebook = code_notebook("# %% a\nprint(open('answer.txt').read())\n")
    run_notebook(notebook, tmp_path)
    assert notebook.cells[0].outputs[0].text == "forty-two\n"
    assert "execution" not in notebook.cells[0].metadata, "no times: equal runs give equal bytes"
    save_notebook(tmp_path / "a.ipynb", notebook)
    assert '"id": "a"' in (tmp_path / "a.ipynb").read_text()


def test_what_a_slow_cell_prints_is_one_output(tmp_path):
    notebook = code_notebook("# %% a\nimport time\nfor i in range(3):\n    print(i)\n    time.sleep(0.6)\n")
    run_notebook(notebook, tmp_path)
    assert [output.text for output in notebook.cells[0].outputs] == ["0\n1\n2\n"]


def test_a_cell_that_fails_is_named_with_its_error(tmp_path):
    with pytest.raises(UserError, match="cell 'b' of the notebook failed: ZeroDivisionError: division by zero"):
        run_notebook(code_notebook("# %% a\n1\n\n# %% b\n1 / 0\n"), tmp_path)


def test_torchvision_finds_the_data_where_the_cells_look_for_them(tmp_path):
    record = fetch_dataset(get_dataset("MNIST"), tmp_path / "resources", "synthetic", log=lambda line: None)
    link_data(record, tmp_path / "run")
    data = datasets.MNIST(tmp_path / "run/data", train=False, download=False)
    assert data.data.shape[1:] == (28, 28) and len(data.data) == len(data.targets) > 100

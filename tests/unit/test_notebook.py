"""From Markdown to a notebook that has run, and the archive that it is handed in with."""

import zipfile

import pytest

from latentlab import archive, notebook
from latentlab.errors import UserError

TEXT = """# Title

A formula $x^2$ and <script>alert(1)</script>.

```python
print(6 * 7)
```

After it.
"""


def test_fences_become_cells_and_equal_texts_equal_notebooks():
    cells = notebook.build(TEXT).cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "markdown"]
    assert cells[1].source == "print(6 * 7)"
    assert notebook.build(TEXT) == notebook.build(TEXT)


def test_cells_run_in_their_folder_and_their_answers_are_kept(tmp_path):
    (tmp_path / "answer.txt").write_text("forty-two")
    cells = notebook.build("```python\nprint(open('answer.txt').read())\n```\n")
    notebook.run(cells, tmp_path)
    assert cells.cells[0].outputs[0].text == "forty-two\n"
    assert "execution" not in cells.cells[0].metadata, "no times: equal runs give equal bytes"


def test_a_cell_that_fails_is_named_by_its_error(tmp_path):
    with pytest.raises(UserError, match="a cell of the notebook failed: ZeroDivisionError: division by zero"):
        notebook.run(notebook.build("```python\n1 / 0\n```\n"), tmp_path)


def test_markdown_becomes_html_with_formulas_and_without_scripts():
    html = notebook.markdown_to_html(TEXT)
    assert "<h1>Title</h1>" in html and "<math" in html and "<msup>" in html
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_source_is_the_library_s_own_and_not_escaped():
    code = notebook.source("objectives", "loss", "kl_to_prior")
    assert code.startswith("def loss(") and "def kl_to_prior(" in code and '"kl"' in code
    compile(code, "cell", "exec")


def test_equal_folders_give_equal_archives_without_their_data(tmp_path):
    for name in "ab":
        folder = tmp_path / name
        (folder / "resources").mkdir(parents=True)
        (folder / "resources/data").write_text("large")
        archive.fill(folder, {"dataset": "MNIST"}, {("vae", "metrics.json"): __file__}, __file__)
        archive.pack(folder, tmp_path / f"{name}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        names = packed.namelist()
        assert "torch==" in packed.read("requirements.txt").decode()
    assert {"runs/vae/metrics.json", "latentlab/archive.py", "contents.json", "matplotlibrc"} <= set(names)
    assert not any("resources" in name or "cache" in name for name in names)

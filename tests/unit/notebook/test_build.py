"""From Markdown to a notebook that has run."""

import ast
import re

import planted
import pytest

from latentlab.notebook.build import build_notebook, library_source, markdown_to_html, run_notebook
from latentlab.report.templates import render_template
from latentlab.runtime.errors import UserError

TEXT = """# Title

A formula $x^2$ and <script>alert(1)</script>.

```python
print(6 * 7)
```

After it.
"""


def test_fences_become_cells_and_equal_texts_equal_notebooks():
    cells = build_notebook(TEXT).cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "markdown"]
    assert cells[1].source == "print(6 * 7)"
    assert build_notebook(TEXT) == build_notebook(TEXT)


def test_cells_run_in_their_folder_and_their_outputs_are_kept(tmp_path):
    (tmp_path / "answer.txt").write_text("forty-two")
    notebook = build_notebook("```python\nprint(open('answer.txt').read())\n```\n")
    run_notebook(notebook, tmp_path)
    assert notebook.cells[0].outputs[0].text == "forty-two\n"
    assert "execution" not in notebook.cells[0].metadata, "no times: equal runs give equal bytes"


def test_what_a_slow_cell_prints_is_one_output(tmp_path):
    notebook = build_notebook("```python\nimport time\nfor i in range(3):\n    print(i)\n    time.sleep(0.6)\n```\n")
    run_notebook(notebook, tmp_path)
    assert [output.text for output in notebook.cells[0].outputs] == ["0\n1\n2\n"]


def test_a_cell_that_fails_is_named_by_its_error(tmp_path):
    with pytest.raises(UserError, match="a cell of the notebook failed: ZeroDivisionError: division by zero"):
        run_notebook(build_notebook("```python\n1 / 0\n```\n"), tmp_path)


def test_markdown_becomes_html_with_formulas_and_without_scripts():
    html = markdown_to_html(TEXT)
    assert "<h1>Title</h1>" in html and "<math" in html and "<msup>" in html
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_source_is_that_of_the_library_and_not_escaped():
    code = library_source("models.networks", "VAE", "mlp")
    assert code.startswith("class VAE(") and "def mlp(" in code and '"kl"' in code
    compile(code, "cell", "exec")


def test_the_cells_of_the_shipped_notebook_are_python_and_show_figures_of_the_assignment(tmp_path):
    assignment = planted.load("exercise4")
    metrics = planted.metrics(assignment, tmp_path)
    context = metrics | {
        "provenance": planted.provenance(metrics),
        "source": library_source,
        "settings": {"quadrature_tolerance": 0.05},
        "page": planted.page(assignment, tmp_path),
        "synthetic": True,
    }
    notebook = build_notebook(render_template(planted.TEMPLATES / "exercise4/cvae.md.j2", context))
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    ast.parse(code)
    figures = re.findall(r'archive\.figure\("(\w+)"', code)
    assert len(figures) > 10 and set(figures) <= set(assignment.spec.figures)
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.startswith(f"# {assignment.spec.title}") and "MADE ON SYNTHETIC DATA" in text

"""A notebook from its text and its executed cells."""

import base64
import json

import jupytext
import planted
import pytest

from latentlab.notebook.build import (
    attached_figure,
    build_notebook,
    markdown_to_html,
    place_cell,
    render_text,
    save_notebook_html,
)
from latentlab.notebook.run import code_notebook, save_notebook
from latentlab.records.notebooks import cell_names
from latentlab.runtime.errors import UserError

TEMPLATE = planted.TEMPLATES / "exercise4/cvae.md.j2"
CODE = planted.TEMPLATES / "exercise4/cvae.py"
FIGURES = {"curve": lambda: b"curve"}
TEXT = """# Title

A formula $x^2$ and <script>alert(1)</script>.
"""


def test_cells_are_placed_in_the_text_and_figures_attached_to_it():
    code = code_notebook("# %% a\nx = 1\n\n# %% b\nx = 2\n")
    text = f"# Title\n\n{place_cell('a')}\n\n{place_cell('b')}\n\n{attached_figure('curve', 'A curve')}\n"
    cells = build_notebook(text, code, FIGURES)["cells"]
    assert [cell["id"] for cell in cells] == ["text-1", "a", "b", "text-3"]
    assert cells[1]["source"] == "x = 1" and cells[3]["source"] == "![A curve](attachment:curve.png)"
    assert cells[3]["attachments"] == {"curve.png": {"image/png": base64.b64encode(b"curve").decode()}}


def test_a_figure_that_there_is_not_stays_text():
    cells = build_notebook("`![x](attachment:other.png)`", {"cells": []}, FIGURES)["cells"]
    assert "attachments" not in cells[0]


def test_a_page_shows_attached_figures_and_loads_nothing(tmp_path):
    code = code_notebook("# %% a\nx = 1\n")
    text = f"{TEXT}\n{place_cell('a')}\n{attached_figure('curve', 'A curve')}"
    save_notebook(tmp_path / "a.ipynb", build_notebook(text, code, FIGURES))
    for name in ("a.html", "b.html"):
        save_notebook_html(tmp_path / name, tmp_path / "a.ipynb", "T", planted.TEMPLATES / "notebook")
    html = (tmp_path / "a.html").read_text()
    image = base64.b64encode(b"curve").decode()
    assert f'src="data:image/png;base64,{image}"' in html and 'alt="A curve"' in html and "<script" not in html
    assert html == (tmp_path / "b.html").read_text()


def test_markdown_becomes_html_with_formulas_and_without_scripts():
    html = markdown_to_html(TEXT)
    assert "<h1>Title</h1>" in html and "<math" in html and "<msup>" in html
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_a_formula_that_is_not_valid_is_named():
    with pytest.raises(UserError, match=r"the formula “\\left\(x” of the notebook is not valid"):
        markdown_to_html("$\\left(x$")


# --- the shipped notebook ---------------------------------------------------------------------------------------------


def rendered(folder, changes=None, answers=None):
    """Its text on planted metrics, some of them changed, on one line."""
    assignment = planted.load("exercise4")
    metrics = planted.metrics(assignment, folder, changes)
    page = planted.page(assignment, folder)
    text = render_text(TEMPLATE, page, metrics, planted.provenance(metrics), answers)
    return " ".join(text.split())


def test_the_shipped_text_places_all_cells_and_marks_synthetic_data(tmp_path):
    assignment = planted.load("exercise4")
    metrics = planted.metrics(assignment, tmp_path)
    page, provenance = planted.page(assignment, tmp_path), planted.provenance(metrics, "synthetic")
    text = render_text(TEMPLATE, page, metrics, provenance)
    source = CODE.read_text()
    figures = dict.fromkeys(assignment.spec.figures, lambda: b"figure")
    notebook = build_notebook(text, code_notebook(source), figures)
    code = [cell["id"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code == cell_names(source, "cvae.py")
    markdown = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    assert markdown[0]["source"].startswith(f"# {assignment.spec.title}")
    assert "MADE ON SYNTHETIC DATA" in markdown[0]["source"]
    figures = {name for cell in markdown for name in cell.get("attachments", {})}
    assert figures == {"sweep.png", "strips.png", "best_confusion.png"}
    assert jupytext.reads(json.dumps(notebook), "ipynb").nbformat == 4


def test_every_table_of_the_shipped_text_is_one(tmp_path):
    html = markdown_to_html(render_text_of(tmp_path))
    assert html.count("<table>") == 3 and "<p>|" not in html and "|---" not in html


def render_text_of(folder):
    assignment = planted.load("exercise4")
    metrics = planted.metrics(assignment, folder)
    return render_text(TEMPLATE, planted.page(assignment, folder), metrics, planted.provenance(metrics))


V, C = "vae.notebook", "cvae.notebook"
# Changed metrics and what the text then claims; the opposite change and what it then claims instead.
CLAIMS = [
    ({f"{C}.negative_elbo": 737.0}, "the label saves 3.40 nats", {f"{C}.negative_elbo": 741.0}, "does not lower"),
    ({f"{V}.squared_error": 0.04}, "The implementation works", {f"{V}.squared_error": 0.066}, "hardly learned"),
    (
        {f"{V}.samples.ambiguous": 0.1}, "codes from the borders between digits",
        {f"{V}.samples.ambiguous": 0.02}, "in 2.0 % of the VAE's samples",
    ),
    (
        {"sweep.saturation_dim": 4}, "but that at 4 cannot be distinguished",
        {"sweep.saturation_dim": 8}, "lowest at 8 dimensions. Of",
    ),
    (
        {"sweep.squared_error.mean.2": 0.03}, "the squared error per pixel falls",
        {"sweep.squared_error.mean.2": 0.05}, "the squared error per pixel rises",
    ),
    ({"sweep.pca.2": 0.02}, "PCA has no KL term", {"sweep.pca.2": 0.04}, None),
    ({f"{V}.neighbour_accuracy": 0.79}, "never sees a label", {f"{V}.neighbour_accuracy": 0.12}, "of only 12.0"),
    (
        {f"{V}.centres.0": [0.1, -1.8]}, "centres of 0 (at the bottom), 1 (on the right) lie",
        {f"{V}.centres.0": [0.1, -0.8]}, None,
    ),
    (
        {f"{C}.slant.mean.0": 0.7}, "With growing $z_1$ the digits lean further to the right (ρ = 0.70",
        {f"{C}.slant.mean.0": -0.7}, "With growing $z_1$ the digits lean further to the left (ρ = −0.70",
    ),
    (
        {f"{V}.failures.decoded.ambiguous": 0.08}, "passes through images that are neither",
        {f"{V}.failures.decoded.ambiguous": 0.015}, "show no more failures than real handwriting",
    ),
    (
        {f"{V}.failures.purity_ambiguous": 0.6}, "do lie where digits mix",
        {f"{V}.failures.purity_ambiguous": 0.8}, "do not explain the failures",
    ),
    (
        {f"{V}.failures.decoded.blurred": 0.99}, "This is not a matter of where one samples",
        {f"{V}.failures.decoded.blurred": 0.02}, "so blur is no failure here",
    ),
    (
        {f"{V}.failures.reconstructions.blurred": 0.99}, "at the codes of test images it is the same",
        {f"{V}.failures.reconstructions.blurred": 0.3}, "only at the codes of test images there is less of it",
    ),
    ({f"{C}.grids_recognised": 0.97}, "holds style", {f"{C}.grids_recognised": 0.4}, "Of the images in"),
    (
        {f"{C}.reconstructions_recognised": 0.99}, "the label decides which digit its decoder draws",
        {f"{C}.reconstructions_recognised": 0.97}, None,
    ),
    (
        {f"{C}.classifier.integration_error": 0.002}, "The grid is fine enough",
        {f"{C}.classifier.integration_error": 0.2}, "The grid is somewhat coarse",
    ),
    ({"sweep.seeds": 3}, "(bars and ±: standard deviation over the seeds)", {"sweep.seeds": 1}, "1 seed each."),
    ({"sweep.seeds": 3}, "| 0.0410 ± 0.0000 |", {"sweep.seeds": 1}, "| 0.0410 |"),
    (
        {f"{C}.neighbour_accuracy": 0.12}, "in the CVAE's all of them around the origin",
        {f"{C}.neighbour_accuracy": 0.78}, "the label has not taken the digit out of the code",
    ),
    (
        {f"{C}.classifier.accuracy": 0.9, "best.classifier.methods.quadrature.accuracy": 0.99},
        "right more often than logistic regression on the pixels. The larger CVAE is wrong for 1.0",
        {f"{C}.classifier.accuracy": 0.7, "best.classifier.methods.quadrature.accuracy": 0.6},
        "right less often than logistic regression on the pixels. The larger CVAE is right less often, 60.0",
    ),
    (
        {f"{C}.classifier.accuracy": 0.84, "best.classifier.methods.quadrature.accuracy": 0.84},
        "right about as often as logistic regression on the pixels. The larger CVAE is right about as often.",
        {f"{C}.classifier.accuracy": 0.9}, "more often than",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "claim", "opposite", "other"), CLAIMS)
def test_a_claim_of_the_shipped_text_follows_its_metrics(changes, claim, opposite, other, tmp_path):
    text, opposite_text = rendered(tmp_path, changes), rendered(tmp_path, opposite)
    assert claim in text and claim not in opposite_text
    assert other is None or (other in opposite_text and other not in text)


def test_a_student_replaces_an_answer_and_keeps_the_others(tmp_path):
    answers = tmp_path / "mine.md"
    answers.write_text("## 1.4 Samples\n\nMine: {{ vae.notebook.kl }} <b>nats</b>, $a<b$.\n\n## 4.2\n\nAlso mine.\n")
    text = rendered(tmp_path, answers=answers)
    assert "Mine: 4 &lt;b>nats&lt;/b>, $a<b$." in text and "Also mine." in text
    assert "recognised as the digit that was asked for" not in text and "The implementation works" in text

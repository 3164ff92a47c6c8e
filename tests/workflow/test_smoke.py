"""The results of the whole pipeline on synthetic data, as the smoke profile makes them."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pdfplumber
import pytest
from PIL import Image

from latentlab.records.metrics import (
    BaselineMetrics,
    ClassifierMetrics,
    ConditionGrids,
    FailureMetrics,
    ModelMetrics,
    NotebookMetrics,
    OODMetrics,
    PCAComparison,
    ProjectionMetrics,
    SweepMetrics,
)
from latentlab.runtime.files import read_csv, read_json
from latentlab.runtime.provenance import digest
from latentlab.runtime.results import FORMAT

VAE = "models/FashionMNIST/lab8-vae/d2/seed0"
CVAE = "models/MNIST/exercise4-notebook-cvae/d2/seed0"
NOTEBOOK = "reports/exercise4/notebook"


def pdf_text(path):
    """The text of a PDF with one page."""
    with pdfplumber.open(path) as pdf:
        assert len(pdf.pages) == 1
        return pdf.pages[0].extract_text()


def test_the_report_is_one_side_of_a4_and_marked_as_made_from_synthetic_data(project):
    with pdfplumber.open(project.results / "report.pdf") as pdf:
        assert len(pdf.pages) == 1 and (round(pdf.pages[0].width), round(pdf.pages[0].height)) == (595, 842)
        assert "not to be handed in" in pdf.pages[0].extract_text() and "synthetic" in pdf.metadata["Title"]
    assert "SYNTHETIC DATA" in (project.results / "report.html").read_text()
    marked = project.results / "report-SYNTHETIC-DATA.pdf"
    assert marked.read_bytes() == (project.results / "report.pdf").read_bytes()


def test_the_decoder_grids_are_588_pixels_square(project):
    for model in ("lab8-ae", "lab8-vae"):
        for name in ("grid.png", "grid-occupied.png"):
            image = Image.open(project.results / f"models/FashionMNIST/{model}/d2/seed0/{name}")
            assert image.size == (588, 588) and image.mode == "L"


def test_a_conditional_model_has_a_grid_for_each_chosen_label(project):
    grids = ConditionGrids.read(project.results / CVAE / "conditions.json")
    assert Image.open(project.results / CVAE / "conditions.png").size == (9 * 28 * len(grids.labels), 9 * 28)
    assert not (project.results / CVAE / "grid.png").exists()


@pytest.mark.parametrize("model", ["exercise4-notebook-vae", "exercise4-notebook-cvae"])
def test_the_elbo_lies_below_the_log_likelihood(project, model):
    metrics = ModelMetrics.read(project.results / f"models/MNIST/{model}/d2/seed0/metrics.json")
    likelihood = metrics.likelihood
    assert -metrics.test.negative_elbo < likelihood.log_likelihood and likelihood.normalised
    assert likelihood.gap == pytest.approx(likelihood.log_likelihood + metrics.test.negative_elbo)


@pytest.mark.parametrize("model", ["plane-exact-fourier", "plane-exact-conditional"])
def test_an_exactly_trained_model_has_a_likelihood_codes_and_no_elbo(project, model):
    folder = project.results / f"models/MNIST/{model}/d2/seed0"
    metrics, codes = ModelMetrics.read(folder / "metrics.json"), np.load(folder / "codes.npz")
    assert metrics.test.negative_elbo is metrics.likelihood.gap is None and metrics.likelihood.normalised
    assert metrics.test.reconstruction + metrics.test.kl == pytest.approx(-metrics.likelihood.log_likelihood)
    assert codes["test_codes"].shape == codes["test_mean"].shape == (len(codes["test_labels"]), 2)
    assert codes["test_covariance"].shape == (len(codes["test_labels"]), 2, 2)
    with (folder / "history.csv").open() as file:
        assert file.readline().startswith("epoch,train_loss,train_negative_log_likelihood,validation_loss")


def test_the_notebook_was_executed_and_packed_with_its_page(project):
    folder = project.results / NOTEBOOK
    cells = read_json(folder / "cvae.ipynb")["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert {output["output_type"] for output in outputs} == {"stream", "display_data"}
    assert {output["name"] for output in outputs if output["output_type"] == "stream"} == {"stdout"}, "no warnings"
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 10
    text = (folder / "cvae.ipynb").read_text()
    assert "latentlab" not in text and str(project.root) not in text
    html = (folder / "cvae.html").read_text()
    assert "not to be handed in" in html and "<math" in html and "<script" not in html and "attachment:" not in html
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html), "nothing is loaded from elsewhere"
    with zipfile.ZipFile(folder / "cvae.zip") as archive:
        assert archive.namelist() == ["cvae.html", "cvae.ipynb"]
        assert archive.read("cvae.ipynb") == (folder / "cvae.ipynb").read_bytes()
    with zipfile.ZipFile(folder / "cvae-library.zip") as archive:
        names = set(archive.namelist())
    files = {"config.yaml", "requirements.txt", "latentlab/models/networks.py"}
    assert files | {f"runs/{name}/weights.safetensors" for name in ("vae", "cvae", "best")} <= names


@pytest.mark.parametrize("name", ["vae", "cvae"])
def test_the_page_shows_the_models_of_the_notebook(project, name):
    """The library measures of the stored weights what the cells printed of their models."""
    folder = project.results / f"models/MNIST/exercise4-notebook-{name}/d2/seed0"
    measured, metrics = NotebookMetrics.read(folder / "notebook.json"), ModelMetrics.read(folder / "metrics.json")
    assert metrics.test.negative_elbo == pytest.approx(measured.negative_elbo, abs=0.05)
    assert metrics.test.kl == pytest.approx(measured.kl, rel=1e-4)
    assert metrics.test.squared_error == pytest.approx(measured.squared_error, rel=1e-4)
    assert metrics.test.reconstruction_floor == pytest.approx(measured.reconstruction_constant)
    assert metrics.latents.neighbour_accuracy == pytest.approx(measured.neighbour_accuracy, abs=2e-3)
    assert metrics.settings.precision == "float32" and metrics.settings.notebook == "exercise4/cvae"
    assert metrics.settings.epochs == 1, "settings of the command line and of profiles reach the notebook"
    text = (project.results / NOTEBOOK / "cvae.ipynb").read_text()
    assert f"{name.upper()}: negated ELBO {measured.negative_elbo:.2f} = " in text
    if name == "cvae":
        classifier = ClassifierMetrics.read(folder / "classifier.json")
        accuracy = classifier.methods["quadrature"].accuracy
        assert measured.classifier.accuracy == pytest.approx(accuracy, abs=5e-3)


@pytest.mark.long
def test_the_notebook_gives_the_same_numbers_without_this_project(project, tmp_path):
    """Alone in a folder with the data, run by Jupyter where this project cannot be imported."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/latentlab.py").write_text("raise ImportError('this project is not installed here')\n")
    folder = tmp_path / "alone"
    shutil.copytree(project.root / "results/smoke/resources/synthetic/MNIST", folder / "data/MNIST")
    shutil.copy(project.results / NOTEBOOK / "cvae.ipynb", folder)

    def printed_text():
        cells = [cell for cell in read_json(folder / "cvae.ipynb")["cells"] if cell["cell_type"] == "code"]
        return ["".join("".join(output.get("text", "")) for output in cell.get("outputs", [])) for cell in cells]

    before = printed_text()
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "cvae.ipynb"]
    environment = {key: value for key, value in os.environ.items() if key != "LATENTLAB_DATA"}
    environment["PYTHONPATH"] = str(tmp_path / "hidden")
    script = [sys.executable, "-c", "import latentlab"]
    assert subprocess.run(script, cwd=folder, env=environment, capture_output=True).returncode != 0
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-2000:]
    assert any(before) and printed_text() == before
    stored = project.results / "notebooks/MNIST/exercise4/cvae"
    for name in ("measurements.json", "weights.npz"):
        assert (folder / name).read_bytes() == (stored / name).read_bytes()


@pytest.mark.long
def test_two_runs_of_the_cells_give_the_same_bytes(project):
    before = project.hashes()
    project.snakemake("--forcerun", "run_notebook", "--", "exercise4")
    after = project.hashes()
    notebook = [name for name in before if name.startswith(("notebooks/", NOTEBOOK))]
    assert len(notebook) == 7 and {name: before[name] for name in notebook} == {name: after[name] for name in notebook}


def test_the_sweep_has_every_dimension_beside_pca(project):
    sweep = SweepMetrics.read(project.results / "sweeps/MNIST/exercise4-vae/sweep.json")
    assert sweep.dims == (2, 4) and sweep.seeds == 1 and sweep.saturation_dim in sweep.dims
    assert sweep.pca[0] > sweep.pca[1] > 0 and len(sweep.squared_error.mean) == 2


def test_a_linear_autoencoder_is_compared_with_pca(project):
    linear, hidden = (
        PCAComparison.read(project.results / f"pca_comparisons/FashionMNIST/{model}/pca_comparison.json")
        for model in ("linear-ae", "squared-ae")
    )
    assert linear.dims == (2, 1024) and linear.rank <= 784 and linear.pca == hidden.pca
    assert linear.error[0] > 0.99 * linear.pca[0] > linear.pca[1]
    assert 0 < linear.angle[0] <= 90 and linear.angle[1] is None and hidden.angle == (None, None)
    assert linear.noise[0] > linear.noise[1] > 0


def test_codes_and_pixels_are_projected(project):
    folder = project.results / "models/MNIST/lab10-cnn/d576/seed0"
    projections = ProjectionMetrics.read(folder / "projections.json")
    assert (projections.codes.dimensions, projections.pixels.dimensions) == (576, 784)
    for projection in (projections.codes, projections.pixels):
        assert 1 > projection.explained[0] > projection.explained[1] > 0
        assert projection.plane.neighbour_accuracy.mean < projection.full.neighbour_accuracy.mean
    assert Image.open(folder / "reconstructions.png").size == (2 * 16 * 28, 8 * 28)


@pytest.mark.parametrize(("assignment", "datasets"), [("lab10", {"MNIST"}), ("lab8-pca", {"MNIST", "FashionMNIST"})])
def test_other_reports_fit_on_one_side_and_name_their_data(project, assignment, datasets):
    text = pdf_text(project.results / f"reports/{assignment}/{assignment}.pdf")
    assert datasets <= set(re.findall(r"\w*MNIST", text.replace("Fashion-MNIST", "FashionMNIST")))


def test_failures_lie_where_the_prior_has_mass(project):
    metrics = FailureMetrics.read(project.results / "models/MNIST/exercise4-notebook-vae/d2/seed0/failures.json")
    assert metrics.failures and {failure.kind for failure in metrics.failures} <= {"unrealistic", "ambiguous"}
    for failure in metrics.failures:
        assert sum(z * z for z in failure.z) ** 0.5 <= 2.001
        assert failure.realism < 1 if failure.kind == "unrealistic" else failure.confidence < 0.6


def test_a_conditional_model_classifies_better_than_by_guessing(project):
    classifier = ClassifierMetrics.read(project.results / CVAE / "classifier.json")
    assert set(classifier.methods) == {"quadrature"} and classifier.quadrature_error < 0.1
    for predictions in classifier.methods.values():
        assert 0.2 < predictions.accuracy <= 1
        assert predictions.temperature_scaled.accuracy == predictions.accuracy
    mistakes = classifier.mistakes
    assert Image.open(project.results / CVAE / "mistakes.png").size == (28 * len(mistakes), 28)
    assert all(mistake.label != mistake.predicted for mistake in mistakes)
    baselines = BaselineMetrics.read(project.results / "baselines/MNIST.json")
    assert min(baselines.neighbours.accuracy, baselines.logistic.accuracy, baselines.cnn.accuracy) > 0.5


def test_the_images_of_the_other_data_set_are_the_out_of_distribution_ones(project):
    folder = project.results / "models/FashionMNIST/summary-cvae/d2/seed0"
    ood = OODMetrics.read(folder / "ood.json")
    assert (ood.dataset, ood.synthetic, ood.method) == ("MNIST", True, "quadrature") and 0 <= ood.auroc <= 1
    log_p, joints = np.load(folder / "ood.npz"), np.load(folder / "classifier.npz")
    assert log_p["test"] == pytest.approx(np.logaddexp.reduce(joints["test_quadrature"], axis=1))
    assert log_p["ood"].shape == log_p["test"].shape and np.isfinite(log_p["ood"]).all()


def test_metrics_record_the_losses_and_what_determined_them(project):
    metrics = ModelMetrics.read(project.results / VAE / "metrics.json")
    assert metrics.test.negative_elbo == pytest.approx(metrics.test.reconstruction + metrics.test.kl)
    assert metrics.settings.beta == 1 and metrics.seed == 0 and set(metrics.versions) >= {"torch", "python"}
    history = read_csv(project.results / VAE / "history.csv")
    assert history["epoch"] == [1] and set(history) >= {"train_kl", "validation_reconstruction"}


def test_the_numbers_on_the_page_are_those_in_the_metrics_files(project):
    losses = ModelMetrics.read(project.results / VAE / "metrics.json").test
    text = pdf_text(project.results / "report.pdf")
    for value in (losses.negative_elbo, losses.kl, losses.reconstruction_floor):
        assert f"{value:.1f}" in text


@pytest.mark.parametrize("suffix", ["json", "html", "svg"])
def test_results_hold_no_path_of_this_machine(project, suffix):
    paths = list(project.results.rglob(f"*.{suffix}"))
    assert paths
    for path in paths:
        assert str(project.root) not in path.read_text(), path


def test_a_second_run_has_nothing_to_do(project):
    assert "Nothing to be done" in project.snakemake().stdout


def test_another_working_directory_needs_only_the_settings_that_differ(project, tmp_path):
    arguments, config = ["-n", "--directory", tmp_path], tmp_path / "config.yaml"
    config.write_text("data_source: synthetic\nepochs: 1\nauthors: [{name: Ada}]\n")
    output = project.snakemake(*arguments, profile="profiles/default").stdout
    assert "Train lab8-vae" in output and "This was a dry-run" in output
    config.write_text("epoch: 1\n")
    process = project.snakemake(*arguments, profile="profiles/default", check=False)
    assert process.returncode != 0 and "epoch is not a key; did you mean epochs?" in process.stdout


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochz=1", "epochz is not a key; did you mean epochs?"),
        ("epochs=0", "epochs: must be at least 1, not 0"),
        ("batch_size=many", "batch_size: must be a whole number or null, not 'many'"),
        ("assignment=nope", "there is no assignment 'nope'"),
        ("discussion=nowhere.md", "discussion: nowhere.md: no such file or directory"),
        ("notebook_answers=nowhere.md", "notebook_answers: nowhere.md: no such file or directory"),
        (
            "notebook_answers=../../README.md",
            "notebook_answers: assignment summary has no notebook; choose one that has",
        ),
    ],
)
def test_a_wrong_setting_ends_in_one_sentence_before_any_job(project, setting, message):
    before = project.hashes()
    process = project.snakemake("--config", setting, check=False)
    last_line = process.stdout.strip().splitlines()[-1]
    assert process.returncode == 1 and last_line.startswith("latentlab: ") and message in last_line
    assert "Traceback" not in process.stdout and project.hashes() == before


def test_an_unknown_metric_in_the_discussion_leaves_the_report_as_it_was(project, tmp_path):
    discussion = tmp_path / "discussion.md"
    discussion.write_text("The bound is {{ vae.test.negative_elbo }} and {{ vae.test.nonsense }}.")
    report = (project.results / "report.pdf").read_bytes()
    process = project.snakemake("--config", f"discussion={discussion}", check=False)
    assert process.returncode == 1 and "line 1: there is no metric 'vae.test.nonsense'" in process.stdout
    assert "Traceback" not in process.stdout and (project.results / "report.pdf").read_bytes() == report
    discussion.write_text("The bound is **{{ vae.test.negative_elbo }}**.")
    project.snakemake("--config", f"discussion={discussion}")
    value = ModelMetrics.read(project.results / VAE / "metrics.json").test.negative_elbo
    assert f"<strong>{value:.4g}</strong>" in (project.results / "report.html").read_text()
    project.snakemake()


FORMAT_DIGESTS = {
    3: "a85f3748259984b2ac263af1e4a3445cd54d08ffb03d271c365434823598b674",
    4: "870681c6bc01c491f23f5bddf2b61e5ef2bd8d874cf4779ec374a049bf60c53b",
    5: "e7c141a036de64076b4bfaa8bf3a639732b966b1a11a3cc55e6f048b748bbebe",
    6: "05813bafe96cd8bfb6a798564efbec2ce0f8196feaf916234dc95db39e67afc0",
    7: "c62db1d37d61e78965e21ff7c5d72b30e1ace421e0a3ea681a8bfc483811862a",
}  # FORMAT → digest of the keys in the JSON files


def keys_of(value):
    """The keys of a JSON value, without what they hold; the keys of all items of a list together."""
    if isinstance(value, dict):
        return {"0" if key.isdigit() else key: keys_of(inner) for key, inner in value.items()}
    if isinstance(value, list):
        items = [keys_of(item) for item in value]
        return [{key: item[key] for item in items for key in item}] if items and isinstance(items[0], dict) else []
    return None


def merge_keys(a, b):
    """The keys of two files of one kind together."""
    if isinstance(a, dict) and isinstance(b, dict):
        return {key: merge_keys(a.get(key), b.get(key)) for key in a | b}
    if isinstance(a, list) and isinstance(b, list):
        return [merge_keys(*(items[0] if items else None for items in (a, b)))]
    return b if a is None else a


def test_results_with_other_keys_have_another_format(project):
    """If this fails because a results file has other keys than before: increase FORMAT in runtime/results.py, and enter
    the digest of its keys above."""
    folders = ("models", "sweeps", "pca_comparisons", "baselines", "data")
    keys = {}
    for path in sorted(path for folder in folders for path in (project.results / folder).rglob("*.json")):
        kind = path.name if path.parent.name != "data" else "record"
        keys[kind] = merge_keys(keys.get(kind), keys_of(read_json(path)))
    assert digest(keys) == FORMAT_DIGESTS[FORMAT], digest(keys)

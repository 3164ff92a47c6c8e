"""The whole pipeline on stand-in data, as the smoke profile makes it."""

import json
import os
import re
import subprocess
import sys
import zipfile

import pdfplumber
import pytest
from PIL import Image

from latentlab import files, provenance
from latentlab.files import read_csv, read_json

MODEL = "models/FashionMNIST/lab8-vae/d2/seed0"


def test_the_report_is_one_side_of_a4_and_says_what_it_was_made_on(project):
    with pdfplumber.open(project.made / "report.pdf") as pdf:
        assert len(pdf.pages) == 1 and (round(pdf.pages[0].width), round(pdf.pages[0].height)) == (595, 842)
        words = pdf.pages[0].extract_text()
        assert "not to be handed in" in words and "stand-in" in pdf.metadata["Title"]
    assert "STAND-IN DATA" in (project.made / "report.html").read_text()
    assert (project.made / "report-STAND-IN-DATA.pdf").read_bytes() == (project.made / "report.pdf").read_bytes()


def test_the_grid_is_588_pixels_square(project):
    for model in ("lab8-ae", "lab8-vae"):
        for name in ("grid.png", "grid-occupied.png"):
            image = Image.open(project.made / f"models/FashionMNIST/{model}/d2/seed0/{name}")
            assert image.size == (588, 588) and image.mode == "L"


def test_a_conditional_model_has_a_grid_for_each_chosen_label(project):
    folder = project.made / "models/MNIST/exercise4-cvae/d2/seed0"
    axes = read_json(folder / "conditions.json")
    assert Image.open(folder / "conditions.png").size == (588 * len(axes["labels"]), 588)
    assert not (folder / "grid.png").exists()


@pytest.mark.parametrize("model", ["exercise4-vae", "exercise4-cvae"])
def test_bounds_lie_below_the_exact_likelihood(project, model):
    found = read_json(project.made / f"models/MNIST/{model}/d2/seed0/metrics.json")["likelihood"]
    assert found["elbo"] < found["importance_weighted"] < found["log_likelihood"] + 0.01
    assert found["gap"] == pytest.approx(found["log_likelihood"] - found["elbo"]) and found["normalised"]


def test_the_notebook_ran_and_is_packed_with_what_it_needs(project):
    folder = project.made / "handins/exercise4/notebook"
    cells = read_json(folder / "cvae.ipynb")["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not any(output["output_type"] == "error" for output in outputs)
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 12
    html = (folder / "cvae.html").read_text()
    assert "not to be handed in" in html and "<math" in html and "<script" not in html
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html), "nothing is loaded from elsewhere"
    with zipfile.ZipFile(folder / "cvae.zip") as archive:
        names = set(archive.namelist())
    assert {"cvae.ipynb", "cvae.html", "contents.json", "requirements.txt", "latentlab/models.py"} <= names
    assert {f"runs/{name}/weights.safetensors" for name in ("vae", "cvae", "best")} <= names
    assert not any(name.startswith("resources") for name in names)


@pytest.mark.long
def test_the_unpacked_archive_reruns_by_itself(project, tmp_path):
    with zipfile.ZipFile(project.made / "handins/exercise4/notebook/cvae.zip") as archive:
        archive.extractall(tmp_path)
    before = read_json(tmp_path / "cvae.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "cvae.ipynb"]
    environment = {key: value for key, value in os.environ.items() if key not in ("LATENTLAB_DATA", "PYTHONPATH")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    said = [
        "".join("".join(output.get("text", "")) for output in cell.get("outputs", []))
        for notebook in (before, read_json(tmp_path / "cvae.ipynb"))
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
    assert said[: len(said) // 2] == said[len(said) // 2 :], "the same numbers again"


def test_the_sweep_has_every_dimension_beside_pca(project):
    sweep = read_json(project.made / "sweeps/MNIST/exercise4-vae/sweep.json")
    assert sweep["dims"] == [2, 4] and sweep["seeds"] == 1 and sweep["saturates"] in sweep["dims"]
    assert sweep["pca"][0] > sweep["pca"][1] > 0 and len(sweep["squared_error"]["mean"]) == 2


def test_a_linear_autoencoder_is_measured_beside_pca(project):
    linear, hidden = (
        read_json(project.made / f"subspaces/FashionMNIST/{model}/subspaces.json")
        for model in ("linear-ae", "squared-ae")
    )
    assert linear["dims"] == [2, 1024] and linear["rank"] <= 784 and linear["pca"] == hidden["pca"]
    assert linear["error"][0] > 0.99 * linear["pca"][0] > linear["pca"][1]
    assert 0 < linear["angle"][0] <= 90 and linear["angle"][1] is None and hidden["angle"] == [None, None]
    assert linear["noise"][0] > linear["noise"][1] > 0


def test_codes_and_pixels_are_projected(project):
    folder = project.made / "models/MNIST/lab10-cnn/d576/seed0"
    found = read_json(folder / "planes.json")
    assert (found["codes"]["dimensions"], found["pixels"]["dimensions"]) == (576, 784)
    for measured in found.values():
        assert 1 > measured["explained"][0] > measured["explained"][1] > 0
        assert measured["plane"]["neighbour_accuracy"]["mean"] < measured["full"]["neighbour_accuracy"]["mean"]
    assert Image.open(folder / "sheet.png").size == (2 * 16 * 28, 8 * 28)


@pytest.mark.parametrize("handin", ["lab10", "lab8-pca"])
def test_the_other_hand_ins_are_one_side_too(project, handin):
    with pdfplumber.open(project.made / f"handins/{handin}/{handin}.pdf") as pdf:
        assert len(pdf.pages) == 1
        words = pdf.pages[0].extract_text()
    assert all(dataset in words for dataset in ({"MNIST"} if handin == "lab10" else {"FashionMNIST", "MNIST"}))


def test_failures_lie_where_the_prior_has_mass(project):
    found = read_json(project.made / "models/MNIST/exercise4-vae/d2/seed0/failures.json")
    for failure in found["found"]:
        assert sum(z * z for z in failure["z"]) ** 0.5 <= 2.001
        assert failure["distance"] > found["scale"] if failure["kind"] == "far" else failure["confidence"] < 0.6


def test_a_conditional_model_answers_better_than_by_guessing(project):
    folder = project.made / "models/MNIST/exercise4-cvae/d2/seed0"
    found = read_json(folder / "classifier.json")
    assert set(found["methods"]) == {"elbo", "importance_weighted", "exact"} and found["grid_error"] < 0.1
    for answers in found["methods"].values():
        assert 0.2 < answers["accuracy"] <= 1 and 0 <= answers["auroc"] <= 1
        assert answers["tempered"]["accuracy"] == answers["accuracy"]
    wrong = found["mistakes"]
    assert Image.open(folder / "mistakes.png").size == (28 * len(wrong), 28)
    assert all(mistake["label"] != mistake["predicted"] for mistake in wrong)
    rivals = read_json(project.made / "baselines/MNIST.json")
    assert min(rivals[name]["accuracy"] for name in ("neighbours", "logistic", "cnn")) > 0.5


def test_metrics_tell_what_was_measured_and_on_what(project):
    metrics = read_json(project.made / MODEL / "metrics.json")
    test = metrics["test"]
    assert test["negative_elbo"] == pytest.approx(test["reconstruction"] + test["kl"])
    assert metrics["settings"]["beta"] == 1 and metrics["seed"] == 0 and set(metrics["versions"]) >= {"torch", "python"}
    history = read_csv(project.made / MODEL / "history.csv")
    assert history["epoch"] == [1] and set(history) >= {"train_kl", "validation_reconstruction"}


def test_numbers_on_the_page_are_the_measured_ones(project):
    test = read_json(project.made / MODEL / "metrics.json")["test"]
    with pdfplumber.open(project.made / "report.pdf") as pdf:
        words = pdf.pages[0].extract_text()
    for name in ("negative_elbo", "reconstruction", "kl"):
        assert f"{test[name]:.1f}" in words


def test_no_path_of_this_machine_is_in_what_is_handed_in(project):
    root = str(project.root)
    for path in [*project.made.rglob("*.json"), *project.made.rglob("*.html"), *project.made.rglob("*.svg")]:
        assert root not in path.read_text(), path


def test_a_second_run_has_nothing_to_do(project):
    assert "Nothing to be done" in project.snakemake().stdout


def test_another_folder_needs_only_what_differs(project, tmp_path):
    (tmp_path / "config.yaml").write_text("data_source: stand-in\nepochs: 1\nauthors: [{name: Ada}]\n")
    said = project.snakemake("-n", "--directory", str(tmp_path), profile="profiles/default").stdout
    assert "Train lab8-vae" in said and "This was a dry-run" in said
    (tmp_path / "config.yaml").write_text("epoch: 1\n")
    said = project.snakemake("-n", "--directory", str(tmp_path), profile="profiles/default", check=False)
    assert said.returncode != 0 and "epoch is not a key; did you mean epochs?" in said.stdout


@pytest.mark.parametrize(
    ("knob", "sentence"),
    [
        ("epochz=1", "epochz is not a key; did you mean epochs?"),
        ("epochs=0", "epochs: must be at least 1, not 0"),
        ("batch_size=many", "batch_size: must be a whole number or null, not 'many'"),
        ("handin=nope", "there is no hand-in 'nope'"),
        ("discussion=nowhere.md", "discussion: nowhere.md: no such file or directory"),
    ],
)
def test_a_mistake_ends_in_one_sentence_before_any_job(project, knob, sentence):
    before = project.hashes()
    done = project.snakemake("--config", knob, check=False)
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 1 and last.startswith("latentlab: ") and sentence in last
    assert "Traceback" not in done.stdout and project.hashes() == before


def test_an_unknown_figure_in_the_discussion_keeps_the_report(project, tmp_path):
    mine = tmp_path / "mine.md"
    mine.write_text("The bound is {{ vae.test.negative_elbo }} and {{ vae.test.nonsense }}.")
    report = (project.made / "report.pdf").read_bytes()
    done = project.snakemake("--config", f"discussion={mine}", check=False)
    assert done.returncode == 1 and "line 1: no figure is called 'vae.test.nonsense'" in done.stdout
    assert "Traceback" not in done.stdout and (project.made / "report.pdf").read_bytes() == report
    mine.write_text("The bound is **{{ vae.test.negative_elbo }}**.")
    project.snakemake("--config", f"discussion={mine}")
    value = json.loads((project.made / MODEL / "metrics.json").read_text())["test"]["negative_elbo"]
    assert f"<strong>{value:.4g}</strong>" in (project.made / "report.html").read_text()
    project.snakemake()


# FORMAT: the digest of what the JSON files hold
SHAPES = {1: "2b30aaabc27cb59158126aead6860c2bf9c4d0ab5cc377c759214bb322285715"}


def shape(value):
    """The keys of a JSON value, without what they hold; those of several items of a list together."""
    if isinstance(value, dict):
        return {"0" if key.isdigit() else key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        inner = [shape(one) for one in value]
        return [{key: one[key] for one in inner for key in one}] if inner and isinstance(inner[0], dict) else []
    return None


def merged(one, other):
    """Two shapes of files of one kind, as one."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: merged(one.get(key), other.get(key)) for key in one | other}
    if isinstance(one, list) and isinstance(other, list):
        return [merged(*(list_[0] if list_ else None for list_ in (one, other)))]
    return other if one is None else one


def test_results_of_another_shape_are_another_format(project):
    """If this fails because a file of results/ has other keys: raise files.FORMAT, and put its digest down above."""
    folders = ("models", "sweeps", "subspaces", "baselines", "data")
    paths = sorted(path for folder in folders for path in (project.made / folder).rglob("*.json"))
    found = {}
    for path in paths:
        kind = path.name if path.parent.name != "data" else "record"
        found[kind] = merged(found.get(kind), shape(read_json(path)))
    assert provenance.digest(found) == SHAPES[files.FORMAT], provenance.digest(found)

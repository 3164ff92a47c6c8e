from pathlib import Path

import msgspec
import pytest
import yaml
from builders import MNIST

from latentlab.records.assignment_file import RESERVED_NAMES, assignment_names
from latentlab.records.assignments import FigureSpec, Panel, load_assignment
from latentlab.records.datasets import DATASETS, get_dataset
from latentlab.records.runs import Run
from latentlab.runtime.errors import UserError

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "templates"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
VAE = {"config": "deep-vae", "label": "VAE"}
CVAE = {"config": "deep-cvae", "label": "CVAE"}
ASSIGNMENT = {
    "title": "T",
    "dataset": "MNIST",
    "models": {"vae": VAE},
    "figures": {"map": {"plot": "decoder_map", "models": ["vae"], "width": 50}},
}
VAE_RUN = "results/models/MNIST/deep-vae/d2/seed0"


def figure(plot="decoder_map", models=("vae",), width=50, **size):
    return {"figures": {"map": {"plot": plot, "models": list(models), "width": width} | size}}


def load(folder, config=CONFIG, **changes):
    """The assignment "mine" in `folder`, which differs from ASSIGNMENT by `changes`."""
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine/assignment.yaml").write_text(yaml.safe_dump(ASSIGNMENT | changes, sort_keys=False))
    return load_assignment(folder, "mine", config)


def test_the_assignments_of_the_repository_are_valid():
    assert {"summary", "lab8", "lab8-pca", "lab10", "exercise4", "plane"} <= set(assignment_names(TEMPLATES))
    for name in assignment_names(TEMPLATES):
        assignment = load_assignment(TEMPLATES, name, CONFIG)
        assert set(assignment.settings) <= set(CONFIG["models"]) and assignment.name == name


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (figure(models=["ae"]), "figures.map: 'ae' is not one of this assignment's models"),
        (figure(plot="pie"), "figures.map.plot: there is no figure 'pie'; the keys are"),
        (figure(plot="decodermap"), "figures.map.plot: there is no figure 'decodermap'; did you mean decoder_map?"),
        ({"dataset": "CIFAR"}, "dataset: 'CIFAR' is not one of"),
        ({"models": {"vae": VAE | {"dataset": "CIFAR"}}}, "dataset: 'CIFAR' is not one of"),
        ({"pdf": 2}, "pdf is not a key; the keys are title"),
        ({"sections": ["What differs"]}, "sections.0: must be text that matches ^([0-9]"),
        (figure(models=["vae", "vae"]), "figures.map.models: decoder_map shows one model, not 2"),
        (figure(plot="sweep"), "figures.map: 'vae' is not one of this assignment's sweeps, which sweep shows"),
        (
            figure(models=["s"]) | {"sweeps": {"s": VAE}},
            "figures.map: 's' is not one of this assignment's models, which decoder_map shows",
        ),
        (
            {"sweeps": {"s": VAE | {"metrics": ["sweep.json"]}}},
            "sweeps.s.metrics: only models have this key; remove it",
        ),
        (figure(width=187), "figures.map.width: must be at most 186, not 187"),
        (figure(height=271), "figures.map.height: must be at most 270, not 271"),
        (figure(models=[]), "figures.map.models: must have at least 1 item"),
        ({"title": ""}, "title: must have at least 1 character, not ''"),
        ({"models": {"a b": VAE}}, "models: must be text that matches ^[a-z][a-z0-9_]*$, not 'a b'"),
        ({"models": {"vae": {"label": "VAE"}}}, "config is missing in models.vae"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file_and_the_key(tmp_path, changes, sentence):
    with pytest.raises(UserError) as error:
        load(tmp_path, **changes)
    assert str(error.value).startswith(f"{tmp_path}/mine/assignment.yaml: {sentence}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("section", ["models", "sweeps", "pca_comparisons"])
@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_a_name_that_page_templates_use_is_refused(tmp_path, section, name):
    entries = {name: VAE} | (ASSIGNMENT["models"] if section == "models" else {})
    with pytest.raises(UserError) as error:
        load(tmp_path, **{section: entries})
    assert str(error.value) == (
        f"{tmp_path}/mine/assignment.yaml: {section}.{name}: page templates use this name themselves; choose another"
    )


@pytest.mark.parametrize(
    ("changes", "key", "first"),
    [
        ({"sweeps": {"vae": VAE}}, "sweeps.vae", "models.vae"),
        ({"pca_comparisons": {"vae": VAE}}, "pca_comparisons.vae", "models.vae"),
        ({"sweeps": {"dims": VAE}, "pca_comparisons": {"dims": VAE}}, "pca_comparisons.dims", "sweeps.dims"),
    ],
)
def test_a_name_that_is_given_twice_is_refused(tmp_path, changes, key, first):
    with pytest.raises(UserError) as error:
        load(tmp_path, **changes)
    assert str(error.value) == (
        f"{tmp_path}/mine/assignment.yaml: {key}: {first} has this name already; choose another"
    )


def test_an_unknown_metrics_file_is_refused(tmp_path):
    with pytest.raises(UserError) as error:
        load(tmp_path, models={"vae": VAE | {"metrics": ["metrics.json", "metric.json"]}})
    assert str(error.value).startswith(
        f"{tmp_path}/mine/assignment.yaml: models.vae.metrics: 'metric.json' is not one of metrics.json, plane.json,"
    )


def test_a_model_config_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match=r"config: models\.deep-vea does not exist; did you mean deep-vae\?"):
        load(tmp_path, models={"vae": VAE | {"config": "deep-vea"}})


def test_an_assignment_that_is_not_there_is_named(tmp_path):
    load(tmp_path)
    with pytest.raises(UserError, match=r"config: assignment: there is no assignment 'yours'; templates/ has mine"):
        load_assignment(tmp_path, "yours", CONFIG)


@pytest.mark.parametrize(
    ("changes", "place", "setting"),
    [
        ({"models": {"vae": VAE | {"config": "lab10-cnn"}}}, "figure map (grid.png)", "latent_dim: 2"),
        ({"models": {"vae": CVAE}}, "figure map (grid.png)", "conditional: false"),
        (figure("conditions"), "figure map (conditions.png)", "conditional: true"),
        (figure("embeddings") | {"models": {"vae": VAE | {"config": "lab10-cnn"}}}, "figure map", "latent_dim: 2"),
        (
            figure("posteriors") | {"models": {"vae": VAE | {"config": "deep-ae"}}},
            "(posteriors.npz)",
            "family: vae or exact",
        ),
        ({"models": {"vae": VAE | {"metrics": ["classifier.json"]}}}, "classifier.json", "conditional: true"),
    ],
)
def test_a_model_that_does_not_suit_what_is_shown_of_it_is_refused(tmp_path, changes, place, setting):
    with pytest.raises(UserError) as error:
        load(tmp_path, **changes)
    message = str(error.value)
    assert message.startswith("config: models.") and f"{place}, which needs {setting}; change it back" in message
    assert message.endswith(f"{tmp_path}/mine/assignment.yaml")


@pytest.mark.parametrize(
    "display",
    [
        figure("conditions", ["cvae"]),
        {"figures": {}, "models": {"cvae": CVAE | {"metrics": ["conditions.json"]}}},
    ],
    ids=["map", "metrics"],
)
def test_conditions_that_are_not_labels_are_refused_where_they_are_shown(tmp_path, monkeypatch, display):
    changes = {"models": {"cvae": CVAE}} | display
    load(tmp_path, **changes)
    with pytest.raises(UserError) as error:
        load(tmp_path, config=CONFIG | {"conditions": [2, 10]}, **changes)
    assert str(error.value) == "config: conditions: 10 is not a label of MNIST; its labels are 0 to 9"
    monkeypatch.setitem(DATASETS, "MNIST", msgspec.structs.replace(MNIST, classes=("a", "b", "c")))
    with pytest.raises(UserError, match="config: conditions: 8 is not a label of MNIST; its labels are 0 to 2"):
        load(tmp_path, **changes)
    load(tmp_path, models={"cvae": CVAE}, figures={})


@pytest.mark.parametrize(
    ("changes", "place", "setting"),
    [
        ({"sweeps": {"s": {"config": "deep-ae", "label": "AE"}}}, "the sweep s", "family: vae or exact"),
        ({"pca_comparisons": {"p": CVAE}}, "the comparison p with PCA", "conditional: false"),
    ],
)
def test_a_sweep_needs_a_vae_and_a_comparison_with_pca_an_unconditional_model(tmp_path, changes, place, setting):
    with pytest.raises(UserError, match=f"shows it in {place}, which needs {setting}; change it back"):
        load(tmp_path, **changes)


def test_the_ood_partner_of_a_classifier_s_data_has_images_of_the_same_shape(tmp_path, monkeypatch):
    partner = msgspec.structs.replace(DATASETS["FashionMNIST"], image_shape=(12, 20))
    monkeypatch.setitem(DATASETS, "FashionMNIST", partner)
    load(tmp_path)
    with pytest.raises(UserError, match="dataset MNIST: the images of its ood_partner FashionMNIST have another shape"):
        load(tmp_path, models={"vae": CVAE}, figures={})


def test_a_title_of_spaces_is_none(tmp_path):
    config = CONFIG | {"assignment": "mine"}
    assert load(tmp_path).page_title(config | {"title": "  "}) == "T"
    assert load(tmp_path).page_title(config | {"title": "My title"}) == "My title"


def test_a_figure_may_have_any_name(tmp_path, monkeypatch):
    monkeypatch.setitem(DATASETS, "MNIST", msgspec.structs.replace(MNIST, classes=("a", "b", "c")))
    load(tmp_path, figures={"conditions": ASSIGNMENT["figures"]["map"]})


def test_a_model_has_the_data_of_the_assignment_unless_it_has_its_own(tmp_path):
    assignment = load(
        tmp_path,
        models={"here": VAE, "there": VAE | {"dataset": "FashionMNIST"}},
        pca_comparisons={"flat": {"config": "linear-ae", "label": "C"}},
        figures={},
    )
    datasets = {name: assignment.dataset_of(name) for name in assignment.entries}
    assert datasets == {"here": "MNIST", "there": "FashionMNIST", "flat": "MNIST"}
    assert assignment.data_records() == ["results/data/MNIST.json", "results/data/FashionMNIST.json"]
    assert assignment.plane_models() == ["here"]


def test_sections_are_their_numbers_and_headings_in_order(tmp_path):
    assignment = load(tmp_path, sections=["2.1 The first", "1 Another", "A The last"])
    assert list(assignment.sections.items()) == [("2.1", "The first"), ("1", "Another"), ("A", "The last")]


def test_files_lie_in_the_folders_of_runs_sweeps_and_comparisons(tmp_path):
    assignment = load(tmp_path, sweeps={"dims": VAE}, pca_comparisons={"flat": VAE})
    assert assignment.run("vae") == Run(dataset="MNIST", model="deep-vae", latent_dim=2, seed=0)
    assert assignment.file("vae", "codes.npz") == f"{VAE_RUN}/codes.npz"
    assert assignment.file("vae", "baselines.json") == "results/baselines/MNIST.json"
    assert assignment.file("dims", "sweep.json") == "results/sweeps/MNIST/deep-vae/sweep.json"
    assert assignment.file("flat", "pca_comparison.json") == (
        "results/pca_comparisons/MNIST/deep-vae/pca_comparison.json"
    )


def test_runs_are_those_of_the_models_that_meet_the_requirements(tmp_path):
    models = {
        "vae": VAE,
        "cvae": CVAE,
        "cnn": {"config": "lab10-cnn", "label": "CNN"},
        "best": {"config": "best-cvae", "label": "B"},
    }
    assignment = load(tmp_path, models=models, sweeps={"dims": VAE})
    configs = {
        requirements: [run.model for run in assignment.runs(*requirements)]
        for requirements in [(), ("plane",), ("conditional", "generative"), ("plane", "unconditional"), ("generative",)]
    }
    assert configs == {
        (): ["deep-vae", "deep-cvae", "lab10-cnn", "best-cvae"],
        ("plane",): ["deep-vae", "deep-cvae"],
        ("conditional", "generative"): ["deep-cvae", "best-cvae"],
        ("plane", "unconditional"): ["deep-vae"],
        ("generative",): ["deep-vae", "deep-cvae", "best-cvae"],
    }


def test_a_figure_is_drawn_from_the_files_that_its_declaration_names(tmp_path):
    assignment = load(tmp_path, **figure("embeddings", height=20))
    assert assignment.figure_inputs() == [("vae", "codes.npz")]
    assert assignment.figure_files() == ["results/reports/mine/figures/map.svg"]
    panel = Panel(label="VAE", generative=True, files={"codes.npz": f"{VAE_RUN}/codes.npz"})
    assert assignment.figure_specs(CONFIG | {"embedding_points": 7}) == [
        FigureSpec(
            name="map",
            plot="embeddings",
            panels=(panel,),
            dataset=get_dataset("MNIST"),
            width=50,
            height=20,
            options={"split": "train", "points": 7},
        )
    ]


def test_the_page_quotes_what_its_models_have_unless_it_names_its_metrics(tmp_path):
    assignment = load(
        tmp_path,
        models={"vae": VAE, "cvae": CVAE, "one": VAE | {"metrics": ["augmentation.json"]}},
        sweeps={"dims": VAE},
        pca_comparisons={"flat": VAE},
        figures={
            "failures": {"plot": "failures", "models": ["vae"], "width": 50},
            "confusion": {"plot": "confusion", "models": ["cvae"], "width": 50},
            "maps": {"plot": "conditions", "models": ["cvae"], "width": 50},
        },
    )
    assert assignment.page_metrics() == {
        "dims": ("sweep.json",),
        "flat": ("pca_comparison.json",),
        "vae": ("metrics.json", "plane.json", "failures.json"),
        "cvae": ("metrics.json", "conditions.json", "classifier.json", "baselines.json"),
        "one": ("augmentation.json",),
    }


def test_a_report_has_an_explorer_if_there_is_a_plane(tmp_path):
    assignment = load(tmp_path)
    folder = "results/reports/mine"
    assert assignment.report_files() == [f"{folder}/mine.html", f"{folder}/mine.pdf", f"{folder}/explorer.html"]
    assert assignment.published_files() == {
        "report.html": f"{folder}/mine.html",
        "report.pdf": f"{folder}/mine.pdf",
        "explorer.html": f"{folder}/explorer.html",
    }
    cnn = load(tmp_path, models={"cnn": {"config": "lab10-cnn", "label": "CNN"}}, figures={})
    assert cnn.report_files() == [f"{folder}/mine.html", f"{folder}/mine.pdf"]


def test_the_title_and_the_discussion_of_the_config_are_those_of_the_chosen_assignment(tmp_path):
    assignment = load(tmp_path)
    chosen = CONFIG | {"assignment": "mine", "title": "Mine", "discussion": "mine.md"}
    assert assignment.page_title(chosen) == "Mine" and assignment.own_text(chosen, "discussion") == ["mine.md"]
    assert assignment.page_title(chosen | {"title": None}) == "T"
    other = chosen | {"assignment": "lab8"}
    assert assignment.page_title(other) == "T" and assignment.own_text(other, "discussion") == []


def test_what_is_attached_makes_the_report_again(tmp_path):
    """The settings name the student's own text as it is attached, wherever it lay."""
    assignment, folder = load(tmp_path), "results/reports/mine"
    chosen = CONFIG | {"assignment": "mine", "discussion": "../texts/my text.txt"}
    expected = {name: f"{folder}/{name}" for name in ("config.yaml", "provenance.json")}
    assert assignment.attachments(chosen) == expected | {"discussion.md": "../texts/my text.txt"}
    assert assignment.page_settings(chosen)["discussion"] == "discussion.md"
    assert assignment.attachments(CONFIG) == expected and "discussion" not in assignment.page_settings(CONFIG)
    assert expected.items() < assignment.submission_members(chosen).items() and "discussion.md" in (
        assignment.submission_members(chosen)
    )


def test_the_settings_of_a_page_are_those_that_its_numbers_depend_on(tmp_path):
    settings = load(tmp_path).page_settings(CONFIG)
    assert list(settings["models"]) == ["deep-vae"]
    assert settings["models"]["deep-vae"]["epochs"] == 60 and settings["models"]["deep-vae"]["beta"] == 1.0
    assert settings == load(tmp_path).page_settings(CONFIG | {"data_dir": "/data", "device": "cpu"})
    assert settings != load(tmp_path).page_settings(CONFIG | {"grid_samples": 3})
    typed, short = (CONFIG | {"authors": [{"name": "A", **rest}]} for rest in ({"id": None, "email": None}, {}))
    assert load(tmp_path).page_settings(typed) == load(tmp_path).page_settings(short)
    assert load(tmp_path).page_settings(short)["authors"] == [{"name": "A"}]
    fewer_epochs = CONFIG | {"epochs": 1}
    assert load(tmp_path, config=fewer_epochs).page_settings(fewer_epochs)["models"]["deep-vae"]["epochs"] == 1
    assert list(settings) == sorted(settings)


def test_a_submission_holds_the_report_the_notebooks_and_the_metrics(tmp_path):
    load(tmp_path)
    (tmp_path / "mine/cvae.md.j2").write_text("# Notebook\n")
    assignment = load(tmp_path)
    folder = "results/reports/mine"
    notebook = [f"{folder}/notebook/cvae{suffix}" for suffix in (".ipynb", ".html", ".zip", "-library.zip")]
    assert assignment.notebooks == ("cvae",) and assignment.notebook_files() == notebook
    members = assignment.submission_members(CONFIG)
    assert members["mine.pdf"] == f"{folder}/mine.pdf" and members["notebook/cvae.ipynb"] == notebook[0]
    assert "notebook/cvae.zip" in members and "notebook/cvae-library.zip" not in members
    assert members["metrics/vae/plane.json"] == f"{VAE_RUN}/plane.json"
    assert all(members[name] == f"{folder}/{name}" for name in ("config.yaml", "provenance.json"))
    assert ("vae", "weights.safetensors") in assignment.archive_parts()
    assert {("vae", "grid.png"), ("vae", "metrics.json")} < set(assignment.archive_parts())

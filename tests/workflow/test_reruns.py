"""What a change makes the pipeline do again: exactly the jobs that depend on it."""

import os
from contextlib import ExitStack, contextmanager

import pytest

PAGE = {"render_html", "print_pdf", "publish_report"}
PAGE_AND_NOTEBOOK = {"build_notebook"} | PAGE


def plots_and_pages(*assignments):
    """The jobs that follow when the figures of these assignments are drawn again."""
    return {f"plot_{assignment}" for assignment in assignments} | PAGE_AND_NOTEBOOK


FIGURES = plots_and_pages("exercise4", "lab10", "lab8", "lab8-pca", "plane", "summary")
FROM_WEIGHTS = {
    "evaluate_model",
    "decode_plane",
    "decode_conditions",
    "find_failures",
    "compute_posteriors",
    "evaluate_sweep_point",
    "collect_sweep",
    "classify_images",
    "detect_ood_images",
    "project_latents",
    "compare_with_pca",
    "evaluate_augmentation",
    "export_explorer",
} | FIGURES
FROM_NOTEBOOK = {"run_notebook", "store_notebook_model"}
FROM_NOTEBOOK_WEIGHTS = FROM_NOTEBOOK | {
    "evaluate_model",
    "find_failures",
    "compute_posteriors",
    "classify_images",
    "export_explorer",
}
ONLY_NOTEBOOK_MODELS = {"decode_conditions", "find_failures"}
FROM_EVALUATION = {
    "evaluate_model",
    "decode_plane",
    "decode_conditions",
    "project_latents",
    "export_explorer",
}
FROM_CLASSIFICATION = {"classify_images", "detect_ood_images"}
FROM_REFERENCE_CLASSIFIER = {
    "train_reference_classifier",
    "evaluate_baselines",
    "decode_plane",
    "find_failures",
    "evaluate_sweep_point",
    "collect_sweep",
}
FROM_TRAINING = {"train_model"} | FROM_WEIGHTS
FROM_DATA = FROM_TRAINING | FROM_NOTEBOOK | {"train_reference_classifier", "evaluate_baselines"}
PLANE_FIGURES = plots_and_pages("exercise4", "lab8", "plane", "summary")
FROM_LATENT_PLANE = {"decode_plane", "find_failures"} | PLANE_FIGURES


@contextmanager
def edited(path, old, new):
    """The file with `old` replaced by `new`; afterwards it is as before, including its modification time."""
    text, status = path.read_text(), path.stat()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(text)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


EDITS = {
    "a colour": ("matplotlibrc", '"3f90da"', '"123456"', FIGURES | {"export_explorer"}),
    "a page's template": ("templates/summary/page.html.j2", "Task and model", "Model and task", PAGE),
    "the text of a notebook": ("templates/exercise4/cvae.md.j2", "## 1 VAE", "## 1 The VAE", {"build_notebook"}),
    "a cell of a notebook": (
        "templates/exercise4/cvae.py",
        "alpha=0.6",
        "alpha=0.5",
        FROM_NOTEBOOK_WEIGHTS
        | {"decode_plane", "decode_conditions"}
        | plots_and_pages("exercise4") - {"publish_report"},
    ),
    "the style of all pages": ("templates/base.css", "#1b4f82", "#1b4f83", PAGE),
    "a metric of the plane": (
        "workflow/latentlab/metrics/latent_plane.py",
        "N_PATHS, N_STEPS = 100",
        "N_PATHS, N_STEPS = 99",
        FROM_LATENT_PLANE,
    ),
    "the optimiser": (
        "workflow/latentlab/models/train.py",
        "fused=True",
        "fused=False",
        FROM_DATA - FROM_NOTEBOOK - {"decode_conditions"},
    ),
    "the printing": (
        "workflow/latentlab/report/pdf.py",
        "range(85, 101)",
        "range(86, 101)",
        PAGE_AND_NOTEBOOK - {"render_html"},
    ),
    "a constant that several scripts import": (
        "workflow/latentlab/metrics/bounds.py",
        "ELBO_SAMPLES = 10",
        "ELBO_SAMPLES = 11",
        FROM_WEIGHTS - {"find_failures", "compare_with_pca", "evaluate_augmentation"} | {"evaluate_baselines"},
    ),
    "a script": ("workflow/scripts/plot_figures.py", "strict=True", "strict=False", FIGURES - {"build_notebook"}),
    "a comment in a rule file": ("workflow/rules/train.smk", "# Training:", "# This is training:", set()),
    "the message of a rule": ("workflow/rules/train.smk", '"Train {', '"Now train {', set()),
    "the documentation": ("README.md", "latentlab", "Latentlab", set()),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_reruns_what_depends_on_it(project, edit):
    name, old, new, expected = EDITS[edit]
    with edited(project.root / name, old, new):
        assert set(project.planned_jobs()) == expected


def test_comments_and_docstrings_rerun_nothing(project):
    modules = list(project.root.glob("workflow/latentlab/**/*.py"))
    with ExitStack() as stack:
        for path in [*modules, *project.root.glob("workflow/scripts/*.py")]:
            text = path.read_text()
            changed = text.replace('"""', '"""Changed: ', 1) if path in modules else text
            stack.enter_context(edited(path, text, f"# A comment.\n{changed}"))
        assert project.planned_jobs() == {}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("learning_rate=0.002", FROM_TRAINING | FROM_NOTEBOOK),
        ("epochs=2", FROM_TRAINING | FROM_NOTEBOOK),
        ("precision=float32", FROM_TRAINING - ONLY_NOTEBOOK_MODELS),  # a notebook always uses that
        ("embedding_points=500", plots_and_pages("exercise4", "lab8", "lab8-pca", "summary")),
        ("grid_samples=11", {"decode_plane", "decode_conditions"} | FROM_NOTEBOOK_WEIGHTS | PLANE_FIGURES),
        ("condition_samples=5", {"decode_conditions"} | plots_and_pages("exercise4")),
        ("training_size=2000", FROM_DATA | {"fetch_data"}),
        ("quadrature_tolerance=0.1", FROM_EVALUATION | FROM_CLASSIFICATION | {"compute_posteriors"} | FIGURES),
        ("likelihood_samples=5", FROM_EVALUATION | {"evaluate_sweep_point", "collect_sweep"} | FIGURES),
        ("classifier_samples=3", FROM_CLASSIFICATION | plots_and_pages("exercise4", "summary")),
        ("reference_classifier_epochs=3", FROM_REFERENCE_CLASSIFIER | PLANE_FIGURES),
        ("augmentation_seeds=2", {"evaluate_augmentation"} | PAGE_AND_NOTEBOOK),
        ("title=Mine", PAGE | {"export_explorer"}),
        ("course=Mine", PAGE_AND_NOTEBOOK),
        ("seed=0", set()),  # the models' own value: it counts what a setting is, not where it is written
    ],
)
def test_a_setting_reruns_what_depends_on_it(project, setting, expected):
    # --config on the command line replaces nothing in the settings file of the profile
    assert set(project.planned_jobs("--config", setting)) == expected


def test_a_setting_of_one_model_reruns_that_model_alone(project, tmp_path):
    (tmp_path / "wider.yaml").write_text("models: {lab8-ae: {hidden: [64]}}\n")
    jobs = project.planned_jobs("--configfile", "profiles/smoke/settings.yaml", str(tmp_path / "wider.yaml"))
    assert jobs["train_model"] == jobs["evaluate_model"] == jobs["decode_plane"] == 1


def test_other_data_rerun_everything_that_uses_them(project):
    record = project.results / "data/FashionMNIST.json"
    with edited(record, '"validation_size": 500', '"validation_size": 499'):
        mnist_only = {"plot_lab10", "plot_plane", "decode_conditions", "find_failures", "project_latents"}
        mnist_only |= {"compute_posteriors", "plot_exercise4", "build_notebook"}
        assert set(project.planned_jobs()) == FROM_DATA - FROM_NOTEBOOK - mnist_only
    with edited(project.root / "workflow/latentlab/data/synthetic.py", "CANVAS = 56", "CANVAS = 54"):
        assert set(project.planned_jobs()) == FROM_DATA | {"fetch_data"}


def test_published_data_from_another_folder_are_the_same_data(project):
    """Once published data are there, neither another folder nor another source is a change."""
    with ExitStack() as stack:
        for dataset in ("MNIST", "FashionMNIST"):
            record = project.results / f"data/{dataset}.json"
            stack.enter_context(edited(record, '"source": "synthetic"', '"source": "published"'))
        for settings in (["data_source=auto"], ["data_source=auto", "data_dir=/elsewhere"], ["data_source=local"]):
            assert "fetch_data" not in project.planned_jobs("--config", *settings)
        assert "fetch_data" in project.planned_jobs("--config", "data_source=synthetic", "data_dir=/elsewhere")

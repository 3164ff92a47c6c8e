"""What a change makes the pipeline do again: exactly what depends on it."""

from contextlib import ExitStack, contextmanager

import pytest

PAGE = {"render_html", "print_pdf", "publish_report"}
TEXT = {"write_notebook"} | PAGE


def figures(*handins):
    """The jobs that follow when these hand-ins' figures are drawn anew."""
    return {f"plot_{handin}" for handin in handins} | TEXT


FIGURES = figures("exercise4", "lab10", "lab8", "lab8-pca", "summary")
OF_A_MODEL = {
    "explore_model",
    "map_plane",
    "decode_conditions",
    "find_failures",
    "trace_posteriors",
    "collect_sweep",
    "classify_images",
    "project_codes",
    "measure_subspaces",
    "measure_augmentation",
    "write_explorer",
} | FIGURES
OF_EXPLORING = {
    "explore_model",
    "map_plane",
    "decode_conditions",
    "project_codes",
    "collect_sweep",
    "trace_posteriors",
    "write_explorer",
}
OF_THE_JUDGE = {"train_judge", "measure_baselines", "find_failures", "collect_sweep"}
TRAINING = {"train_model"} | OF_A_MODEL
ANALYSIS = {
    "explore_model",
    "map_plane",
    "decode_conditions",
    "find_failures",
    "collect_sweep",
    "classify_images",
    "measure_baselines",
    "measure_subspaces",
    "project_codes",
    "write_explorer",
} | FIGURES


@contextmanager
def edited(path, old, new):
    """The file with `old` replaced for a while; afterwards as it was, its time included."""
    import os

    text, times = path.read_text(), path.stat()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(text)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


CHANGES = {
    "a colour": ("matplotlibrc", '"3f90da"', '"123456"', FIGURES | {"write_explorer"}),
    "a page's template": ("templates/summary/page.html.j2", "Task and model", "Model and task", PAGE),
    "the shared style": ("templates/base.css", "#1b4f82", "#1b4f83", PAGE),
    "the library's analysis": ("workflow/latentlab/analysis.py", "PAIRS, STEPS = 100", "PAIRS, STEPS = 99", ANALYSIS),
    "the library's training": (
        "workflow/latentlab/training.py",
        "fused=True",
        "fused=False",
        TRAINING | {"train_judge", "measure_baselines"},
    ),
    "the printer": ("workflow/latentlab/report.py", "range(85, 101)", "range(86, 101)", TEXT | {"write_explorer"}),
    "a comment in a rule file": ("workflow/rules/train.smk", "# Training:", "# This is training:", set()),
    "a word in a rule's message": ("workflow/rules/train.smk", '"Train {', '"Now train {', set()),
    "the documentation": ("README.md", "latentlab", "Latentlab", set()),
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_edit_reruns_what_depends_on_it(project, what):
    name, old, new, expected = CHANGES[what]
    with edited(project.root / name, old, new):
        assert set(project.would_run()) == expected
    assert project.would_run() == {}


@pytest.mark.parametrize(
    ("knob", "expected"),
    [
        ("learning_rate=0.002", TRAINING),
        ("epochs=2", TRAINING),
        ("embedding_points=500", figures("exercise4", "lab8", "lab8-pca", "summary")),
        ("grid_samples=11", {"map_plane", "decode_conditions"} | figures("exercise4", "lab8", "summary")),
        ("training_size=2000", TRAINING | {"fetch_data", "train_judge", "measure_baselines"}),
        ("likelihood_grid=50", OF_EXPLORING | FIGURES),
        ("likelihood_samples=5", OF_EXPLORING - {"trace_posteriors"} | FIGURES),
        ("classifier_samples=3", {"classify_images"} | figures("exercise4", "summary")),
        ("classifier_grid=25", {"classify_images"} | figures("exercise4", "summary")),
        ("judge_epochs=3", OF_THE_JUDGE | figures("exercise4", "summary")),
        ("augmentation_seeds=2", {"measure_augmentation"} | TEXT),
        ("title=Mine", PAGE | {"write_explorer"}),
        ("course=Mine", TEXT),
        ("seed=0", set()),  # as the models have it: a value counts, not where it is written
    ],
)
def test_a_knob_reruns_what_depends_on_it(project, knob, expected):
    # the command line's --config takes the place of none of the profile's settings file
    assert set(project.would_run("--config", knob)) == expected


def test_one_model_s_setting_reruns_that_model_alone(project, tmp_path):
    (tmp_path / "wider.yaml").write_text("models: {lab8-ae: {hidden: [64]}}\n")
    jobs = project.would_run("--configfile", "profiles/smoke/settings.yaml", str(tmp_path / "wider.yaml"))
    assert jobs["train_model"] == jobs["explore_model"] == jobs["map_plane"] == 1


def test_other_data_rerun_everything_and_the_same_bytes_nothing(project):
    record = project.made / "data/FashionMNIST.json"
    with edited(record, '"stand-in"', '"stand-in "'):
        on_these = TRAINING - {"plot_lab10", "decode_conditions", "find_failures", "project_codes", "trace_posteriors"}
        also = {"train_judge", "measure_baselines", "measure_subspaces", "measure_augmentation"}
        assert set(project.would_run()) == on_these | also
    with edited(project.root / "workflow/latentlab/standin.py", "CANVAS = 56", "CANVAS = 54"):
        assert set(project.would_run()) == TRAINING | {"fetch_data", "train_judge", "measure_baselines"}


def test_published_data_from_another_folder_are_the_same_data(project):
    """Once published data are here, neither another folder nor another way to them is a change."""
    with ExitStack() as stack:
        for dataset in ("MNIST", "FashionMNIST"):
            record = project.made / f"data/{dataset}.json"
            stack.enter_context(edited(record, '"source": "stand-in"', '"source": "published"'))
        for knob in (["data_source=auto"], ["data_source=auto", "data_dir=/elsewhere"], ["data_source=local"]):
            assert "fetch_data" not in project.would_run("--config", *knob)
        assert "fetch_data" in project.would_run("--config", "data_source=stand-in", "data_dir=/elsewhere")

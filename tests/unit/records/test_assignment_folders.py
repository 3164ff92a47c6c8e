"""Folders that somebody adds to templates/: any reasonable name works, and mistakes are one sentence."""

import re
import shutil

import pytest
import yaml
from projects import ROOT, copy_source, run_snakemake, user_messages

from latentlab.records.assignment_file import assignment_names
from latentlab.records.assignments import load_assignment
from latentlab.records.config import check_config
from latentlab.runtime.errors import UserError

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
NAMES = ["lab9.1", "übung", "my lab", "Lab (2) & #3"]
ASSIGNMENT = """
title: T
dataset: MNIST
models:
  vae: {config: deep-vae, label: VAE}
figures:
  grid: {plot: decoder_map, models: [vae], width: 50}
"""


def add_folder(templates, name, text=ASSIGNMENT, notebook=None):
    folder = templates / name
    folder.mkdir(parents=True)
    (folder / "assignment.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    if notebook:
        (folder / notebook).write_text("# Notebook\n")
        (folder / notebook.replace(".md.j2", ".py")).write_text("# %% all\n")
    return load_assignment(templates, name, CONFIG)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_results_are_named_after_the_folder(tmp_path, name):
    assignment = add_folder(tmp_path, name, notebook="my notes 1.0.md.j2")
    folder = f"results/reports/{name}"
    assert assignment.report_files() == [f"{folder}/{name}.html", f"{folder}/{name}.pdf", f"{folder}/explorer.html"]
    assert list(assignment.published_files()) == ["report.html", "report.pdf", "explorer.html"]
    assert assignment.notebook_files()[0] == f"{folder}/notebook/my notes 1.0.ipynb"
    members = assignment.submission_members(CONFIG)
    assert members[f"{name}.pdf"] == f"{folder}/{name}.pdf" and "explorer.html" in members
    assert re.fullmatch(r"plot_[\w.-]+", assignment.plot_rule)
    check_config(CONFIG | {"assignment": name})


@pytest.mark.parametrize("name", ["r", "html", "report"])
def test_the_published_files_of_a_name_that_is_part_of_theirs(tmp_path, name):
    published = add_folder(tmp_path, name).published_files()
    assert list(published) == ["report.html", "report.pdf", "explorer.html"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("lab{1}", "may not contain {"),
        ("a,b", "may not contain ,"),
        ("a:b", "may not contain :"),
        ("a=b", "may not contain ="),
        ("it's", "may not contain '"),
        ('a "b"', 'may not contain "'),
        ("$HOME", "may not contain $"),
        ("`id`", "may not contain `"),
        ("a\\b", "may not contain \\"),
        ("-n", "the first no hyphen"),
        ("a\nb", "all of them printable"),
        ("a\u202eb", "all of them printable"),
        ("x" * 101, "at most 100 characters"),
        ("explorer", "holds what all assignments share"),
        ("notebook", "holds what all assignments share"),
    ],
)
def test_a_name_that_snakemake_could_not_handle_is_refused_in_one_sentence(tmp_path, name, reason):
    with pytest.raises(UserError) as error:
        add_folder(tmp_path, name)
    message = str(error.value)
    assert message.startswith(f"{tmp_path}/") and reason in message and "\n" not in message and len(message) < 300


def test_a_notebook_that_snakemake_could_not_handle_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(UserError) as error:
        add_folder(tmp_path, "mine", notebook="part {a}.md.j2")
    assert str(error.value) == (
        f"{tmp_path}/mine/part {{a}}.md.j2: its name may not contain {{, because results are named after it; rename it"
    )


def test_a_hidden_folder_is_no_assignment(tmp_path):
    add_folder(tmp_path, "mine")
    shutil.copytree(tmp_path / "mine", tmp_path / ".ipynb_checkpoints")
    assert assignment_names(tmp_path) == ["mine"]


@pytest.mark.parametrize("name", ["../templates/lab8", "lab8/", ".lab8", "lab\n8", ""])
def test_the_config_accepts_no_path_as_the_name_of_an_assignment(name):
    with pytest.raises(UserError, match="config: assignment: must be the name of a folder of templates/, not '"):
        check_config(CONFIG | {"assignment": name})


def test_no_other_folder_can_be_reached_by_the_name_of_an_assignment(tmp_path):
    add_folder(tmp_path / "elsewhere", "mine")
    add_folder(tmp_path / "templates", "mine")
    with pytest.raises(UserError, match=r"there is no assignment '\.\./elsewhere/mine'; templates/ has mine"):
        load_assignment(tmp_path / "templates", "../elsewhere/mine", CONFIG)


# --- mistakes in assignment.yaml --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ASSIGNMENT + "  twice: [1,\n", r" line \d+: not valid YAML \(.*\); compare it with the original file"),
        (ASSIGNMENT.replace("title: T", "\ttitle: T"), r" line 2: not valid YAML \(.*\); compare it with .*"),
        (ASSIGNMENT.replace("title: T", "title: Übung").encode("latin-1"), " not UTF-8 text; save it as UTF-8"),
        (ASSIGNMENT + "title: again\n", " line 2: the key title occurs twice in one table; keep one of them"),
        ("- 1\n", r" line 1: not a table of settings; .*"),
        ("", " title is missing in the top level"),
        (
            ASSIGNMENT.replace("decoder_map", "decodermap"),
            r" figures\.grid\.plot: there is no figure 'decodermap'; did you mean decoder_map\?",
        ),
        (ASSIGNMENT + "titel: T\n", r" titel is not a key; did you mean title\?"),
        (
            ASSIGNMENT.replace("width: 50", "width: 50, heigth: 9"),
            r" heigth is not a key in figures\.grid; did you mean height\?",
        ),
        (
            ASSIGNMENT.replace("label: VAE", "label: VAE, metrcs: []"),
            r" metrcs is not a key in models\.vae; did you mean metrics\?",
        ),
    ],
    ids=[
        "not closed",
        "tab",
        "Latin-1",
        "a key twice",
        "list",
        "empty",
        "figure",
        "key",
        "figure's key",
        "model's key",
    ],
)
def test_a_mistake_in_assignment_yaml_is_one_sentence(tmp_path, text, sentence):
    with pytest.raises(UserError) as error:
        add_folder(tmp_path, "mine", text)
    assert re.fullmatch(re.escape(f"{tmp_path}/mine/assignment.yaml:") + sentence, str(error.value))


# --- with Snakemake ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A source tree with one assignment, so that planning takes less time."""
    root = copy_source(tmp_path_factory.mktemp("project")).root
    for name in assignment_names(root / "templates"):
        if name != "lab8":
            shutil.rmtree(root / "templates" / name)
    return root


@pytest.fixture
def add_copy(root):
    """Copies the folder of lab8 under another name, and removes the copy afterwards."""
    folders = []

    def add_copy(name):
        folders.append(shutil.copytree(root / "templates/lab8", root / "templates" / name))
        return folders[-1]

    yield add_copy
    for folder in folders:
        shutil.rmtree(folder)


def plan(root, *targets, assignment="lab8"):
    return run_snakemake(root, "-n", "--config", f"assignment={assignment}", "data_source=synthetic", "--", *targets)


def test_folders_of_any_name_are_targets_and_can_be_the_chosen_assignment(root, add_copy):
    for name in NAMES:
        add_copy(name)
    (root / "templates/my lab/notes 1.0.md.j2").write_text('{{ vae.test.kl }}\n\n{{ cell("all") }}\n')
    (root / "templates/my lab/notes 1.0.py").write_text("# %% all\n")
    process = plan(root, *NAMES, "results/report.pdf", "submission", assignment="my lab")
    assert process.returncode == 0 and user_messages(process) == [], process.stdout[-4000:]
    jobs = dict(re.findall(r"^(\S.*?) {2,}(\d+)$", process.stdout.split("Job stats:")[1], re.MULTILINE))
    assert {name: int(jobs[name]) for name in (*NAMES, "render_html", "plot_lab9.1", "plot_my_lab")} == (
        dict.fromkeys(NAMES, 1) | {"render_html": 4, "plot_lab9.1": 1, "plot_my_lab": 1}
    )
    for path in ("reports/lab9.1/lab9.1.pdf", "reports/my lab/notebook/notes 1.0.ipynb", "submission/my lab.zip"):
        assert f"results/{path}" in process.stdout


def test_names_that_would_be_ambiguous_are_refused_in_one_sentence(root, add_copy):
    for name in ("my lab", "my_lab"):
        add_copy(name)
    process = plan(root, "lab8")
    assert process.returncode == 1 and user_messages(process) == [
        "latentlab: templates/my_lab: there is a rule of this name already (plot_my_lab); rename the folder"
    ]


def test_a_mistake_in_any_template_ends_planning_with_one_sentence(root, add_copy):
    page = add_copy("lab9.1") / "page.html.j2"
    page.write_text(page.read_text(encoding="utf-8").replace("vae.test.kl ", "vae.test.kll ", 1), encoding="utf-8")
    line = next(i for i, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1) if "kll" in text)
    process = plan(root, "lab8")
    assert process.returncode == 1 and user_messages(process) == [
        f"latentlab: templates/lab9.1/page.html.j2, line {line}: vae.test.kll is not measured; did you mean "
        "vae.test.kl?"
    ]

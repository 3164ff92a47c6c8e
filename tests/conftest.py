"""Fixtures that several test files use, and the table of faults that the chaos tests write."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from projects import Project, WorkingDirectory, copy_source

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side

FAULT_TABLE_HEAD = "| fault | tried | what the user sees | lost |\n|---|---|---|---|\n"
FAULTS = []  # rows of the table in docs/faults.md


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=5, help="how often the long chaos test kills the pipeline")
    parser.addoption("--pages", type=int, default=15, help="how many pages with random texts the long test prints")
    parser.addoption("--faults", metavar="FILE", help="write the table of faults to the end of FILE")


@pytest.fixture
def record_fault():
    """Adds a row to the table of faults: the fault, how often it was made, what the user sees, and, where a run was
    under way and was completed afterwards, what of it was lost."""
    return lambda fault, tried, message, lost="–": FAULTS.append((fault, tried, message, lost))


def pytest_sessionfinish(session):
    path = session.config.getoption("--faults")
    if path and FAULTS:
        rows = [f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |\n" for row in FAULTS]
        text = Path(path).read_text(encoding="utf-8").split(FAULT_TABLE_HEAD)[0] if Path(path).is_file() else ""
        Path(path).write_text(text + FAULT_TABLE_HEAD + "".join(rows), encoding="utf-8")


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright
    from projects import CHROMIUM

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens a page. Any other request, message in the console or error fails the test."""
    events, contexts, opened = [], [], set()

    def open_page(path, fragment="", **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: events.append(message.text))
        page.on("pageerror", lambda error: events.append(str(error)))
        page.on("request", lambda request: request.url.startswith("data:") or events.append(request.url))
        opened.add(path.as_uri())
        page.goto(path.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert set(events) <= opened


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A folder with a few images as MNIST's files (.gz), whose checksums are declared as the published ones."""
    from builders import MNIST, plant_dataset

    from latentlab.records.datasets import DATASETS

    folder = tmp_path / "planted"
    monkeypatch.setitem(DATASETS, "MNIST", plant_dataset(folder, MNIST))
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory, worker_id):
    """A source tree with all results of the smoke profile, made once for all tests; of tests that run side by side,
    each process has a copy. A test that changes something in it changes it back."""
    folder = tmp_path_factory.mktemp("project")
    if worker_id == "master":
        return make_project(folder)
    shared = tmp_path_factory.getbasetemp().parent / "project"  # a folder for all processes
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = make_project(shared)
    shutil.copytree(made.root, folder, symlinks=True, dirs_exist_ok=True)
    return Project(folder)


def make_project(folder):
    """The project in `folder`, which may be made already."""
    project = Project(folder) if folder.exists() and any(folder.iterdir()) else copy_source(folder)
    project.snakemake()
    return project


@pytest.fixture
def working_directory(tmp_path):
    return WorkingDirectory(tmp_path / "working-directory")


@pytest.fixture
def root_user():
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk and give up its capabilities")

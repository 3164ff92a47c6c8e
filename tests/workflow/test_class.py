"""The reports of a class are made together, and each is the one that its student would make alone. The class, and what
is done with it, are those of docs/staff.md."""

import csv
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe
from projects import ROOT, WorkingDirectory, snakemake_environment

pytestmark = pytest.mark.long
STAFF = (ROOT / "docs/staff.md").read_text()
COMMANDS = re.findall(r"^\./run (\w+ .*)$", STAFF, re.MULTILINE)  # of the class, then of what was handed in
SMOKE = ["--cores", "2", "--configfile", str(ROOT / "profiles/smoke/settings.yaml")]


def command_of(text):
    name, *arguments = shlex.split(text)
    module = {"class": "class_run", "rebuild": "rebuild"}[name]
    return [sys.executable, "-m", f"latentlab.report.{module}", *arguments, *(SMOKE if name == "class" else [])]


def run(text, folder):
    """What `./run` does with this text, in a working directory of its own."""
    environment = snakemake_environment(ROOT)
    return subprocess.run(command_of(text), cwd=folder, env=environment, capture_output=True, text=True, timeout=900)


def write_files(folder):
    """The files that docs/staff.md says to create."""
    for name, text in re.findall(r"Create `([^`]+)`:\n\n```\w+\n(.*?)```", STAFF, re.DOTALL):
        (folder / name).write_text(text)


def read_table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory):
    """A folder in which the reports of the class were made on synthetic data, and what that printed."""
    folder = tmp_path_factory.mktemp("class")
    write_files(folder)
    return folder, run(COMMANDS[0], folder)


def test_the_error_of_one_student_stops_no_other(class_folder):
    folder, process = class_folder
    assert process.returncode == 1 and "latentlab: made 4 of 5 reports" in process.stderr, process.stderr[-3000:]
    assert "latentlab: e5 (line 6): " in process.stderr and "vae.test.kll" in process.stderr
    assert not (folder / "results/class/students/e5").exists()
    rows = {row["id"]: row for row in read_table(folder / "results/class/class.csv")}
    assert [row["state"] for row in rows.values()] == ["made"] * 4 + ["not made"]
    assert float(rows["a1"]["loss"]) == float(rows["b2"]["loss"]) != float(rows["c3"]["loss"])
    assert rows["d4"]["settings"] == "grid_samples: 5" and rows["b2"]["name"] == "Grace Hopper"


def test_the_overview_is_sorted_by_its_headings_and_needs_nothing_else(class_folder, browser):
    folder, _ = class_folder
    context = browser.new_context(bypass_csp=True)
    page, messages, requests = context.new_page(), [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("request", lambda request: requests.append(request.url))
    overview = (folder / "results/class/index.html").as_uri()
    page.goto(overview)
    ids = {}
    for order in ("ascending", "descending"):
        page.get_by_role("button", name="loss, nats").click()
        assert page.locator(f"th[aria-sort={order}]").inner_text().startswith("loss, nats")
        ids[order] = page.locator("tbody td:nth-child(2)").all_inner_texts()
    assert ids == {"ascending": ["c3", "a1", "b2", "d4", "e5"], "descending": ["a1", "b2", "d4", "c3", "e5"]}
    assert requests.count(overview) == 1 and all(url == overview or url.startswith("data:") for url in requests)
    for path in page.locator("tbody a").evaluate_all("links => links.map((link) => link.getAttribute('href'))"):
        assert (folder / "results/class" / path).is_file()
    assert not messages
    assert Axe().run(page).response["violations"] == []
    context.close()


def test_equal_trainings_run_once(class_folder):
    folder, _ = class_folder
    logs = (folder / "results/class/shared").rglob("train_model.log")
    # Three models with each of two seeds; the third directory takes those of the first from the cache.
    assert [bool(path.read_text()) for path in logs].count(True) == 2 * 3


@pytest.mark.parametrize(
    ("student", "settings"),
    [
        ("b2", "authors: [{name: Grace Hopper, id: b2}]\ndiscussion: mine.md"),
        ("d4", "authors: [{name: Mary Somerville, id: d4}]\ngrid_samples: 5"),
    ],
)
def test_each_report_is_the_one_that_its_student_would_make_alone(class_folder, tmp_path, student, settings):
    folder, _ = class_folder
    alone = WorkingDirectory(tmp_path)
    write_files(tmp_path)
    (tmp_path / "config.yaml").write_text(f"assignment: lab8\n{settings}\n")
    alone.snakemake()
    for name in ("lab8.pdf", "lab8.html", "explorer.html"):
        assert (folder / "results/class/students" / student / name).read_bytes() == (
            alone.report.parent / name
        ).read_bytes()


def test_what_a_class_handed_in_is_made_again_together(class_folder):
    folder, _ = class_folder
    handed_in = folder / "handed-in"
    handed_in.mkdir()
    for student in ("a1", "b2", "c3"):
        os.link(folder / "results/class/students" / student / "lab8.pdf", handed_in / f"{student}.pdf")
    (handed_in / "d4.pdf").write_bytes(b"%PDF-1.7 nothing")
    process = run(COMMANDS[1], folder)
    assert "latentlab: 3 same, 1 not checked" in process.stderr, process.stderr[-3000:]
    assert "latentlab: d4.pdf: handed-in/d4.pdf: the PDF is damaged" in process.stderr
    rows = read_table(folder / "results/rebuilt/verdicts.csv")
    assert [row["verdict"] for row in rows] == ["same"] * 3 + ["not checked"]
    assert [row["authors"] for row in rows] == ["Ada Lovelace", "Grace Hopper", "Emmy Noether", ""]


def test_a_killed_run_that_is_started_again_ends_with_the_same_bytes(class_folder, tmp_path):
    folder, _ = class_folder
    write_files(tmp_path)
    for seconds in (8, 16, 24):
        process = subprocess.Popen(
            command_of(COMMANDS[0]),
            cwd=tmp_path,
            env=snakemake_environment(ROOT),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    run(COMMANDS[0], tmp_path)
    reports = list((folder / "results/class/students").glob("*/*"))
    assert len(reports) == 4 * 3
    for path in [*reports, folder / "results/class/index.html", folder / "results/class/class.csv"]:
        content = (tmp_path / path.relative_to(folder)).read_bytes()
        assert content.replace(str(tmp_path).encode(), str(folder).encode()) == path.read_bytes(), path

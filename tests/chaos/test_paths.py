"""The real ./run with an environment of its own, in folders with odd names, moved, linked to and unpacked elsewhere."""

import os
import shutil
import subprocess

import pytest
from projects import ROOT, copy_source, run_snakemake, user_messages

SMALL_REPORT = ["report", "--workflow-profile", "profiles/smoke", "--config", "assignment=lab8"]


def run(folder, *arguments, script="run", **variables):
    """Run the script `run` of a source tree, and return the finished process with its output as text."""
    merged = os.environ | {"VIRTUAL_ENV": None, "PYTHONPATH": None, "LATENTLAB_DATA": None} | variables
    environment = {name: str(value) for name, value in merged.items() if value is not None}
    command = ["sh", str(folder / script), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800
    )


@pytest.mark.long
def test_a_clone_in_any_folder_makes_its_report_and_again_after_it_was_moved(tmp_path, record_fault):
    folder = tmp_path / "my course work (2)" / "it's {x} & more"
    project = copy_source(folder)
    process = run(folder, *SMALL_REPORT)
    assert process.returncode == 0, process.stdout[-4000:]
    report = project.results / "report.pdf"
    first = report.read_bytes()

    moved = tmp_path / "elsewhere; $(true) 'n' so"
    shutil.move(folder, moved)
    (moved / report.relative_to(folder)).unlink()
    process = run(moved, *SMALL_REPORT)
    assert process.returncode == 0, process.stdout[-4000:]
    assert "the repository was moved" in process.stdout and "Train lab8-vae" not in process.stdout
    assert (moved / report.relative_to(folder)).read_bytes() == first
    record_fault("a clone in a folder with spaces, quotes, braces, & and ;, moved after set-up", 1, "the report")

    link = tmp_path / "latentlab"
    link.symlink_to(moved / "run")
    assert run(tmp_path, "setup", script="latentlab", HOME=None).returncode == 0, "through a symlink, without HOME"


def test_run_explains_itself_before_it_installs_anything(tmp_path):
    shutil.copy(ROOT / "run", tmp_path / "run")
    for arguments in ([], ["--help"], ["report", "--help"], ["nonsense"]):
        process = run(tmp_path, *arguments)
        assert process.returncode == (0 if "--help" in arguments else 2)
        assert process.stdout.startswith("./run report ") and "./run report --config epochs=5\n" in process.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_configuration_file_on_the_command_line_cannot_run_a_program(tmp_path, record_fault):
    """Snakemake would execute it while it reads its command line, so ./run checks it first."""
    evil = tmp_path / "evil.yaml"
    evil.write_text(f'__use_yte__: true\n?open("{tmp_path}/executed", "w").close(): 1\n')
    start = (ROOT / "run").read_text().index("check_configuration_files() {")
    function = (ROOT / "run").read_text()[start:].split("\n}\n")[0] + "\n}\n"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(shutil.which("python"))
    for arguments in (["--configfile", evil], ["--cores", "2", f"--configfile={evil}"], ["--configfiles", "a", evil]):
        (tmp_path / "a").write_text("")
        script = f'set -eu\nVENV={tmp_path}\n{function}\ncheck_configuration_files "$@"\necho unchecked\n'
        process = subprocess.run(
            ["sh", "-c", script, "sh", *map(str, arguments)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.returncode == 1 and "unchecked" not in process.stdout
        assert user_messages(process) == [f"latentlab: {evil}: __use_yte__ would let the file run programs; remove it"]
    assert not (tmp_path / "executed").exists()
    record_fault(
        "./run report --configfile FILE with a program for Snakemake",
        3,
        "latentlab: FILE: __use_yte__ would let the file run programs; remove it",
    )


def test_a_module_planted_in_a_working_directory_is_not_imported(working_directory, record_fault):
    planted = working_directory.folder / ".snakemake/scripts/numpy.py"
    planted.parent.mkdir(parents=True)
    planted.write_text(f"open({str(working_directory.folder / 'executed')!r}, 'w').close()\n")
    process = working_directory.snakemake("--", "results/data/MNIST.json")
    assert process.returncode == 0, process.stdout[-4000:]
    assert not (working_directory.folder / "executed").exists()
    record_fault("a module numpy.py in a working directory's .snakemake/scripts", 1, "the report; it is not imported")


def test_a_start_leaves_the_unfinished_files_of_another_working_directory(tmp_path, record_fault):
    project = copy_source(tmp_path / "project")
    unfinished = [project.root / "results" / name for name in ("smoke/results/.part-1-a", ".part-1-b", "x/.part-1-c")]
    for path in unfinished:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    settings = ["--configfile", project.root / "profiles/smoke/settings.yaml"]
    profile = ["--workflow-profile", project.root / "profiles/default"]
    process = run_snakemake(project.root, *profile, *settings, "--", "results/data/MNIST.json")
    assert process.returncode == 0, process.stdout[-4000:]
    assert [path.exists() for path in unfinished] == [True, False, False]
    record_fault("a start beside a run in results/smoke", 1, "the report", "nothing: its unfinished files stay")


@pytest.mark.parametrize("kind", ["a file", "a dangling symlink"])
def test_results_that_is_no_folder_is_named(working_directory, kind, record_fault):
    results = working_directory.folder / "results"
    if kind == "a file":
        results.touch()
    else:
        results.symlink_to("nowhere")
    process = working_directory.snakemake("-n")
    assert process.returncode == 1
    message = f"results: {kind}, but a folder is needed here; remove or rename it"
    assert user_messages(process)[-1].endswith(message)
    record_fault(f"results is {kind}", 1, f"latentlab: FOLDER/{message}")

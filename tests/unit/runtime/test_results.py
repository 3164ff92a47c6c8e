import os

import pytest
import yaml
from projects import ROOT

from latentlab.runtime.errors import UserError
from latentlab.runtime.files import PARTIAL
from latentlab.runtime.results import FORMAT, archive_old_results, check_writable, clear_partial


def test_what_killed_jobs_left_unfinished_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "models").mkdir()
    kept = tmp_path / "models/weights.safetensors"
    kept.write_text("weights")
    (tmp_path / f"models/{PARTIAL}1-weights.safetensors").write_text("half")
    (tmp_path / f"{PARTIAL}2-folder").mkdir()
    (tmp_path / f"{PARTIAL}2-folder/file").write_text("half")
    (tmp_path / f"{PARTIAL}3-link").symlink_to(tmp_path / "models")
    clear_partial(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]
    assert {path.name for path in tmp_path.iterdir()} == {"models"}


def test_results_of_other_working_directories_are_left_alone(tmp_path):
    running = tmp_path / f"smoke/results/{PARTIAL}1-file"
    running.parent.mkdir(parents=True)
    running.write_text("half")
    clear_partial(tmp_path)
    assert running.exists()


def test_a_new_folder_is_marked_with_the_format(tmp_path):
    assert archive_old_results(tmp_path / "results") is None
    assert (tmp_path / "results/format").read_text() == f"{FORMAT}\n"


@pytest.mark.parametrize("profile", sorted((ROOT / "profiles").iterdir()), ids=lambda profile: profile.name)
def test_the_working_directory_of_a_profile_is_no_result(tmp_path, profile):
    folder = tmp_path / yaml.safe_load((profile / "config.yaml").read_text()).get("directory", ".")
    folder.mkdir(parents=True, exist_ok=True)
    assert archive_old_results(tmp_path / "results") is None and folder.is_dir()


def test_results_of_this_format_stay(tmp_path):
    archive_old_results(tmp_path)
    (tmp_path / "models").mkdir()
    assert archive_old_results(tmp_path) is None and (tmp_path / "models").is_dir()


@pytest.mark.parametrize("marker", [None, f"{FORMAT - 1}\n", f"{FORMAT + 1}\n", ""])
def test_results_of_another_format_are_moved_to_a_numbered_folder(tmp_path, marker):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/metrics.json").write_text("{}")
    (tmp_path / "report.pdf").write_text("report")
    (tmp_path / "smoke").mkdir()
    (tmp_path / "old-7").mkdir()
    if marker is not None:
        (tmp_path / "format").write_text(marker)
    archive = archive_old_results(tmp_path)
    assert archive == tmp_path / "old-8" and (archive / "models/metrics.json").read_text() == "{}"
    assert (archive / "report.pdf").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"format", "smoke", "old-7", "old-8"}
    assert (tmp_path / "format").read_text() == f"{FORMAT}\n"
    assert archive_old_results(tmp_path) is None


@pytest.mark.parametrize("name", ["results", "resources", ".snakemake"])
def test_a_file_or_a_broken_symlink_in_place_of_a_folder_is_named(tmp_path, name):
    (tmp_path / name).write_text("")
    with pytest.raises(UserError, match=f"{name}: a file, but a folder is needed here; remove or rename it"):
        check_writable(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("nowhere")
    with pytest.raises(UserError, match=f"{name}: a dangling symlink, but a folder is needed here"):
        check_writable(tmp_path)


@pytest.mark.parametrize("name", ["", "results", "resources", ".snakemake"])
def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch, name):
    for folder in ("results", "resources", ".snakemake"):
        (tmp_path / folder).mkdir()
    check_writable(tmp_path)
    writable = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / name and writable(path, mode))
    with pytest.raises(UserError) as error:
        check_writable(tmp_path)
    expected = f"{tmp_path / name}: read-only, but results go there; choose another folder with --directory"
    assert str(error.value) == expected

"""A report is made again in a folder of its own, from settings that cannot name files of this machine."""

import planted
import pytest
import yaml

from latentlab.report import rebuild
from latentlab.report.handed_in import HandedIn
from latentlab.runtime.errors import UserError


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """The settings with which something that was handed in is made again."""

    def prepare(settings, source="published", **texts):
        provenance = planted.provenance(planted.metrics(planted.load("lab8"), tmp_path), source)
        members = {"config.yaml": yaml.safe_dump(settings).encode(), **{f"{k}.md": v for k, v in texts.items()}}

        def run(folder, target, cores):
            assert target == "lab8" and (folder / "resources").resolve() == tmp_path / "resources"
            provenance.write(tmp_path / "provenance.json")
            report = folder / "results/reports/lab8"
            report.mkdir(parents=True)
            (tmp_path / "provenance.json").rename(report / "provenance.json")
            runs.append(folder)

        runs = []
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(rebuild, "_run", run)
        comparison = rebuild.rebuild(HandedIn("x", b"", members, provenance), 1)
        assert comparison.provenance == provenance
        return yaml.safe_load((runs[0] / "config.yaml").read_text())

    return prepare


def test_settings_that_name_files_are_those_of_this_checkout(prepare):
    settings = prepare(
        {"assignment": "lab8", "seed": 3, "data_dir": "/etc", "discussion": "/etc/passwd", "device": "cuda"}
    )
    assert settings["seed"] == 3 and settings["device"] == "auto" and settings["data_source"] == "auto"
    assert settings["data_dir"] is settings["discussion"] is settings["notebook_answers"] is None


def test_the_text_that_was_handed_in_is_used(prepare):
    assert prepare({"assignment": "lab8", "discussion": "/etc/passwd"}, discussion=b"# Mine")["discussion"] == (
        "discussion.md"
    )


def test_synthetic_data_are_drawn_again(prepare):
    assert prepare({"assignment": "lab8"}, source="synthetic")["data_source"] == "synthetic"


@pytest.mark.parametrize("name", ["../../etc", "lab9"])
def test_an_assignment_that_does_not_exist_is_named(prepare, name):
    with pytest.raises(UserError, match="there is no assignment"):
        prepare({"assignment": name})


def test_a_job_that_fails_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(rebuild.sys, "executable", "false")
    with pytest.raises(UserError, match="the report could not be made again; see above"):
        rebuild._run(tmp_path, "lab8", 1)

import os
import platform
import subprocess

import numpy
import pytest

from latentlab.runtime import provenance
from latentlab.runtime.provenance import commit, digest, versions


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository with one commit, in place of that of the code."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("x = 1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "-m", "Add code")
    monkeypatch.setattr(provenance, "REPOSITORY", tmp_path)
    return tmp_path


def test_the_commit_of_a_clean_checkout_is_its_short_hash(repository):
    assert commit() == git(repository, "rev-parse", "HEAD")[:10]


def test_a_modified_or_a_new_file_is_marked(repository):
    clean = commit()
    (repository / "code.py").write_text("x = 2\n")
    assert commit() == clean + "+"
    git(repository, "checkout", "code.py")
    assert commit() == clean
    (repository / "new.py").write_text("")
    assert commit() == clean + "+"


def test_settings_and_texts_of_a_user_are_no_change_of_the_code(repository):
    clean = commit()
    for name in ("config.yaml", "mine.md", "my text.txt"):
        (repository / name).write_text("mine")
    assert commit() == clean
    (repository / "templates").mkdir()
    (repository / "templates/page.md").write_text("")
    assert commit() == clean + "+"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_the_commit_of_a_checkout_that_another_user_owns_is_its_own(repository):
    clean = commit()
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 12345, 12345)
    assert commit() == clean != "unknown"


def test_outside_a_repository_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "REPOSITORY", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == "unknown"


def test_inside_the_repository_of_another_project_the_commit_is_unknown(repository, monkeypatch):
    (repository / "copy").mkdir()
    monkeypatch.setattr(provenance, "REPOSITORY", repository / "copy")
    assert commit() == "unknown"


def test_without_git_the_commit_is_unknown(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    assert commit() == "unknown"


def test_equal_values_have_equal_digests_whatever_the_order_of_their_keys():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest([1, 2]) != digest([2, 1])


def test_versions_are_those_of_the_packages_and_of_python():
    assert versions("numpy") == {"python": platform.python_version(), "numpy": numpy.__version__}

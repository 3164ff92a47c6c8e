"""What the tests share: small data planted as torchvision lays it out, and a project that has been run once."""

import gzip
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from elsewhere import ROOT, Elsewhere

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side


FAULTS = []  # rows of docs/faults.md


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=10, help="how often the chaos test kills the pipeline")
    parser.addoption("--faults", metavar="FILE", help="write a table of what the chaos tests did and saw")


@pytest.fixture
def told():
    """Takes a row of that table: the fault, how often it was tried, what the user sees, and, where a run was on its way
    and completed afterwards, what of it was lost."""
    return lambda fault, tried, seen, lost="–": FAULTS.append((fault, tried, seen, lost))


def pytest_sessionfinish(session):
    path = session.config.getoption("--faults")
    if path and FAULTS:
        rows = [f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in FAULTS]
        head = ["| fault | tried | what the user sees | lost |", "|---|---|---|---|"]
        text = Path(path).read_text(encoding="utf-8").split(head[0])[0] if Path(path).is_file() else ""
        Path(path).write_text(text + "\n".join([*head, *rows]) + "\n", encoding="utf-8")


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A folder with small "published" MNIST files (.gz), whose checksums the library is told; images are uint8."""
    import hashlib

    from latentlab import data

    rng = np.random.default_rng(0)
    folder, sums = tmp_path / "planted" / "MNIST" / "raw", {}
    folder.mkdir(parents=True)
    for split, size in (("train", 50), ("test", 20)):
        arrays = rng.integers(0, 256, (size, 28, 28), dtype=np.uint8), rng.integers(0, 10, size, dtype=np.uint8)
        for name, magic, array in zip(data.FILES[split], (2051, 2049), arrays, strict=True):
            raw = struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()
            (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
            sums[name] = hashlib.sha256(raw).hexdigest()
    monkeypatch.setitem(data.SHA256, "MNIST", sums)
    return folder.parents[1]


class Project:
    """A copy of the source tree with everything that the smoke profile has made in it."""

    def __init__(self, root):
        self.root = root
        self.made = root / "results/smoke/results"

    def snakemake(self, *words, check=True, profile="profiles/smoke", **options):
        """Run snakemake in the copy, on its own library; returns the finished process with its output as text."""
        environment = {key: value for key, value in os.environ.items() if key != "LATENTLAB_DATA"}
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", "--workflow-profile", profile, *words],
            cwd=self.root,
            env=environment | {"PYTHONPATH": str(self.root / "workflow")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        assert not check or done.returncode == 0, done.stdout[-4000:]
        return done

    def would_run(self, *words):
        """How many jobs of each rule a run would do now, targets left out."""
        said = self.snakemake("-n", *words).stdout
        table = said.split("Job stats:")[1] if "Job stats:" in said else ""
        rows = re.findall(r"^([\w-]+) +(\d+)$", table, re.MULTILINE)
        return {rule: int(count) for rule, count in rows if "_" in rule}

    def hashes(self):
        """SHA-256 of all results but logs and timings."""
        from latentlab.files import sha256

        return {
            str(path.relative_to(self.made)): sha256(path)
            for path in sorted(self.made.rglob("*"))
            if path.is_file() and path.relative_to(self.made).parts[0] not in ("logs", "benchmarks")
        }


def copy_source(target):
    """The files of the working tree that belong to the project."""
    made = shutil.ignore_patterns(".*", "__pycache__", "results", "resources")
    shutil.copytree(ROOT, target, ignore=made, dirs_exist_ok=True)
    return Project(target)


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """The smoke pipeline, run once for all workflow tests. A test that changes something puts it back."""
    project = copy_source(tmp_path_factory.mktemp("project"))
    project.snakemake()
    return project


@pytest.fixture
def elsewhere(tmp_path):
    return Elsewhere(tmp_path / "elsewhere")


@pytest.fixture
def root_s_powers():
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk, and give up its powers")

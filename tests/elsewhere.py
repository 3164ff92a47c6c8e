"""A small run in a folder of its own, however odd the folder and the machine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHROMIUM = {  # for playwright's launch: Debian's own
    "executable_path": shutil.which("chromium"),
    "args": ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
}
NO_POWERS = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]  # root without root's powers obeys permissions


class Elsewhere:
    """A working directory for hand-in lab8 in small, run from the source tree `root`."""

    def __init__(self, folder, root=ROOT):
        self.folder, self.root = folder, root
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, *words, prefix=(), cwd=None, timeout=300, **environment):
        """The finished process of `snakemake WORDS` there, with its output as text."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile", self.root / "Snakefile"]
        command += ["--workflow-profile", self.root / "profiles/default", "--directory", self.folder]
        command += ["--configfile", self.root / "profiles/smoke/settings.yaml", *(words or ["--", "lab8"])]
        inherited = {key: value for key, value in os.environ.items() if key not in ("LATENTLAB_DATA", "HOME", "LANG")}
        home = {"HOME": os.environ["HOME"]} if "HOME" in os.environ else {}
        asked = {key: value for key, value in (home | environment).items() if value is not None}
        return subprocess.run(
            [*prefix, *map(str, command)],
            cwd=cwd or self.folder,
            env=inherited | {"PYTHONPATH": str(self.root / "workflow")} | asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def page(self):
        return self.folder / "results/handins/lab8/lab8.pdf"


def sentences(done):
    """What latentlab said; a traceback of ours is a failure."""
    own = re.search(r'File ".*/workflow/latentlab/', done.stdout)  # Snakemake shows those of rule files in its own way
    assert "Traceback" not in done.stdout and not own, done.stdout[-4000:]
    return [line for line in done.stdout.splitlines() if line.startswith("latentlab: ")]

"""Makes a report again from what was handed in, and says what differs: `./run rebuild FILE`, a PDF or an archive.

The settings in the file are checked like any others, and nothing in it is executed. The code is that of this checkout:
if the file names another commit, that is said.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from latentlab.records.assignments import LOCAL_SETTINGS, load_assignment
from latentlab.records.provenance import Provenance
from latentlab.records.settings import OWN_TEXTS
from latentlab.report.comparison import Comparison
from latentlab.report.handed_in import HandedIn, read_handed_in
from latentlab.report.text import shorten
from latentlab.runtime.errors import UserError, exit_on_user_error
from latentlab.runtime.files import write_yaml
from latentlab.runtime.provenance import REPOSITORY, digest
from latentlab.runtime.safe_yaml import read_yaml

FOLDER = Path("results/rebuilt")  # has a working directory for each configuration, with the texts that belong to it
MAX_SENTENCES = 20


def rebuild(handed_in: HandedIn, cores: int) -> Comparison:
    """Make the report again, in a folder that is named after its settings and texts.

    Raises:
        UserError: the settings are not valid, or a job failed, which has printed why.
    """
    texts = {name: handed_in.members[name] for name in OWN_TEXTS.values() if name in handed_in.members}
    origin = {"config.yaml": handed_in.members["config.yaml"]} | texts
    folder = FOLDER / digest({name: content.hex() for name, content in origin.items()})[:12]
    folder.mkdir(parents=True, exist_ok=True)
    _share_data(folder)
    for name, content in origin.items():
        (folder / name).write_bytes(content)
    own = read_yaml(REPOSITORY / "config.yaml")
    settings = read_yaml(folder / "config.yaml") | _local_settings(own, handed_in.provenance)
    settings |= {setting: name if name in texts else None for setting, name in OWN_TEXTS.items()}
    write_yaml(folder / "config.yaml", settings)
    config = own | settings
    assignment = load_assignment(REPOSITORY / "templates", str(config.get("assignment")), config)
    _run(folder, assignment.name, cores)
    made = {name: folder / path for name, path in assignment.submission_members(config).items()}
    return Comparison(handed_in, made, Provenance.read(made["provenance.json"]))


def _share_data(folder: Path) -> None:
    """Let all working directories use the data of this one, so that they are fetched once."""
    resources, link = Path("resources").resolve(), folder / "resources"
    resources.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(resources)


def _local_settings(own: dict[str, Any], provenance: Provenance) -> dict[str, Any]:
    """The settings that say where files lie and where jobs run, from the configuration of this checkout: those that
    were handed in could name any file of this machine. Synthetic data are drawn again."""
    settings = {key: own.get(key) for key in LOCAL_SETTINGS - OWN_TEXTS.keys()}
    if settings["data_dir"]:
        settings["data_dir"] = str(REPOSITORY / settings["data_dir"])
    if any(data.source == "synthetic" for data in provenance.data):
        settings["data_source"] = "synthetic"
    return settings


def _run(folder: Path, target: str, cores: int) -> None:
    options = {
        "--snakefile": REPOSITORY / "Snakefile",
        "--workflow-profile": REPOSITORY / "profiles/default",
        "--cores": cores,
        "--directory": folder,
    }
    command = [str(part) for option in options.items() for part in option]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow")}
    try:
        subprocess.run([sys.executable, "-m", "snakemake", *command, "--", target], check=True, env=environment)
    except subprocess.CalledProcessError as error:
        raise UserError(f"{folder}: the report could not be made again; see above") from error


def conclusion(comparison: Comparison) -> str:
    """The sentence for a comparison without differences."""
    explanations = []
    if comparison.other_processor:
        explanations.append("last digits, as it comes from another kind of processor")
    if comparison.other_commit:
        theirs = shorten(comparison.handed_in.provenance.commit)
        explanations.append(f"the commit, which was {theirs} and is {comparison.provenance.commit} here")
    same = f"the same up to {' and '.join(explanations)}" if explanations else "the same bytes"
    return f"{comparison.handed_in.name} was made again: {same}"


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("latentlab: name one file: ./run rebuild FILE, a PDF or an archive that was handed in")
    with exit_on_user_error():
        comparison = rebuild(read_handed_in(sys.argv[1]), os.cpu_count() or 1)
        differences = comparison.differences()
    if not differences:
        print(f"latentlab: {conclusion(comparison)}", file=sys.stderr)
        return
    if comparison.other_commit:
        theirs, ours = comparison.handed_in.provenance.commit, comparison.provenance.commit
        differences.insert(0, f"it was made by commit {shorten(theirs)}, this is {ours}: that may explain differences")
    more = len(differences) - MAX_SENTENCES
    if more > 0:
        differences[MAX_SENTENCES:] = [f"… and {more} more"]
    sys.exit("\n".join(f"latentlab: {sentence}" for sentence in differences))


if __name__ == "__main__":
    main()

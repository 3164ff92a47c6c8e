# Shared by all rules: the checked configuration, patterns of paths, and functions that give inputs and params.

import fcntl
import functools
import os
import re
import shutil
import sys
import time

from msgspec import to_builtins

from latentlab.records.config import check_config, resolve_model, setting_changes
from latentlab.records.data import DataRecord, DataRequest
from latentlab.records.datasets import get_dataset
from latentlab.records.notebooks import notebook_settings
from latentlab.records.runs import NOTEBOOK_FOLDER, PCA_FOLDER, RUN_FOLDER, SWEEP_FOLDER
from latentlab.records.settings import EXAMPLE_NAME, OWN_TEXTS
from latentlab.runtime.cluster import cancel_orphans
from latentlab.runtime.dependencies import all_modules, code_digest, imported_modules
from latentlab.runtime.files import folder_state, read_json, write_json
from latentlab.runtime.jobs import usage_by_rule
from latentlab.runtime.results import archive_old_results, clear_partial

START_TIME = time.time()
MAX_CHANGES = 6  # of settings that are printed
PRODUCTS = ("report*.*", "explorer*.*", "reports/*/*.pdf", "submission/*.zip")  # patterns of what a run is for
NO_NAME = "(?!)"  # a pattern that nothing matches
RUN_LOGS = RUN_FOLDER.replace("models", "logs", 1)
PLANE_FOLDER, PLANE_LOGS = (folder.replace("{latent_dim}", "2") for folder in (RUN_FOLDER, RUN_LOGS))


wildcard_constraints:
    dataset="[A-Za-z0-9]+",
    model="[A-Za-z0-9_-]+",
    latent_dim="[1-9][0-9]*",
    seed="[0-9]+",


def source(path):
    """A file of this repository, relative to the working directory: Snakemake would take braces in an absolute path for
    wildcards, and a repository that was moved is no reason to run anything again."""
    return os.path.relpath(ROOT / path)


def code_of(script):
    """The digest of the code of a script and of the library modules that it imports, as a param of its rule: a change of
    it reruns the jobs that it matters to. It is computed only for rules that have jobs, and once for all of these."""
    path = ROOT / "workflow/scripts" / script

    @functools.cache
    def digest():
        with exit_on_user_error():
            return code_digest([path, *imported_modules(path)])

    return lambda wildcards: digest()


def in_report(path, category, content, **labels):
    """An output that `snakemake --report` shows, under a category with a caption, labelled by its content and wildcards."""
    labels |= {name: f"{{{name}}}" for name in re.findall(r"\{(\w+)\}", path)}
    caption = ROOT / f"workflow/report/{category.lower().replace(' ', '-')}.rst"
    return report(path, category=category, labels={"content": content} | labels, caption=caption)


def model_settings(wildcards):
    return resolve_model(config, wildcards.model)


def notebook_file(wildcards, file):
    """The file `file` of the notebook that trains a model."""
    assignment, notebook = model_settings(wildcards).notebook.split("/")
    return f"{NOTEBOOK_FOLDER}/{file}".format(dataset=wildcards.dataset, assignment=assignment, notebook=notebook)


def data_request(wildcards):
    """Where to look for data. Published files are the same wherever they come from, so once they are here another folder
    or mirror is no reason to fetch them again: the request then stays what it was. Images of one's own are read again when
    their files change."""
    _, images = OWN_IMAGES.get(wildcards.dataset, (None, None))
    request = DataRequest(
        data_dir=config["data_dir"],
        source=config["data_source"],
        images=images,
        state=folder_state(images.folder) if images and Path(images.folder).is_dir() else None,
    )
    record, stored = (Path(f"results/data/{wildcards.dataset}{suffix}") for suffix in (".json", ".request.json"))
    is_here = record.is_file() and stored.is_file()
    with exit_on_user_error():
        if images and is_here and request.state is None:
            return read_json(stored)
        if not images and request.source != "synthetic" and is_here and not DataRecord.read(record).is_synthetic:
            return read_json(stored)
    return to_builtins(request, order="sorted")  # as it is stored


def dataset_of(wildcards):
    """The declaration of a data set."""
    if wildcards.dataset in OWN_IMAGES:
        return OWN_IMAGES[wildcards.dataset][0]
    with exit_on_user_error():
        return get_dataset(wildcards.dataset)


def ood_record(wildcards):
    """The record of the data set whose images are out-of-distribution (OOD)."""
    partner = dataset_of(wildcards).ood_partner
    with exit_on_user_error():
        if not partner:
            raise UserError(
                f"dataset {wildcards.dataset} has no ood_partner to compare with; leave ood.json of its models out"
            )
    return f"results/data/{partner}.json"


def training_priority(wildcards):
    """The longest trainings first, so that the last report need not wait for one. An epoch with convolutions takes about
    as long as twenty without; a conditional model takes as long again to be evaluated as a classifier."""
    settings = model_settings(wildcards)
    return settings.epochs * (20 if settings.family.startswith("convolutional") else 2 if settings.conditional else 1)


def training_gpus(wildcards):
    """How many GPUs a training takes: one, if there is any and the configuration permits it."""
    available = config["device"] == "auto" and shutil.which("nvidia-smi") is not None
    return int(available or config["device"] == "cuda")


def sweep_files(wildcards, file, seeds=None):
    """The file `file` of every point of the sweep, by ascending dimension."""
    seeds = range(config["sweep_seeds"]) if seeds is None else seeds
    return expand(f"{RUN_FOLDER}/{file}", latent_dim=sorted(config["sweep_dims"]), seed=seeds, **wildcards)


def acquire_run_lock():
    """Lock this working directory for as long as the process lives. A lock of the operating system vanishes with its
    process, so nothing ever has to be unlocked."""
    global run_lock  # or the file would be closed, and the lock released
    run_lock = open(".snakemake/running", "w")
    try:
        fcntl.flock(run_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"latentlab: another run is active in {Path.cwd()}; wait until it ends, or end it")


def prepare_run():
    """Lock the working directory, and clear it of what earlier runs left: unfinished files, results of other versions, and
    on a cluster jobs that are still running."""
    acquire_run_lock()
    if ROOT in Path.cwd().parents:
        print(f"latentlab: paths below are relative to {os.path.relpath(Path.cwd(), ROOT)}", file=sys.stderr)
    for folder in ("results", "resources"):
        clear_partial(folder)
    # Snakemake copies scripts here and runs them here, so that modules found here would shadow the libraries that they
    # import; in a folder that somebody else made, they may be malicious.
    shutil.rmtree(".snakemake/scripts", ignore_errors=True)
    if archive := archive_old_results("results"):
        print(f"latentlab: the results were made by another version: moved to {archive}", file=sys.stderr)
        os.chdir(workflow.rundir)
        os.execv(shlex.split(sys.executable)[0], sys.orig_argv)  # start again, because other jobs are due now
    print_setting_changes()
    if workflow.nodes is not None and shutil.which("scancel"):
        cancel_orphans(Path.cwd())


def print_setting_changes():
    """Print what differs from the settings of the last run here: those given with --config hold for one run only, which is
    easily forgotten."""
    path = Path(".snakemake/settings.json")
    try:
        changes = setting_changes(read_json(path), config)
    except (OSError, ValueError):  # there is none yet, or it is damaged
        changes = []
    if changes:
        more = f", and {len(changes) - MAX_CHANGES} more" if len(changes) > MAX_CHANGES else ""
        print(f"latentlab: since the last run here: {', '.join(changes[:MAX_CHANGES])}{more}", file=sys.stderr)
    write_json(path, config)


def print_summary():
    """Print how long the jobs took, which reports and archives were made, and what to do with them."""
    usages = usage_by_rule("results/logs", since=START_TIME)
    longest = ", ".join(f"{rule} {usage.cpu:.0f}" for rule, usage in list(usages.items())[:3])
    if usages:
        jobs, minutes = sum(usage.jobs for usage in usages.values()), (time.time() - START_TIME) / 60
        print(
            f"latentlab: {jobs} job{'s' * (jobs > 1)} in {minutes:.1f} minutes; CPU seconds: {longest}",
            file=sys.stderr,
        )
    found = [path for pattern in PRODUCTS for path in sorted(Path("results").glob(pattern))]
    made = [path for path in found if path.stat().st_mtime >= START_TIME]
    for path in made:
        print(f"latentlab: made {os.path.relpath(path, ROOT)}", file=sys.stderr)
    if step := next_step(made):
        print(f"latentlab: next: {step}", file=sys.stderr)


def next_step(made):
    """What to do with the report or the submission among the paths `made`; nothing if neither is."""
    if archive := next((path for path in made if path.suffix == ".zip"), None):
        return f"hand in {os.path.relpath(archive, ROOT)}"
    if Path("results/report.pdf") not in made:
        return None
    if config["preview"]:
        return "make the page that you can submit with ./run report"
    if EXAMPLE_NAME in [author["name"] for author in config["authors"]]:
        return "put your own name into config.yaml, and run this again"
    return "read it, then check and pack it with ./run submission"


def cap_cores():
    """Run at most as many jobs at a time as the machine has cores: more would slow each other down. On a cluster its own
    limits apply."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    requested = workflow.resource_settings.cores  # None for --report and the like
    if workflow.is_main_process and workflow.nodes is None and requested:
        workflow.register_resource("_cores", min(requested, available))


cap_cores()

with exit_on_user_error():
    check_config(config)

NOTEBOOK_MODELS = [name for name, model in config["models"].items() if model.get("notebook")]

# Shared by all rules: the checked configuration, where files lie, and inputs by name.

import fcntl
import os
import re
import shutil
import sys
import time

from latentlab import cluster, files, jobs, provenance, settings
from latentlab.data import FOREIGN
from latentlab.errors import in_one_sentence

STARTED = time.time()
CONFIG_SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
RUN, LOGS, BENCHMARKS = (
    f"results/{kind}/{{dataset}}/{{model}}/d{{latent_dim}}/seed{{seed}}" for kind in ("models", "logs", "benchmarks")
)
# a code that can be drawn
PLANE, PLANE_LOGS = (f"results/{kind}/{{dataset}}/{{model}}/d2/seed{{seed}}" for kind in ("models", "logs"))
SWEEP, SUBSPACES = (f"results/{kind}/{{dataset}}/{{model}}" for kind in ("sweeps", "subspaces"))


wildcard_constraints:
    dataset="[A-Za-z0-9]+",
    model="[A-Za-z0-9_-]+",
    latent_dim="[1-9][0-9]*",
    seed="[0-9]+",
    handin="[A-Za-z0-9_-]+",
    notebook="[A-Za-z0-9_-]+",


def unique(values):
    return list(dict.fromkeys(values))


def code(script):
    """The library modules that a script uses, as inputs: editing one reruns what depends on it."""
    return provenance.imported_modules(ROOT / "workflow/scripts" / script)


def shown(path, category, what, **labels):
    """A file that `snakemake --report` shows: under its category, whose caption it has, by what it shows and its wildcards."""
    labels |= {name: f"{{{name}}}" for name in re.findall(r"\{(\w+)\}", path)}
    caption = ROOT / f"workflow/report/{category.lower().replace(' ', '-')}.rst"
    return report(path, category=category, labels={"shows": what} | labels, caption=caption)


def run_of(model, dataset):
    """The wildcards of a model trained as its entry of `models:` says."""
    entry = settings_of(model)
    return {
        "dataset": dataset,
        "model": model,
        "latent_dim": entry["latent_dim"],
        "seed": entry["seed"],
    }


def settings_of(model):
    return settings.resolve(config, CONFIG_SCHEMA, model)


def model_settings(wildcards):
    return settings_of(wildcards.model)


def data_request(wildcards):
    """Where to look for the data. The published files are the same wherever they come from: once they are here,
    another folder or mirror is no change, and this stays what it was when they came."""
    request = {"data_dir": config["data_dir"], "source": config["data_source"]}  # sorted, as it is remembered
    record, remembered = (Path(f"results/data/{wildcards.dataset}{end}.json") for end in ("", ".request"))
    if request["source"] != "stand-in" and record.is_file() and remembered.is_file():
        if not files.read_json(record)["source"] == "stand-in":
            return files.read_json(remembered)
    return request


def model_priority(wildcards):
    """The longest first, so that the last page need not wait for it: by the epochs, of which one with convolutions takes
    about as long as twenty without; what is a classifier afterwards takes as long again to be measured."""
    entry = settings_of(wildcards.model)
    return entry["epochs"] * (20 if entry["family"] == "convolutional" else 2 if entry["conditional"] else 1)


def graphics_processors(wildcards):
    """How many a training takes: one, where there are any and the configuration lets it."""
    there = config["device"] == "auto" and shutil.which("nvidia-smi") is not None
    return int(there or config["device"] == "cuda")


def sweep_runs(wildcards, name, seeds=None):
    """The file `name` of every point of the sweep."""
    seeds = range(config["sweep_seeds"]) if seeds is None else seeds
    return expand(f"{RUN}/{name}", latent_dim=config["sweep_dims"], seed=seeds, **wildcards)


def start_alone():
    """Hold this working directory for as long as the process lives, and clear what a killed run left half-written.

    A lock of the operating system vanishes with its process, so nothing ever has to be unlocked.
    """
    global held  # or the file would be closed, and the lock with it
    if workflow.is_main_process:
        held = open(".snakemake/running", "w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"latentlab: another run is at work in {Path.cwd()}; wait until it ends, or end it")
        for folder in ("results", "resources"):
            files.clear_partial(folder)
        if old := files.set_aside_other_formats("results"):
            print(f"latentlab: the results were made by another version: they now lie in {old}", file=sys.stderr)
            os.chdir(workflow.rundir)
            os.execv(sys.executable, sys.orig_argv)  # again, for what there is to do has changed
        if workflow.nodes is not None and shutil.which("scancel"):
            cluster.cancel_orphans(Path.cwd())


def tell_what_was_made():
    """Where the pages are, and what took how long."""
    rules = jobs.by_rule("results/logs", since=STARTED)
    longest = ", ".join(f"{rule} {one['cpu']:.0f}" for rule, one in list(rules.items())[:5])
    if rules:
        count, minutes = sum(one["jobs"] for one in rules.values()), (time.time() - STARTED) / 60
        print(
            f"latentlab: {count} job{'s' * (count > 1)} in {minutes:.1f} minutes; seconds of CPU: {longest}",
            file=sys.stderr,
        )
    made = [Path("results/report.pdf"), Path("results/explorer.html"), *sorted(Path("results/handins").glob("*/*.pdf"))]
    for path in made:
        if path.exists() and path.stat().st_mtime >= STARTED:
            print(f"latentlab: made {os.path.relpath(path, ROOT)}", file=sys.stderr)


def leave_out_cores_that_are_not_there():
    """More jobs at a time than the machine has cores would make each of them slower; on a cluster its own limits hold."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    asked = workflow.resource_settings.cores  # none for --report and the like
    if workflow.is_main_process and workflow.nodes is None and asked:
        workflow.register_resource("_cores", min(asked, own))


leave_out_cores_that_are_not_there()

with in_one_sentence():
    settings.check(config, CONFIG_SCHEMA)

# Shared by all rules: the checked configuration, the runs that the hand-ins ask for, and inputs by name.

import fcntl
import os
import sys

from latentlab import discussion, files, handins, provenance, settings
from latentlab.data import FOREIGN
from latentlab.errors import UserError

CONFIG_SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
HANDIN_SCHEMA = ROOT / "workflow/schemas/handin.schema.yaml"
RUN = "results/models/{dataset}/{model}/d{latent_dim}/seed{seed}"
SWEEP = "results/sweeps/{dataset}/{model}"
SUBSPACES = "results/subspaces/{dataset}/{model}"
PLANE = "results/models/{dataset}/{model}/d2/seed{seed}"  # a code that can be drawn
LOGS, PLANE_LOGS = (folder.replace("/models/", "/logs/") for folder in (RUN, PLANE))
ATTACHED = ["config.yaml", "provenance.json"]  # beside the page, and attached to its PDF
BENCHMARKS = RUN.replace("/models/", "/benchmarks/")


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


def has_map(run):
    """Whether a run has one decoder grid: its code is a plane, and no label changes what the plane decodes to."""
    return run["latent_dim"] == 2 and not settings_of(run["model"])["conditional"]


def can_classify(run):
    """Whether Bayes' rule can turn a run's model round: a VAE that is given the label."""
    entry = settings_of(run["model"])
    return entry["family"] == "vae" and entry["conditional"]


def from_runs(name, wanted=lambda run: True):
    """The file `name` of every run that some hand-in needs."""
    return unique(f"{RUN}/{name}".format(**run) for run in RUNS if wanted(run))


def runs_of(handin):
    """The runs of a hand-in by the names its template gives them."""
    spec = HANDINS[handin]
    return {name: run_of(model["entry"], model["dataset"]) for name, model in spec["models"].items()}


def file_of(handin, name, file):
    """The path of a file that belongs to what a hand-in calls `name`: a model's run and its rivals, or one model at
    several dimensions."""
    model = handins.all_models(HANDINS[handin])[name]
    if file == "baselines.json":
        return f"results/baselines/{model['dataset']}.json"
    for section, folder in (("sweeps", SWEEP), ("subspaces", SUBSPACES)):
        if name in HANDINS[handin][section]:
            return f"{folder}/{file}".format(dataset=model["dataset"], model=model["entry"])
    return f"{RUN}/{file}".format(**runs_of(handin)[name])


def data_of(handin):
    """The records of all the data that a hand-in rests on, its own first."""
    used = [model["dataset"] for model in handins.all_models(HANDINS[handin]).values()]
    return expand("results/data/{dataset}.json", dataset=unique([HANDINS[handin]["dataset"], *used]))


def pages_of(handin):
    return expand("results/handins/{name}/{name}.{kind}", name=handin, kind=["html", "pdf"])


def notebooks_of(handin):
    """The files of each notebook that a hand-in's folder has a template of."""
    return [
        f"results/handins/{handin}/notebook/{path.name.removesuffix('.md.j2')}.{kind}"
        for path in sorted((ROOT / "templates" / handin).glob("*.md.j2"))
        for kind in ("ipynb", "html", "zip")
    ]


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
        for partial in [*Path("results").rglob(files.PARTIAL + "*"), *Path("resources").rglob(files.PARTIAL + "*")]:
            partial.unlink(missing_ok=True)


def leave_out_cores_that_are_not_there():
    """More jobs at a time than the machine has cores would make each of them slower; on a cluster its own limits hold."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if workflow.is_main_process and workflow.nodes is None and workflow.cores:
        workflow.register_resource("_cores", min(workflow.cores, own))


leave_out_cores_that_are_not_there()

try:
    settings.check(config, CONFIG_SCHEMA)
    HANDINS = {
        name: handins.load(ROOT / "templates", name, HANDIN_SCHEMA) for name in handins.names(ROOT / "templates")
    }
    handins.load(ROOT / "templates", config["handin"], HANDIN_SCHEMA)
    if config["discussion"]:
        discussion.read(config["discussion"])
    RUNS = [run for name in HANDINS for run in runs_of(name).values()]
    SWEEPS = unique(file_of(handin, name, "sweep.json") for handin, spec in HANDINS.items() for name in spec["sweeps"])
    BESIDE_PCA = unique(
        file_of(handin, name, "subspaces.json") for handin, spec in HANDINS.items() for name in spec["subspaces"]
    )
    for spec in HANDINS.values():
        for model in handins.all_models(spec).values():
            settings_of(model["entry"])
except UserError as error:
    sys.exit(f"latentlab: {error}")

CLASSIFIERS = from_runs("classifier.json", can_classify) + unique(
    f"results/baselines/{run['dataset']}.json" for run in RUNS if can_classify(run)
)
NOTEBOOKS = [file for name in HANDINS for file in notebooks_of(name)]
PAGES = [file for name in HANDINS for file in pages_of(name)] + ["results/report.html", "results/report.pdf"]

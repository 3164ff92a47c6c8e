# The hand-ins of templates/, and what the rules read for each of them.

from latentlab import discussion, handins

HANDIN_SCHEMA = ROOT / "workflow/schemas/handin.schema.yaml"
ATTACHED = ["config.yaml", "provenance.json"]  # beside the page, and attached to its PDF


def runs_of(handin):
    """The runs of a hand-in by the names its template gives them."""
    spec = HANDINS[handin]
    return {name: run_of(model["entry"], model["dataset"]) for name, model in spec["models"].items()}


def has_map(run):
    """Whether a run has one decoder grid: its code is a plane, and no label changes what the plane decodes to."""
    return run["latent_dim"] == 2 and not settings_of(run["model"])["conditional"]


def can_classify(run):
    """Whether a run's model makes a classifier: a VAE that is given the label, which Bayes turns round."""
    entry = settings_of(run["model"])
    return settings.families()[entry["family"]] and entry["conditional"]


def from_runs(name, wanted=lambda run: True):
    """The file `name` of every run that some hand-in needs."""
    return unique(f"{RUN}/{name}".format(**run) for run in RUNS if wanted(run))


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
    """The page, and the explorer if there is something to explore."""
    files = [f"{handin}.html", f"{handin}.pdf"] + ["explorer.html"] * bool(planes(handin))
    return expand("results/handins/{name}/{file}", name=handin, file=files)


def planes(handin):
    """What a hand-in calls the models that its explorer shows: those of its own data whose code is a plane."""
    own = HANDINS[handin]["dataset"]
    return [name for name, run in runs_of(handin).items() if run["latent_dim"] == 2 and run["dataset"] == own]


def plane_files(file):
    """An input function: `file` of each of those models."""
    return lambda wildcards: [file_of(wildcards.handin, name, file) for name in planes(wildcards.handin)]


def published(handin):
    """What of a hand-in becomes results/report and results/explorer: the name there → where it is."""
    return {Path(path).name.replace(f"{handin}.", "report."): path for path in pages_of(handin)}


def notebooks_of(handin):
    """The files of each notebook that a hand-in's folder has a template of."""
    return [
        f"results/handins/{handin}/notebook/{path.name.removesuffix('.md.j2')}.{kind}"
        for path in sorted((ROOT / "templates" / handin).glob("*.md.j2"))
        for kind in ("ipynb", "html", "zip")
    ]


def figures_of(handin):
    return [f"results/handins/{handin}/figures/{name}.svg" for name in HANDINS[handin]["figures"]]


def drawn(handin):
    """What the figures of a hand-in need: pairs of what it calls a model and one of that model's files."""
    figures = HANDINS[handin]["figures"].values()
    return unique(
        (name, need) for figure in figures for name in figure["models"] for need in handins.NEEDS[figure["plot"]]
    )


def figure_files(handin):
    return unique(file_of(handin, name, need) for name, need in drawn(handin))


def drawings(handin):
    """The figures of a hand-in as plots.py draws them: each its entry of handin.yaml, with the knobs that bear on it,
    its panels, and the data set that names the classes, its first model's."""
    return [
        figure
        | {
            "options": options_of(figure["plot"]),
            "panels": [panel_of(handin, name, figure["plot"]) for name in figure["models"]],
            "dataset": handins.all_models(HANDINS[handin])[figure["models"][0]]["dataset"],
        }
        for figure in HANDINS[handin]["figures"].values()
    ]


def panel_of(handin, name, plot):
    return models_of(handin)[name] | {"files": {need: file_of(handin, name, need) for need in handins.NEEDS[plot]}}


def options_of(plot):
    return {name: config[knob] for name, knob in handins.KNOBS.get(plot, {}).items()}


def models_of(handin):
    """What figures say of the models besides their files: their labels, and whether their codes are random."""
    return {
        name: {"label": model["label"], "random": settings.families()[settings_of(model["entry"])["family"]]}
        for name, model in handins.all_models(HANDINS[handin]).items()
    }


def page_parts(wildcards):
    """The files of figures that the page may quote, by the names its template gives to what was measured."""
    spec = HANDINS[wildcards.handin]
    needed = drawn(wildcards.handin)
    parts = {name: ["sweep.json"] for name in spec["sweeps"]}
    parts |= {name: ["subspaces.json"] for name in spec["subspaces"]}
    for name, run in runs_of(wildcards.handin).items():
        parts[name] = ["metrics.json"] + ["map.json"] * has_map(run)
        parts[name] += ["failures.json"] * ((name, "failures.json") in needed)
        parts[name] += ["conditions.json"] * ((name, "conditions.json") in needed)
        parts[name] += ["classifier.json", "baselines.json"] * ((name, "classifier.json") in needed)
        if "parts" in spec["models"][name]:  # the hand-in says itself what it quotes
            parts[name] = spec["models"][name]["parts"]
    return parts


def metrics_files(wildcards):
    parts = page_parts(wildcards)
    return [file_of(wildcards.handin, name, part) for name in parts for part in parts[name]]


def page_title(wildcards):
    """A title of one's own is that of the chosen hand-in."""
    own = config["title"] if wildcards.handin == config["handin"] else None
    return own or HANDINS[wildcards.handin]["title"]


def page_discussion(wildcards):
    """And so is a discussion: it answers one sheet's questions."""
    return config["discussion"] or [] if wildcards.handin == config["handin"] else []


def page_settings(wildcards):
    """The configuration that the page rests on: its models resolved, and every knob that is not in them, but none that
    says where files lie."""
    spec = HANDINS[wildcards.handin]
    entries = {model["entry"] for model in handins.all_models(spec).values()}
    elsewhere = {"models", "device", "data_dir", "data_source", "discussion", *settings.OVERRIDES}
    knobs = {key: value for key, value in config.items() if key not in elsewhere}
    own = {"handin": wildcards.handin, "title": page_title(wildcards)}
    models = {entry: settings_of(entry) for entry in sorted(entries)}
    return dict(sorted((knobs | own | {"models": models}).items()))  # params are compared in order


def template_files(wildcards):
    """The shared base and the hand-in's own folder."""
    folders = [ROOT / "templates", ROOT / "templates" / wildcards.handin]
    return sorted(str(path) for folder in folders for path in folder.iterdir() if path.is_file())


def archive_parts(wildcards):
    """The files that the archive holds of each model and sweep, by the names its template gives them."""
    spec = HANDINS[wildcards.handin]
    parts = {name: ["weights.safetensors"] * (name in spec["models"]) for name in handins.all_models(spec)}
    for name, measured in page_parts(wildcards).items():
        parts[name] += measured
    for name, need in drawn(wildcards.handin):
        parts[name].append(need)
    return {name: unique(files) for name, files in parts.items()}


def archive_files(wildcards):
    parts = archive_parts(wildcards)
    return [file_of(wildcards.handin, name, file) for name in parts for file in parts[name]]


def archive_contents(wildcards):
    """What the archive says of itself, besides its data."""
    spec = HANDINS[wildcards.handin]
    return {
        "dataset": spec["dataset"],
        "models": models_of(wildcards.handin),
        "figures": {name: figure | {"options": options_of(figure["plot"])} for name, figure in spec["figures"].items()},
    }


def handed_in(wildcards):
    """What the archive holds: where each file is → what it is called there."""
    name = wildcards.handin
    folder = f"results/handins/{name}"
    named = {path: Path(path).name for path in pages_of(name) + [f"{folder}/{part}" for part in ATTACHED]}
    named |= {path: f"notebook/{Path(path).name}" for path in notebooks_of(name)}
    parts = page_parts(wildcards)
    return named | {file_of(name, part, file): f"metrics/{part}/{file}" for part in parts for file in parts[part]}


with in_one_sentence():
    HANDINS = {
        name: handins.load(ROOT / "templates", name, HANDIN_SCHEMA) for name in handins.names(ROOT / "templates")
    }
    handins.load(ROOT / "templates", config["handin"], HANDIN_SCHEMA)
    if config["discussion"]:
        discussion.read(config["discussion"])
    for name, spec in HANDINS.items():
        entries = {model["entry"]: settings_of(model["entry"]) for model in handins.all_models(spec).values()}
        handins.check(name, spec, entries, settings.families())

RUNS = [run for name in HANDINS for run in runs_of(name).values()]
SWEEPS = unique(file_of(handin, name, "sweep.json") for handin, spec in HANDINS.items() for name in spec["sweeps"])
BESIDE_PCA = unique(
    file_of(handin, name, "subspaces.json") for handin, spec in HANDINS.items() for name in spec["subspaces"]
)
CLASSIFIERS = from_runs("classifier.json", can_classify) + unique(
    f"results/baselines/{run['dataset']}.json" for run in RUNS if can_classify(run)
)
NOTEBOOKS = [file for name in HANDINS for file in notebooks_of(name)]
PAGES = [file for name in HANDINS for file in pages_of(name)] + [
    f"results/{name}" for name in published(config["handin"])
]

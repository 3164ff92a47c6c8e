# The page: figures, then HTML, then the PDF printed from that HTML.


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
    """What figures say of the models besides their files: their labels, and their family."""
    return {
        name: {"label": model["label"], "family": settings_of(model["entry"])["family"]}
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


def figures_of(handin):
    return [f"results/handins/{handin}/figures/{name}.svg" for name in HANDINS[handin]["figures"]]


def metrics_files(wildcards):
    parts = page_parts(wildcards)
    return [file_of(wildcards.handin, name, part) for name in parts for part in parts[name]]


# A rule for each hand-in, for each draws figures of its own: one job, for a figure takes less time than its start.
for handin in HANDINS:

    rule:
        name:
            f"plot_{handin}"
        input:
            files=figure_files(handin),
            style=ROOT / "matplotlibrc",
            code=code("plot_figures.py"),
        output:
            figures=figures_of(handin),
        log:
            f"results/logs/handins/{handin}/plot_figures.log",
        threads: 1
        params:
            figures=drawings(handin),
        message:
            f"Draw the figures of {handin}"
        script:
            "../scripts/plot_figures.py"


rule render_html:
    input:
        metrics=metrics_files,
        data=lambda wildcards: data_of(wildcards.handin),
        figures=lambda wildcards: figures_of(wildcards.handin),
        templates=template_files,
        discussion=page_discussion,
        code=code("render_html.py"),
    output:
        html="results/handins/{handin}/{handin}.html",
        provenance="results/handins/{handin}/provenance.json",
        config="results/handins/{handin}/config.yaml",
    log:
        "results/logs/handins/{handin}/render_html.log",
    threads: 1
    params:
        title=page_title,
        course=lookup("course", within=config),
        authors=lookup("authors", within=config),
        sections=lambda wildcards: HANDINS[wildcards.handin]["sections"],
        settings=page_settings,
        parts=page_parts,
    message:
        "Write the page of {wildcards.handin}"
    script:
        "../scripts/render_html.py"


rule print_pdf:
    input:
        html="results/handins/{handin}/{handin}.html",
        provenance="results/handins/{handin}/provenance.json",
        config="results/handins/{handin}/config.yaml",
        code=code("print_pdf.py"),
    output:
        pdf="results/handins/{handin}/{handin}.pdf",
    log:
        "results/logs/handins/{handin}/print_pdf.log",
    threads: 1
    message:
        "Print {wildcards.handin} on one side of A4"
    script:
        "../scripts/print_pdf.py"


rule publish_report:
    input:
        page=f"results/handins/{config['handin']}/{config['handin']}.{{kind}}",
        data=data_of(config["handin"]),
        code=code("publish_report.py"),
    output:
        page="results/report.{kind}",
    log:
        "results/logs/publish_report/{kind}.log",
    wildcard_constraints:
        kind="html|pdf",
    threads: 1
    message:
        "The chosen hand-in, {config[handin]}, becomes results/report.{wildcards.kind}"
    script:
        "../scripts/publish_report.py"

# The page: figures, then HTML, then the PDF printed from that HTML.


def handin_figure(wildcards):
    return HANDINS[wildcards.handin]["figures"][wildcards.figure]


def figure_files(wildcards):
    """What the figure's kind needs of each of its models, file by file."""
    figure = handin_figure(wildcards)
    needs = handins.NEEDS[figure["plot"]]
    return [file_of(wildcards.handin, name, need) for name in figure["models"] for need in needs]


def figure_dataset(wildcards):
    """What the classes of the figure are called follows from its first model's data."""
    return handins.all_models(HANDINS[wildcards.handin])[handin_figure(wildcards)["models"][0]]["dataset"]


def figure_options(wildcards):
    """The knobs that bear on the figure, and no others."""
    return options_of(handin_figure(wildcards)["plot"])


def options_of(plot):
    return {name: config[knob] for name, knob in handins.KNOBS.get(plot, {}).items()}


def page_models(wildcards):
    """What figures say of the models besides their files: their labels, and their family."""
    spec = HANDINS[wildcards.handin]
    return {
        name: {"label": model["label"], "family": settings_of(model["entry"])["family"]}
        for name, model in handins.all_models(spec).items()
    }


def page_parts(wildcards):
    """The files of figures that the page may quote, by the names its template gives to what was measured."""
    spec = HANDINS[wildcards.handin]
    drawn = {
        (name, need)
        for figure in spec["figures"].values()
        for name in figure["models"]
        for need in handins.NEEDS[figure["plot"]]
    }
    parts = {name: ["sweep.json"] for name in spec["sweeps"]}
    parts |= {name: ["subspaces.json"] for name in spec["subspaces"]}
    for name, run in runs_of(wildcards.handin).items():
        parts[name] = ["metrics.json"] + ["map.json"] * has_map(run)
        parts[name] += ["likelihood.json"] * (settings_of(run["model"])["family"] == "vae")
        parts[name] += ["failures.json"] * ((name, "failures.json") in drawn)
        parts[name] += ["conditions.json"] * ((name, "conditions.json") in drawn)
        parts[name] += ["classifier.json", "baselines.json"] * ((name, "classifier.json") in drawn)
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
    elsewhere = {"models", "data_dir", "data_source", "discussion", *settings.OVERRIDES}
    knobs = {key: value for key, value in config.items() if key not in elsewhere}
    own = {"handin": wildcards.handin, "title": page_title(wildcards)}
    models = {entry: settings_of(entry) for entry in sorted(entries)}
    return dict(sorted((knobs | own | {"models": models}).items()))  # params are compared in order


def template_files(wildcards):
    """The shared base and the hand-in's own folder."""
    folders = [ROOT / "templates", ROOT / "templates" / wildcards.handin]
    return sorted(str(path) for folder in folders for path in folder.iterdir() if path.is_file())


def handin_figures(wildcards):
    return [f"results/handins/{wildcards.handin}/figures/{name}.svg" for name in HANDINS[wildcards.handin]["figures"]]


def metrics_files(wildcards):
    parts = page_parts(wildcards)
    return [file_of(wildcards.handin, name, part) for name in parts for part in parts[name]]


rule plot_figure:
    input:
        files=figure_files,
        style=ROOT / "matplotlibrc",
        code=code("plot_figure.py"),
    output:
        figure="results/handins/{handin}/figures/{figure}.svg",
    log:
        "results/logs/handins/{handin}/plot_{figure}.log",
    threads: 1
    params:
        spec=handin_figure,
        models=page_models,
        dataset=figure_dataset,
        options=figure_options,
    message:
        "Draw {wildcards.figure} of {wildcards.handin}"
    script:
        "../scripts/plot_figure.py"


rule render_html:
    input:
        metrics=metrics_files,
        data=lambda wildcards: data_of(wildcards.handin),
        figures=handin_figures,
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

# The notebook of a hand-in, run where it is handed in: in a folder that holds the archive's files and nothing else.


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


rule write_notebook:
    input:
        files=archive_files,
        records=lambda wildcards: data_of(wildcards.handin),
        template=ROOT / "templates/{handin}/{notebook}.md.j2",
        page=expand(ROOT / "templates/notebook/{file}", file=["index.html.j2", "conf.json"]),
        style=ROOT / "matplotlibrc",
        code=provenance.all_modules(),
    output:
        notebook="results/handins/{handin}/notebook/{notebook}.ipynb",
        html="results/handins/{handin}/notebook/{notebook}.html",
        archive="results/handins/{handin}/notebook/{notebook}.zip",
    log:
        "results/logs/handins/{handin}/write_{notebook}.log",
    threads: 1
    params:
        parts=archive_parts,
        measured=page_parts,
        contents=archive_contents,
        title=page_title,
        course=lookup("course", within=config),
        authors=lookup("authors", within=config),
        settings=page_settings,
    message:
        "Run the notebook {wildcards.notebook} of {wildcards.handin}, and pack what is handed in"
    script:
        "../scripts/write_notebook.py"

# The notebook of an assignment. Its cells run as soon as the data are there, for they train models that others evaluate;
# its text is written around them when everything that it quotes was measured.


rule run_notebook:
    input:
        data="results/data/{dataset}.json",
        cells=source("templates/{assignment}/{notebook}.py"),
    output:
        cells=f"{NOTEBOOK_FOLDER}/cells.ipynb",
        measurements=f"{NOTEBOOK_FOLDER}/measurements.json",
        weights=f"{NOTEBOOK_FOLDER}/weights.npz",
    log:
        f"{NOTEBOOK_FOLDER}/run_notebook.log".replace("results", "results/logs", 1),
    benchmark:
        f"{NOTEBOOK_FOLDER}/run_notebook.tsv".replace("results", "results/benchmarks", 1)
    priority: 1000  # it trains several models, one after the other
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_of("run_notebook.py"),
        settings=lambda wildcards: notebook_settings(
            config, f"{wildcards.assignment}/{wildcards.notebook}", wildcards.dataset
        ),
    message:
        "Run the cells of notebook {wildcards.notebook} of {wildcards.assignment} on {wildcards.dataset}"
    script:
        "../scripts/run_notebook.py"


rule store_notebook_model:
    input:
        data="results/data/{dataset}.json",
        measurements=lambda wildcards: notebook_file(wildcards, "measurements.json"),
        weights=lambda wildcards: notebook_file(wildcards, "weights.npz"),
    output:
        weights=f"{RUN_FOLDER}/weights.safetensors",
        history=f"{RUN_FOLDER}/history.csv",
        metrics=f"{RUN_FOLDER}/notebook.json",
    log:
        f"{RUN_LOGS}/store_notebook_model.log",
    wildcard_constraints:
        model="|".join(map(re.escape, NOTEBOOK_MODELS)) or NO_NAME,
        latent_dim="2",
    threads: 1
    params:
        code=code_of("store_notebook_model.py"),
        settings=lambda wildcards: model_settings(wildcards).to_dict(),
    message:
        "Store {wildcards.model}, which a notebook trained on {wildcards.dataset}"
    script:
        "../scripts/store_notebook_model.py"


rule build_notebook:
    input:
        cells=lambda wildcards: assignment_of(wildcards).notebook_cells(wildcards.notebook),
        files=lambda wildcards: [
            assignment_of(wildcards).file(*part) for part in assignment_of(wildcards).archive_parts()
        ],
        records=lambda wildcards: assignment_of(wildcards).data_records(),
        template=source("templates/{assignment}/{notebook}.md.j2"),
        phrases=source("templates/phrases.html.j2"),
        html_template=source("templates/notebook/index.html.j2"),
        html_settings=source("templates/notebook/conf.json"),
        style=source("matplotlibrc"),
        answers=lambda wildcards: report_of(wildcards).own_text(report_config(wildcards), "notebook_answers"),
    output:
        notebook="results/reports/{assignment}{student}/notebook/{notebook}.ipynb",
        html=in_report("results/reports/{assignment}{student}/notebook/{notebook}.html", "Reports", "notebook"),
        archive="results/reports/{assignment}{student}/notebook/{notebook}.zip",
        library="results/reports/{assignment}{student}/notebook/{notebook}-library.zip",
    log:
        "results/logs/reports/{assignment}{student}/{notebook}/build_notebook.log",
    threads: 1
    params:
        code=lambda wildcards: code_digest([ROOT / "workflow/scripts/build_notebook.py", *all_modules()]),  # it is in the archive
        parts=lambda wildcards: assignment_of(wildcards).archive_parts(),
        page_metrics=lambda wildcards: assignment_of(wildcards).page_metrics(),
        figures=lambda wildcards: [spec.to_dict() for spec in assignment_of(wildcards).figure_specs(config)],
        title=lambda wildcards: report_of(wildcards).page_title(report_config(wildcards)),
        course=lookup("course", within=config),
        authors=lambda wildcards: report_config(wildcards)["authors"],
        preview=lookup("preview", within=config),
        settings=lambda wildcards: report_of(wildcards).page_settings(report_config(wildcards)),
    message:
        "Write the text of notebook {wildcards.notebook} of {wildcards.assignment}, and pack its archives"
    script:
        "../scripts/build_notebook.py"

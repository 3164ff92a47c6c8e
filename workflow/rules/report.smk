# The page: figures, then HTML, then the PDF printed from that HTML.


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
            figures=[shown(path, "Figures", Path(path).stem, handin=handin) for path in figures_of(handin)],
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
        html=shown("results/handins/{handin}/{handin}.html", "Hand-ins", "page"),
        provenance="results/handins/{handin}/provenance.json",
        config="results/handins/{handin}/config.yaml",
    log:
        "results/logs/handins/{handin}/render_html.log",
    threads: 1
    params:
        title=page_title,
        explorer=lambda wildcards: bool(planes(wildcards.handin)),
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
        pdf=shown("results/handins/{handin}/{handin}.pdf", "Hand-ins", "PDF"),
    log:
        "results/logs/handins/{handin}/print_pdf.log",
    threads: 1
    message:
        "Print {wildcards.handin} on one side of A4"
    script:
        "../scripts/print_pdf.py"


rule publish_report:
    input:
        page=lambda wildcards: published(config["handin"])[wildcards.page],
        data=data_of(config["handin"]),
        code=code("publish_report.py"),
    output:
        page="results/{page}",
    log:
        "results/logs/publish_report/{page}.log",
    wildcard_constraints:
        page="|".join(published(config["handin"])),
    localrule: True  # only a copy
    threads: 1
    message:
        "The chosen hand-in, {config[handin]}, becomes results/{wildcards.page}"
    script:
        "../scripts/publish_report.py"

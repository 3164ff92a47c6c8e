# The report: HTML from figures and metrics, then the PDF printed from that HTML.


rule render_html:
    input:
        metrics=lambda wildcards: [
            assignment_of(wildcards).file(*part) for part in assignment_of(wildcards).page_metric_parts()
        ],
        data=lambda wildcards: assignment_of(wildcards).data_records(),
        figures=lambda wildcards: assignment_of(wildcards).figure_files(),
        templates=template_files,
        discussion=lambda wildcards: assignment_of(wildcards).own_text(config, "discussion"),
    output:
        html=in_report("results/reports/{assignment}/{assignment}.html", "Reports", "HTML"),
        provenance="results/reports/{assignment}/provenance.json",
        config="results/reports/{assignment}/config.yaml",
    log:
        "results/logs/reports/{assignment}/render_html.log",
    threads: 1
    params:
        code=code_of("render_html.py"),
        title=lambda wildcards: assignment_of(wildcards).page_title(config),
        explorer=lambda wildcards: bool(assignment_of(wildcards).plane_models()),
        course=lookup("course", within=config),
        authors=lookup("authors", within=config),
        preview=lookup("preview", within=config),
        sections=lambda wildcards: assignment_of(wildcards).sections,
        settings=lambda wildcards: assignment_of(wildcards).page_settings(config),
        page_metrics=lambda wildcards: assignment_of(wildcards).page_metrics(),
    message:
        "Render the report of {wildcards.assignment} as HTML"
    script:
        "../scripts/render_html.py"


rule print_pdf:
    input:
        html="results/reports/{assignment}/{assignment}.html",
        attachments=lambda wildcards: list(assignment_of(wildcards).attachments(config).values()),
    output:
        pdf=in_report("results/reports/{assignment}/{assignment}.pdf", "Reports", "PDF"),
    log:
        "results/logs/reports/{assignment}/print_pdf.log",
    threads: 1
    params:
        code=code_of("print_pdf.py"),
        names=lambda wildcards: list(assignment_of(wildcards).attachments(config)),
    message:
        "Print the report of {wildcards.assignment} on one side of A4"
    script:
        "../scripts/print_pdf.py"


rule publish_report:
    input:
        page=lambda wildcards: PUBLISHED[wildcards.page],
        data=CHOSEN.data_records(),
    output:
        page="results/{page}",
    log:
        "results/logs/reports/published/publish_report.{page}.log",
    wildcard_constraints:
        page="|".join(PUBLISHED),
    localrule: True  # only a copy
    threads: 1
    params:
        code=code_of("publish_report.py"),
    message:
        "Copy the chosen assignment, {config[assignment]}, to results/{wildcards.page}"
    script:
        "../scripts/publish_report.py"

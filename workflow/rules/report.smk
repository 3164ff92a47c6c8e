# The report: HTML from figures and metrics, then the PDF printed from that HTML.


rule render_html:
    input:
        metrics=lambda wildcards: [
            assignment_of(wildcards).file(*part) for part in assignment_of(wildcards).page_metric_parts()
        ],
        data=lambda wildcards: assignment_of(wildcards).data_records(),
        figures=lambda wildcards: assignment_of(wildcards).figure_files(),
        templates=template_files,
        discussion=lambda wildcards: report_of(wildcards).own_text(report_config(wildcards), "discussion"),
    output:
        html=in_report("results/reports/{assignment}{student}/{assignment}.html", "Reports", "HTML"),
        provenance="results/reports/{assignment}{student}/provenance.json",
        config="results/reports/{assignment}{student}/config.yaml",
    log:
        "results/logs/reports/{assignment}{student}/render_html.log",
    threads: 1
    params:
        code=code_of("render_html.py"),
        title=lambda wildcards: report_of(wildcards).page_title(report_config(wildcards)),
        explorer=lambda wildcards: bool(assignment_of(wildcards).plane_models()),
        course=lookup("course", within=config),
        authors=lambda wildcards: report_config(wildcards)["authors"],
        preview=lookup("preview", within=config),
        sections=lambda wildcards: assignment_of(wildcards).sections,
        settings=lambda wildcards: report_of(wildcards).page_settings(report_config(wildcards)),
        page_metrics=lambda wildcards: assignment_of(wildcards).page_metrics(),
    message:
        "Render the report of {wildcards.assignment} as HTML"
    script:
        "../scripts/render_html.py"


rule print_pdf:
    input:
        html="results/reports/{assignment}{student}/{assignment}.html",
        attachments=lambda wildcards: list(report_of(wildcards).attachments(report_config(wildcards)).values()),
    output:
        pdf=in_report("results/reports/{assignment}{student}/{assignment}.pdf", "Reports", "PDF"),
    log:
        "results/logs/reports/{assignment}{student}/print_pdf.log",
    threads: 1
    params:
        code=code_of("print_pdf.py"),
        names=lambda wildcards: list(report_of(wildcards).attachments(report_config(wildcards))),
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

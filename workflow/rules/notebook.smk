# The notebook of an assignment, executed in a folder that holds the files of its archive and nothing else.


rule build_notebook:
    input:
        files=lambda wildcards: [
            assignment_of(wildcards).file(*part) for part in assignment_of(wildcards).archive_parts()
        ],
        records=lambda wildcards: assignment_of(wildcards).data_records(),
        template=source("templates/{assignment}/{notebook}.md.j2"),
        html_template=source("templates/notebook/index.html.j2"),
        html_settings=source("templates/notebook/conf.json"),
        style=source("matplotlibrc"),
        code=[source(path) for path in all_modules()],
    output:
        notebook="results/reports/{assignment}/notebook/{notebook}.ipynb",
        html=in_report("results/reports/{assignment}/notebook/{notebook}.html", "Reports", "notebook"),
        archive="results/reports/{assignment}/notebook/{notebook}.zip",
    log:
        "results/logs/reports/{assignment}/{notebook}/build_notebook.log",
    threads: 1
    params:
        parts=lambda wildcards: assignment_of(wildcards).archive_parts(),
        page_metrics=lambda wildcards: assignment_of(wildcards).page_metrics(),
        contents=lambda wildcards: ArchiveContents.of(assignment_of(wildcards), config).to_dict(),
        title=lambda wildcards: assignment_of(wildcards).page_title(config),
        course=lookup("course", within=config),
        authors=lookup("authors", within=config),
        settings=lambda wildcards: assignment_of(wildcards).page_settings(config),
    message:
        "Execute the notebook {wildcards.notebook} of {wildcards.assignment}, and pack its archive"
    script:
        "../scripts/build_notebook.py"

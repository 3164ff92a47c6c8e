# The notebook of a hand-in, run where it is handed in: in a folder that holds the archive's files and nothing else.


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
        html=shown("results/handins/{handin}/notebook/{notebook}.html", "Hand-ins", "notebook"),
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

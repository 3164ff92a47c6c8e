# The explorer: an interactive page of an assignment's latent planes, beside its report.


rule export_explorer:
    input:
        data=lambda wildcards: assignment_of(wildcards).data_records()[0],
        weights=plane_files("weights.safetensors"),
        codes=plane_files("codes.npz"),
        template=source("templates/explorer/page.html.j2"),
        assets=explorer_files(),
        style=source("matplotlibrc"),
    output:
        page=in_report("results/reports/{assignment}/explorer.html", "Reports", "explorer"),
    log:
        "results/logs/reports/{assignment}/export_explorer.log",
    priority: 10  # may take half a minute, so it should not be the last job
    threads: 1
    params:
        code=code_of("export_explorer.py"),
        preview=lookup("preview", within=config),
        title=lambda wildcards: assignment_of(wildcards).page_title(config),
        labels=lambda wildcards: [
            assignment_of(wildcards).entries[name].label for name in assignment_of(wildcards).plane_models()
        ],
    message:
        "Export the explorer of {wildcards.assignment}"
    script:
        "../scripts/export_explorer.py"

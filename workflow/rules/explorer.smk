# The explorer: the latent planes of a hand-in as a page to move in, beside its page.


rule write_explorer:
    input:
        data=lambda wildcards: data_of(wildcards.handin)[0],
        weights=plane_files("weights.safetensors"),
        codes=plane_files("codes.npz"),
        templates=sorted((ROOT / "templates/explorer").iterdir()),
        style=ROOT / "matplotlibrc",
        code=code("write_explorer.py"),
    output:
        page=shown("results/handins/{handin}/explorer.html", "Hand-ins", "explorer"),
    log:
        "results/logs/handins/{handin}/write_explorer.log",
    threads: 1
    params:
        title=page_title,
        labels=lambda wildcards: [models_of(wildcards.handin)[name]["label"] for name in planes(wildcards.handin)],
    message:
        "Write the explorer of {wildcards.handin}"
    script:
        "../scripts/write_explorer.py"

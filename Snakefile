# The whole pipeline at a glance: data → train → explore → report. `snakemake --cores 4` makes everything;
# a stage alone is made by its name, for instance `snakemake --cores 4 grids`.

from pathlib import Path

ROOT = Path(workflow.basedir)


configfile: ROOT / "config.yaml"


if (
    not Path("config.yaml").resolve() == ROOT / "config.yaml"
    and Path("config.yaml").is_file()
):
    # Another working directory (--directory) may hold a config.yaml with what it wants different.

    configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/explore.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        PAGES,


rule data:
    input:
        expand(
            "results/data/{dataset}.json",
            dataset=unique(run["dataset"] for run in RUNS),
        ),


rule train:
    input:
        from_runs("weights.safetensors"),


rule grids:
    input:
        from_runs("grid.png", plane_only=True),


rule embeddings:
    input:
        from_runs("codes.npz"),


rule figures:
    input:
        FIGURES,


rule handins:
    input:
        PAGES,


rule report:
    input:
        "results/report.html",
        "results/report.pdf",

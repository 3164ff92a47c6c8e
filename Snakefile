# The whole pipeline at a glance: data → train → explore → report. `snakemake --cores 4` makes everything;
# a stage alone is made by its name, for instance `snakemake --cores 4 grids`.

from pathlib import Path

from latentlab import files, settings
from latentlab.errors import in_one_sentence

ROOT = Path(workflow.basedir)
OWN = Path("config.yaml").resolve()  # of another working directory (--directory): only what differs there

with in_one_sentence():
    files.check_writable(Path.cwd())
    settings.look_through(ROOT / "config.yaml")
    has_own = OWN != ROOT / "config.yaml" and OWN.exists() and settings.look_through(OWN)


configfile: ROOT / "config.yaml"


if has_own:

    configfile: OWN


# Used only with --software-deployment-method apptainer, from the working directory; workflow/envs/ says how it is built.
container: "latentlab.sif"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/handins.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/explore.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/pca.smk"
include: "workflow/rules/classify.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/notebook.smk"
include: "workflow/rules/submission.smk"


onstart:
    with in_one_sentence():
        start_alone()


onsuccess:
    tell_what_was_made()


rule all:
    default_target: True
    input:
        PAGES,
        NOTEBOOKS,
        CLASSIFIERS,


rule train:
    input:
        from_runs("weights.safetensors"),


rule grids:
    input:
        from_runs("grid.png", has_map),


rule embeddings:
    input:
        from_runs("codes.npz"),


rule sweep:
    input:
        SWEEPS,


rule classifier:
    input:
        CLASSIFIERS,


rule subspaces:
    input:
        BESIDE_PCA,


rule figures:
    input:
        [figures_of(name) for name in HANDINS],


rule handins:
    input:
        PAGES,
        NOTEBOOKS,


rule report:
    input:
        [f"results/{name}" for name in published(config["handin"])],


rule submission:
    input:
        f"results/submission/{config['handin']}.zip",


# Each hand-in by its name: snakemake --cores 4 lab8
for name in HANDINS:
    if workflow.is_rule(name):
        sys.exit(f"latentlab: templates/{name}: a rule is called {name} already; give the folder another name")

    rule:
        name:
            name
        input:
            pages_of(name) + notebooks_of(name),

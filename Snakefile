# The whole pipeline at a glance: data → train → evaluate → report. `snakemake --cores 4` makes everything; a stage alone
# is made by its name, for instance `snakemake --cores 4 grids`.

import shlex
import sys
from pathlib import Path

from latentlab.records.config import read_as_typed
from latentlab.runtime.errors import UserError, exit_on_user_error
from latentlab.runtime.results import check_writable
from latentlab.runtime.safe_yaml import read_yaml

ROOT = Path(workflow.basedir)
# Snakemake inserts this path into shell commands without quotes; a folder may have spaces and other special characters.
sys.executable = shlex.quote(sys.executable)
LOCAL_CONFIG = Path("config.yaml").resolve()  # of another working directory (--directory): it holds only differences

with exit_on_user_error():
    check_writable(Path.cwd())
    read_yaml(ROOT / "config.yaml")  # Snakemake itself would report a mistake in it with a traceback
    has_local_config = LOCAL_CONFIG != ROOT / "config.yaml" and LOCAL_CONFIG.exists() and bool(read_yaml(LOCAL_CONFIG))


configfile: ROOT / "config.yaml"


if has_local_config:

    configfile: LOCAL_CONFIG


with exit_on_user_error():
    config_files = [ROOT / "config.yaml", *[LOCAL_CONFIG] * has_local_config, *workflow.config_settings.configfiles]
    config |= read_as_typed(config_files, workflow.config_settings.config)


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/assignments.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/classify.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/notebook.smk"
include: "workflow/rules/submission.smk"


onstart:
    if workflow.is_main_process:
        with exit_on_user_error():
            prepare_run()


onsuccess:
    print_summary()


rule all:
    default_target: True
    input:
        REPORTS,
        expand("results/{page}", page=PUBLISHED),
        NOTEBOOKS,
        CLASSIFIERS,


rule train:
    input:
        run_files("weights.safetensors"),


rule grids:
    input:
        run_files("grid.png", "plane", "unconditional"),


rule embeddings:
    input:
        run_files("codes.npz"),


rule sweep:
    input:
        SWEEPS,


rule classifier:
    input:
        CLASSIFIERS,


rule pca:
    input:
        PCA_COMPARISONS,


rule figures:
    input:
        FIGURES,


rule reports:
    input:
        REPORTS,
        expand("results/{page}", page=PUBLISHED),
        NOTEBOOKS,


rule report:
    input:
        expand("results/{page}", page=PUBLISHED),


# Of all students in the configuration, as ./run class writes it.
rule student_reports:
    input:
        STUDENT_REPORTS,


rule submission:
    input:
        f"results/submission/{config['assignment']}.zip",
        expand("results/{page}", page=PUBLISHED),  # not those of another assignment beside it


# Each assignment by its name: snakemake --cores 4 lab8
for assignment in ASSIGNMENTS.values():
    check_rule_name(assignment, assignment.name)

    rule:
        name:
            assignment.name
        input:
            assignment.report_files() + assignment.notebook_files(),

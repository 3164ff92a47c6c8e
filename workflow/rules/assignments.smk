# The assignments of templates/, and the files that the rules read for each of them.

from msgspec.structs import replace

from latentlab.records.assignment_file import NOTEBOOK_SUFFIX, assignment_names
from latentlab.records.assignments import load_assignment, unique
from latentlab.records.notebooks import CODE_SUFFIX, check_notebook_models
from latentlab.report.discussion import read_discussion

with exit_on_user_error():
    ASSIGNMENTS = {
        name: load_assignment(ROOT / "templates", name, config) for name in assignment_names(ROOT / "templates")
    }
    CHOSEN = ASSIGNMENTS.get(config["assignment"]) or load_assignment(ROOT / "templates", config["assignment"], config)
    check_notebook_models(
        config,
        models=unique(model for assignment in ASSIGNMENTS.values() for model in assignment.settings),
        known=[f"{name}/{notebook}" for name, assignment in ASSIGNMENTS.items() for notebook in assignment.notebooks],
    )
    STUDENTS = {student["id"]: student for student in config["students"]}
    for author in [config, *STUDENTS.values()]:
        for setting in OWN_TEXTS:
            if author.get(setting):
                read_discussion(author[setting], setting)
    if config["notebook_answers"] and not CHOSEN.notebooks:
        raise UserError(
            f"config: notebook_answers: assignment {CHOSEN.name} has no notebook; choose one that has, or write null"
        )
    if workflow.is_main_process:  # not again in every job
        from latentlab.report.template_check import check_templates

        check_templates(ROOT / "templates", ASSIGNMENTS.values())


# Names of folders and files that users choose: any that load_assignment accepts.
wildcard_constraints:
    assignment="|".join(map(re.escape, ASSIGNMENTS)),
    notebook="[^/]+",
    student=f"(/students/({'|'.join(map(re.escape, STUDENTS)) or NO_NAME}))?",  # nothing: that of the configuration


def own_images(assignment):
    """The declaration of an assignment's own images, and where they are; a folder of this repository relative to the working
    directory."""
    images = assignment.images
    if not Path(assignment.spec.images.folder).expanduser().is_absolute():
        images = replace(images, folder=source(images.folder))
    return assignment.spec.get_dataset(assignment.spec.dataset), images


def check_own_images(assignment):
    """Stop if an assignment calls its own images as another one calls different ones."""
    name = assignment.spec.dataset
    if OWN_IMAGES[name] != own_images(assignment):
        raise UserError(
            f"templates/{assignment.name}/assignment.yaml: dataset: another assignment has other images named {name}; choose "
            "another name"
        )


def check_rule_name(assignment, rule_name):
    """Stop if there is a rule of this name already."""
    if workflow.is_rule(rule_name):
        place = f"templates/{assignment.name}"
        sys.exit(f"latentlab: {place}: there is a rule of this name already ({rule_name}); rename the folder")


def assignment_of(wildcards):
    return ASSIGNMENTS[wildcards.assignment]


def student_of(wildcards):
    """The settings of the student whose report the wildcards name; none for the report of the configuration itself."""
    return STUDENTS[Path(wildcards.student).name] if wildcards.student else {}


def report_of(wildcards):
    """The assignment with the report that the wildcards name."""
    return replace(assignment_of(wildcards), student=student_of(wildcards).get("id"))


def report_config(wildcards):
    """The configuration of the report that the wildcards name."""
    return config | {key: value for key, value in student_of(wildcards).items() if key != "id"}


def run_files(file, *requirements):
    """The file `file` of every run that some assignment shows and whose model meets the requirements."""
    runs = [run for assignment in ASSIGNMENTS.values() for run in assignment.runs(*requirements)]
    return unique(run.file(file) for run in runs)


def plane_files(file):
    """An input function: the file `file` of each model that an assignment's explorer shows."""

    def files(wildcards):
        assignment = assignment_of(wildcards)
        return [assignment.file(name, file) for name in assignment.plane_models()]

    return files


def explorer_files():
    """The scripts and the style of the page."""
    return sorted(
        source(file) for suffix in ("css", "js") for file in (ROOT / "templates/explorer").glob(f"*.{suffix}")
    )


def template_files(wildcards):
    """The shared base and the assignment's own folder, without its notebooks."""
    folders = [ROOT / "templates", ROOT / "templates" / wildcards.assignment]
    paths = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return sorted(source(path) for path in paths if not path.name.endswith((NOTEBOOK_SUFFIX, CODE_SUFFIX)))


REPORTS = [path for assignment in ASSIGNMENTS.values() for path in assignment.report_files()]
STUDENT_REPORTS = [
    path
    for student in STUDENTS.values()
    for report in [replace(ASSIGNMENTS[student["assignment"]], student=student["id"])]
    for path in report.report_files() + report.notebook_files()
]
PUBLISHED = CHOSEN.published_files()  # name in results/ → path
NOTEBOOKS = [path for assignment in ASSIGNMENTS.values() for path in assignment.notebook_files()]
FIGURES = [path for assignment in ASSIGNMENTS.values() for path in assignment.figure_files()]
SWEEPS = unique(
    assignment.file(name, "sweep.json") for assignment in ASSIGNMENTS.values() for name in assignment.spec.sweeps
)
PCA_COMPARISONS = unique(
    assignment.file(name, "pca_comparison.json")
    for assignment in ASSIGNMENTS.values()
    for name in assignment.spec.pca_comparisons
)
WITH_IMAGES = [assignment for assignment in ASSIGNMENTS.values() if assignment.spec.images]
OWN_IMAGES = {
    assignment.spec.dataset: own_images(assignment) for assignment in WITH_IMAGES
}  # by the name of the data set
with exit_on_user_error():
    for assignment in WITH_IMAGES:
        check_own_images(assignment)
DATASETS = unique(run.dataset for assignment in ASSIGNMENTS.values() for run in assignment.runs())
CLASSIFIERS = run_files("classifier.json", "conditional", "generative") + unique(
    f"results/baselines/{run.dataset}.json"
    for assignment in ASSIGNMENTS.values()
    for run in assignment.runs("conditional", "generative")
)

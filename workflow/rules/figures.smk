# Figures. One rule per assignment, because each draws figures of its own; one job for all of them, because a figure takes
# less time than the start of a job.

for assignment in ASSIGNMENTS.values():
    check_rule_name(assignment, assignment.plot_rule)

    rule:
        name:
            assignment.plot_rule
        input:
            files=assignment.files(assignment.figure_inputs()),
            style=source("matplotlibrc"),
        output:
            figures=[
                in_report(path, "Figures", Path(path).stem, assignment=assignment.name)
                for path in assignment.figure_files()
            ],
        log:
            f"results/logs/reports/{assignment.name}/plot_figures.log",
        threads: 1
        params:
            code=code_of("plot_figures.py"),
            figures=[figure.to_dict() for figure in assignment.figure_specs(config)],
        message:
            f"Draw the figures of {assignment.name}"
        script:
            "../scripts/plot_figures.py"

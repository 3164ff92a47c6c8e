# The submission: checked, then packed. Two rules, so that a refused submission leaves the last archive as it is.


rule check_submission:
    input:
        files=lambda wildcards: list(assignment_of(wildcards).submission_members(config).values()),
        pdf="results/reports/{assignment}/{assignment}.pdf",
        html="results/reports/{assignment}/{assignment}.html",
        data=lambda wildcards: assignment_of(wildcards).data_records(),
    output:
        manifest="results/reports/{assignment}/manifest.txt",
    log:
        "results/logs/reports/{assignment}/check_submission.log",
    threads: 1
    params:
        code=code_of("check_submission.py"),
        names=lambda wildcards: list(assignment_of(wildcards).submission_members(config)),
        authors=lookup("authors", within=config),
        preview=lookup("preview", within=config),
    message:
        "Check whether {wildcards.assignment} is ready to be submitted"
    script:
        "../scripts/check_submission.py"


rule pack_submission:
    input:
        files=lambda wildcards: list(assignment_of(wildcards).submission_members(config).values()),
        manifest="results/reports/{assignment}/manifest.txt",
    output:
        archive="results/submission/{assignment}.zip",
    log:
        "results/logs/reports/{assignment}/pack_submission.log",
    threads: 1
    params:
        code=code_of("pack_submission.py"),
        names=lambda wildcards: list(assignment_of(wildcards).submission_members(config)),
    message:
        "Pack the submission of {wildcards.assignment}"
    script:
        "../scripts/pack_submission.py"

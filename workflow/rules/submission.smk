# What is handed in: looked through first, then packed. Two rules, so that what is refused leaves the last archive as it is.


rule check_submission:
    input:
        files=lambda wildcards: list(handed_in(wildcards)),
        pdf="results/handins/{handin}/{handin}.pdf",
        html="results/handins/{handin}/{handin}.html",
        data=lambda wildcards: data_of(wildcards.handin),
        code=code("check_submission.py"),
    output:
        manifest="results/handins/{handin}/manifest.txt",
    log:
        "results/logs/handins/{handin}/check_submission.log",
    threads: 1
    params:
        names=lambda wildcards: list(handed_in(wildcards).values()),
        authors=lookup("authors", within=config),
    message:
        "See whether {wildcards.handin} can be handed in"
    script:
        "../scripts/check_submission.py"


rule pack_submission:
    input:
        files=lambda wildcards: list(handed_in(wildcards)),
        manifest="results/handins/{handin}/manifest.txt",
        code=code("pack_submission.py"),
    output:
        archive="results/submission/{handin}.zip",
    log:
        "results/logs/handins/{handin}/pack_submission.log",
    threads: 1
    params:
        names=lambda wildcards: list(handed_in(wildcards).values()),
    message:
        "Pack what is handed in of {wildcards.handin}"
    script:
        "../scripts/pack_submission.py"

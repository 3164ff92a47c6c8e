# What is handed in: looked through first, then packed. Two rules, so that what is refused leaves the last archive as it is.


def handed_in(wildcards):
    """What the archive holds: where each file is → what it is called there."""
    name = wildcards.handin
    folder = f"results/handins/{name}"
    named = {path: Path(path).name for path in pages_of(name) + [f"{folder}/{part}" for part in ATTACHED]}
    named |= {path: f"notebook/{Path(path).name}" for path in notebooks_of(name)}
    parts = page_parts(wildcards)
    return named | {file_of(name, part, file): f"metrics/{part}/{file}" for part in parts for file in parts[part]}


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

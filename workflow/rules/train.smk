# Training: one rule for every model; what differs is the wildcards and the entry in `models:`.


rule train_model:
    input:
        data="results/data/{dataset}.json",
        code=code("train_model.py"),
    output:
        weights=f"{RUN}/weights.safetensors",
        history=f"{RUN}/history.csv",
    log:
        f"{LOGS}/train_model.log",
    benchmark:
        f"{BENCHMARKS}/train_model.tsv"
    priority: model_priority
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
        gpu=graphics_processors,
    params:
        settings=model_settings,
        device=lookup("device", within=config),
    message:
        "Train {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/train_model.py"


rule train_judge:
    input:
        data="results/data/{dataset}.json",
        code=code("train_judge.py"),
    output:
        weights="results/judges/{dataset}.safetensors",
    log:
        "results/logs/judges/{dataset}.log",
    threads: 1
    params:
        epochs=lookup("judge_epochs", within=config),
    message:
        "Train the classifier of {wildcards.dataset} that judges samples, and that others are compared with"
    script:
        "../scripts/train_judge.py"

# Training: one rule for every model but those that a notebook trains (notebook.smk); its wildcards and its model config
# are all that differs.


rule train_model:
    input:
        data="results/data/{dataset}.json",
    output:
        multiext(f"{RUN_FOLDER}/", weights="weights.safetensors", history="history.csv"),
    log:
        f"{RUN_LOGS}/train_model.log",
    wildcard_constraints:
        model=f"(?!(?:{'|'.join(map(re.escape, NOTEBOOK_MODELS)) or NO_NAME})/)[A-Za-z0-9_-]+",
    cache: "omit-software"
    priority: training_priority
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
        gpu=training_gpus,
    params:
        code=code_of("train_model.py"),
        run=lambda wildcards: dict(sorted(wildcards.items())),  # cached jobs are told apart by params and inputs
        settings=lambda wildcards: model_settings(wildcards).to_dict(),
        device=lookup("device", within=config),
    message:
        "Train {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/train_model.py"


rule train_reference_classifier:
    input:
        data="results/data/{dataset}.json",
    output:
        multiext("results/reference_classifiers/{dataset}", weights=".safetensors", moments=".npz"),
    log:
        "results/logs/reference_classifiers/{dataset}/train_reference_classifier.log",
    cache: "omit-software"
    priority: 100  # several jobs wait for it, one after the other
    threads: 1
    params:
        code=code_of("train_reference_classifier.py"),
        run=lambda wildcards: dict(sorted(wildcards.items())),
        epochs=lookup("reference_classifier_epochs", within=config),
    message:
        "Train the reference classifier of {wildcards.dataset}"
    script:
        "../scripts/train_reference_classifier.py"

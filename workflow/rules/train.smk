# Training: one rule for every model but those that a notebook trains (notebook.smk); its wildcards and its model config
# are all that differs.


rule train_model:
    input:
        data="results/data/{dataset}.json",
    output:
        weights=f"{RUN_FOLDER}/weights.safetensors",
        history=f"{RUN_FOLDER}/history.csv",
    log:
        f"{RUN_LOGS}/train_model.log",
    benchmark:
        f"{RUN_FOLDER}/train_model.tsv".replace("models", "benchmarks", 1)
    wildcard_constraints:
        model=f"(?!(?:{'|'.join(map(re.escape, NOTEBOOK_MODELS)) or NO_NAME})/)[A-Za-z0-9_-]+",
    priority: training_priority
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
        gpu=training_gpus,
    params:
        code=code_of("train_model.py"),
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
        weights="results/reference_classifiers/{dataset}.safetensors",
        moments="results/reference_classifiers/{dataset}.npz",
    log:
        "results/logs/reference_classifiers/{dataset}/train_reference_classifier.log",
    threads: 1
    params:
        code=code_of("train_reference_classifier.py"),
        epochs=lookup("reference_classifier_epochs", within=config),
    message:
        "Train the reference classifier of {wildcards.dataset}"
    script:
        "../scripts/train_reference_classifier.py"

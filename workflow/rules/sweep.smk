# One model config at several latent dimensions: the sweep over seeds, and the comparison with PCA.


rule evaluate_sweep_point:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN_FOLDER}/weights.safetensors",
        history=f"{RUN_FOLDER}/history.csv",
        reference_classifier="results/reference_classifiers/{dataset}.safetensors",
        moments="results/reference_classifiers/{dataset}.npz",
    output:
        point=f"{RUN_FOLDER}/sweep_point.json",
    log:
        f"{RUN_LOGS}/evaluate_sweep_point.log",
    threads: 1
    params:
        code=code_of("evaluate_sweep_point.py"),
        samples=lookup("likelihood_samples", within=config),
    message:
        "Evaluate {wildcards.model} on {wildcards.dataset} for its sweep, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/evaluate_sweep_point.py"


rule collect_sweep:
    input:
        data="results/data/{dataset}.json",
        points=lambda wildcards: sweep_files(wildcards, "sweep_point.json"),
        weights=lambda wildcards: sweep_files(wildcards, "weights.safetensors", seeds=[0]),
        moments="results/reference_classifiers/{dataset}.npz",
    output:
        metrics=f"{SWEEP_FOLDER}/sweep.json",
        strips=in_report(f"{SWEEP_FOLDER}/strips.png", "Sweeps", "samples by dimension"),
    log:
        "results/logs/sweeps/{dataset}/{model}/collect_sweep.log",
    threads: 1
    params:
        code=code_of("collect_sweep.py"),
        dims=lookup("sweep_dims", within=config),
    message:
        "Collect the sweep of {wildcards.model} on {wildcards.dataset}, beside PCA"
    script:
        "../scripts/collect_sweep.py"


rule compare_with_pca:
    input:
        data="results/data/{dataset}.json",
        weights=lambda wildcards: expand(
            f"{RUN_FOLDER}/weights.safetensors",
            latent_dim=config["pca_dims"],
            seed=model_settings(wildcards).seed,
            **wildcards,
        ),
    output:
        metrics=f"{PCA_FOLDER}/pca_comparison.json",
        directions=f"{PCA_FOLDER}/principal_directions.npz",
    log:
        "results/logs/pca_comparisons/{dataset}/{model}/compare_with_pca.log",
    threads: 1
    params:
        code=code_of("compare_with_pca.py"),
    message:
        "Compare {wildcards.model} on {wildcards.dataset} with PCA"
    script:
        "../scripts/compare_with_pca.py"

# One model config at several latent dimensions: the sweep over seeds, and the comparison with PCA.


rule collect_sweep:
    input:
        data="results/data/{dataset}.json",
        weights=lambda wildcards: sweep_files(wildcards, "weights.safetensors"),
        metrics=lambda wildcards: sweep_files(wildcards, "metrics.json"),
        samples=lambda wildcards: sweep_files(wildcards, "reconstructions_and_samples.png", seeds=[0]),
        reference_classifier="results/reference_classifiers/{dataset}.safetensors",
        code=modules_of("collect_sweep.py"),
    output:
        metrics=f"{SWEEP_FOLDER}/sweep.json",
        strips=in_report(f"{SWEEP_FOLDER}/strips.png", "Sweeps", "samples by dimension"),
    log:
        "results/logs/sweeps/{dataset}/{model}/collect_sweep.log",
    threads: 1
    params:
        dims=lookup("sweep_dims", within=config),
    message:
        "Collect the sweep of {wildcards.model} on {wildcards.dataset}: sample quality at each dimension, beside PCA"
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
        code=modules_of("compare_with_pca.py"),
    output:
        metrics=f"{PCA_FOLDER}/pca_comparison.json",
    log:
        "results/logs/pca_comparisons/{dataset}/{model}/compare_with_pca.log",
    threads: 1
    message:
        "Compare {wildcards.model} on {wildcards.dataset} with PCA"
    script:
        "../scripts/compare_with_pca.py"

# The sweep: one model at every latent dimension and seed, beside PCA at the same dimensions.


rule collect_sweep:
    input:
        data="results/data/{dataset}.json",
        weights=lambda wildcards: sweep_runs(wildcards, "weights.safetensors"),
        metrics=lambda wildcards: sweep_runs(wildcards, "metrics.json"),
        pictures=lambda wildcards: sweep_runs(wildcards, "pictures.png", seeds=[0]),
        judge="results/judges/{dataset}.safetensors",
        code=code("collect_sweep.py"),
    output:
        sweep=f"{SWEEP}/sweep.json",
        strips=shown(f"{SWEEP}/strips.png", "Sweeps", "samples by dimension"),
    log:
        "results/logs/sweeps/{dataset}/{model}.log",
    threads: 1
    params:
        dims=lookup("sweep_dims", within=config),
    message:
        "Judge the samples of {wildcards.model} on {wildcards.dataset} at each dimension, and set it beside PCA"
    script:
        "../scripts/collect_sweep.py"

# The sweep: one model at every latent dimension and seed, beside PCA at the same dimensions.


def sweep_runs(wildcards, name, seeds=None):
    """The file `name` of every point of the sweep."""
    seeds = range(config["sweep_seeds"]) if seeds is None else seeds
    return expand(f"{RUN}/{name}", latent_dim=config["sweep_dims"], seed=seeds, **wildcards)


rule measure_pca:
    input:
        data="results/data/{dataset}.json",
        code=code("measure_pca.py"),
    output:
        metrics="results/pca/{dataset}.json",
    log:
        "results/logs/pca/{dataset}.log",
    threads: 1
    params:
        validation_size=lookup("validation_size", within=config),
        dims=lookup("sweep_dims", within=config),
    message:
        "Measure PCA on {wildcards.dataset}"
    script:
        "../scripts/measure_pca.py"


rule collect_sweep:
    input:
        metrics=lambda wildcards: sweep_runs(wildcards, "metrics.json"),
        samples=lambda wildcards: sweep_runs(wildcards, "samples.json"),
        pictures=lambda wildcards: sweep_runs(wildcards, "pictures.png", seeds=[0]),
        pca="results/pca/{dataset}.json",
        code=code("collect_sweep.py"),
    output:
        sweep=f"{SWEEP}/sweep.json",
        strips=f"{SWEEP}/strips.png",
    log:
        "results/logs/sweeps/{dataset}/{model}.log",
    threads: 1
    message:
        "Collect the sweep of {wildcards.model} on {wildcards.dataset}"
    script:
        "../scripts/collect_sweep.py"

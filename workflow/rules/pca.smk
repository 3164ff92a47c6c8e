# Beside PCA: a run's codes in the plane of their own principal components, and autoencoders in the place of PCA.


rule project_codes:
    input:
        data="results/data/{dataset}.json",
        codes=f"{RUN}/codes.npz",
        code=code("project_codes.py"),
    output:
        planes=f"{RUN}/planes.npz",
        metrics=f"{RUN}/planes.json",
    log:
        f"{LOGS}/project_codes.log",
    threads: 1
    message:
        "Project codes of {wildcards.model} on {wildcards.dataset} and pixels, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/project_codes.py"


rule measure_subspaces:
    input:
        data="results/data/{dataset}.json",
        weights=lambda wildcards: expand(
            f"{RUN}/weights.safetensors",
            latent_dim=config["pca_dims"],
            seed=settings_of(wildcards.model)["seed"],
            **wildcards,
        ),
        code=code("measure_subspaces.py"),
    output:
        metrics=f"{SUBSPACES}/subspaces.json",
    log:
        "results/logs/subspaces/{dataset}/{model}.log",
    threads: 1
    message:
        "Measure {wildcards.model} on {wildcards.dataset} beside PCA"
    script:
        "../scripts/measure_subspaces.py"

# Conditional models as classifiers, by Bayes' rule, beside others on the same images.


rule classify_images:
    input:
        data="results/data/{dataset}.json",
        foreign=lambda wildcards: f"results/data/{FOREIGN[wildcards.dataset]}.json",
        weights=f"{RUN}/weights.safetensors",
        code=code("classify_images.py"),
    output:
        figures=f"{RUN}/classifier.json",
        joints=f"{RUN}/classifier.npz",
        mistakes=shown(f"{RUN}/mistakes.png", "Classifiers", "confidently wrong"),
    log:
        f"{LOGS}/classify_images.log",
    priority: 1000  # minutes on real data: not to be the last
    threads: 1
    params:
        samples=lookup("classifier_samples", within=config),
        positions=lookup("classifier_grid", within=config),
    message:
        "Classify {wildcards.dataset} with {wildcards.model}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/classify_images.py"


rule measure_baselines:
    input:
        data="results/data/{dataset}.json",
        judge="results/judges/{dataset}.safetensors",
        code=code("measure_baselines.py"),
    output:
        metrics="results/baselines/{dataset}.json",
    log:
        "results/logs/baselines/{dataset}.log",
    threads: 1
    message:
        "Measure other classifiers on {wildcards.dataset}"
    script:
        "../scripts/measure_baselines.py"

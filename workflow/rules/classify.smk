# Conditional models as classifiers by Bayes' rule, beside other classifiers on the same images.


rule classify_images:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN_FOLDER}/weights.safetensors",
    output:
        metrics=f"{RUN_FOLDER}/classifier.json",
        joints=f"{RUN_FOLDER}/classifier.npz",
        mistakes=in_report(f"{RUN_FOLDER}/mistakes.png", "Classifiers", "confident mistakes"),
        confusions=in_report(f"{RUN_FOLDER}/confusions.png", "Classifiers", "frequent mistakes"),
    log:
        f"{RUN_LOGS}/classify_images.log",
    priority: 1000  # takes minutes on real data, so it should not be the last job
    threads: 1
    params:
        code=code_of("classify_images.py"),
        samples=lookup("classifier_samples", within=config),
        tolerance=lookup("quadrature_tolerance", within=config),
    message:
        "Classify {wildcards.dataset} with {wildcards.model}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/classify_images.py"


rule detect_ood_images:
    input:
        data="results/data/{dataset}.json",
        ood=ood_record,
        weights=f"{RUN_FOLDER}/weights.safetensors",
        classifier=f"{RUN_FOLDER}/classifier.json",
        joints=f"{RUN_FOLDER}/classifier.npz",
    output:
        metrics=f"{RUN_FOLDER}/ood.json",
        log_likelihoods=f"{RUN_FOLDER}/ood.npz",
    log:
        f"{RUN_LOGS}/detect_ood_images.log",
    threads: 1
    params:
        code=code_of("detect_ood_images.py"),
        samples=lookup("classifier_samples", within=config),
        tolerance=lookup("quadrature_tolerance", within=config),
    message:
        "Compare log p(x) of {wildcards.dataset} and other images by {wildcards.model}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/detect_ood_images.py"


rule evaluate_baselines:
    input:
        data="results/data/{dataset}.json",
        reference_classifier="results/reference_classifiers/{dataset}.safetensors",
    output:
        metrics="results/baselines/{dataset}.json",
    log:
        "results/logs/baselines/{dataset}/evaluate_baselines.log",
    priority: 10  # takes half a minute on real data, so it should not be the last job
    threads: 1
    params:
        code=code_of("evaluate_baselines.py"),
        epochs=lookup("reference_classifier_epochs", within=config),
    message:
        "Evaluate baseline classifiers on {wildcards.dataset}"
    script:
        "../scripts/evaluate_baselines.py"

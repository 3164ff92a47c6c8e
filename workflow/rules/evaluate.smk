# Evaluation of a trained model: its losses, its codes, its latent plane and its samples.


rule evaluate_model:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN_FOLDER}/weights.safetensors",
        history=f"{RUN_FOLDER}/history.csv",
    output:
        codes=f"{RUN_FOLDER}/codes.npz",
        samples=in_report(f"{RUN_FOLDER}/reconstructions_and_samples.png", "Models", "reconstructions and samples"),
        reconstructions=in_report(f"{RUN_FOLDER}/reconstructions.png", "Models", "many reconstructions"),
        worst=in_report(f"{RUN_FOLDER}/worst.png", "Models", "worst reconstructions"),
        metrics=f"{RUN_FOLDER}/metrics.json",
    log:
        f"{RUN_LOGS}/evaluate_model.log",
    priority: training_priority
    threads: 1
    params:
        code=code_of("evaluate_model.py"),
        tolerance=lookup("quadrature_tolerance", within=config),
        samples=lookup("likelihood_samples", within=config),
    message:
        "Evaluate {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/evaluate_model.py"


rule decode_plane:
    input:
        data="results/data/{dataset}.json",
        weights=f"{PLANE_FOLDER}/weights.safetensors",
        codes=f"{PLANE_FOLDER}/codes.npz",
        reference_classifier="results/reference_classifiers/{dataset}.safetensors",
    output:
        grid=in_report(f"{PLANE_FOLDER}/grid.png", "Latent planes", "uniform steps"),
        occupied=in_report(f"{PLANE_FOLDER}/grid-occupied.png", "Latent planes", "range of the codes"),
        quantiles=in_report(f"{PLANE_FOLDER}/grid-quantiles.png", "Latent planes", "steps of equal probability"),
        axes=f"{PLANE_FOLDER}/grids.json",
        effects=f"{PLANE_FOLDER}/axis_effects.npz",
        metrics=f"{PLANE_FOLDER}/plane.json",
    log:
        f"{PLANE_LOGS}/decode_plane.log",
    threads: 1
    params:
        code=code_of("decode_plane.py"),
        samples=lookup("grid_samples", within=config),
        low=lookup("grid_min", within=config),
        high=lookup("grid_max", within=config),
        spacing=lookup("grid_spacing", within=config),
    message:
        "Decode and measure the latent plane of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/decode_plane.py"


rule decode_conditions:
    input:
        weights=f"{PLANE_FOLDER}/weights.safetensors",
        codes=f"{PLANE_FOLDER}/codes.npz",
    output:
        grids=in_report(f"{PLANE_FOLDER}/conditions.png", "Latent planes", "by label"),
        metrics=f"{PLANE_FOLDER}/conditions.json",
    log:
        f"{PLANE_LOGS}/decode_conditions.log",
    threads: 1
    params:
        code=code_of("decode_conditions.py"),
        conditions=lookup("conditions", within=config),
        samples=lookup("condition_samples", within=config),
        low=lookup("grid_min", within=config),
        high=lookup("grid_max", within=config),
        spacing=lookup("grid_spacing", within=config),
    message:
        "Decode the latent plane of {wildcards.model} on {wildcards.dataset} by label, seed {wildcards.seed}"
    script:
        "../scripts/decode_conditions.py"


rule compute_posteriors:
    input:
        data="results/data/{dataset}.json",
        weights=f"{PLANE_FOLDER}/weights.safetensors",
    output:
        posteriors=f"{PLANE_FOLDER}/posteriors.npz",
    log:
        f"{PLANE_LOGS}/compute_posteriors.log",
    priority: 10  # may take half a minute, so it should not be the last job
    threads: 1
    params:
        code=code_of("compute_posteriors.py"),
        tolerance=lookup("quadrature_tolerance", within=config),
    message:
        "Compute true posteriors of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/compute_posteriors.py"


rule find_failures:
    input:
        data="results/data/{dataset}.json",
        weights=f"{PLANE_FOLDER}/weights.safetensors",
        reference_classifier="results/reference_classifiers/{dataset}.safetensors",
    output:
        metrics=f"{PLANE_FOLDER}/failures.json",
        images=in_report(f"{PLANE_FOLDER}/failures.png", "Latent planes", "failures"),
    log:
        f"{PLANE_LOGS}/find_failures.log",
    threads: 1
    params:
        code=code_of("find_failures.py"),
    message:
        "Find failures of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/find_failures.py"


rule restore_images:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN_FOLDER}/weights.safetensors",
    output:
        metrics=f"{RUN_FOLDER}/restorations.json",
        images=in_report(f"{RUN_FOLDER}/restorations.png", "Models", "restorations"),
    log:
        f"{RUN_LOGS}/restore_images.log",
    threads: 1
    params:
        code=code_of("restore_images.py"),
    message:
        "Restore corrupted images by {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/restore_images.py"


rule project_latents:
    input:
        data="results/data/{dataset}.json",
        codes=f"{RUN_FOLDER}/codes.npz",
    output:
        positions=f"{RUN_FOLDER}/projections.npz",
        metrics=f"{RUN_FOLDER}/projections.json",
    log:
        f"{RUN_LOGS}/project_latents.log",
    threads: 1
    params:
        code=code_of("project_latents.py"),
    message:
        "Project codes of {wildcards.model} on {wildcards.dataset}, and pixels, by PCA, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/project_latents.py"


rule evaluate_augmentation:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN_FOLDER}/weights.safetensors",
    output:
        metrics=f"{RUN_FOLDER}/augmentation.json",
    log:
        f"{RUN_LOGS}/evaluate_augmentation.log",
    threads: 1
    params:
        code=code_of("evaluate_augmentation.py"),
        sizes=lookup("augmentation_sizes", within=config),
        seeds=lookup("augmentation_seeds", within=config),
        draws=lookup("augmentation_draws", within=config),
    message:
        "Train classifiers with samples of {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/evaluate_augmentation.py"

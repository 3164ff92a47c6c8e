# Exploring a trained model: its codes, its decoder's map of the plane, and both in figures.


rule explore_model:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN}/weights.safetensors",
        history=f"{RUN}/history.csv",
        code=code("explore_model.py"),
    output:
        codes=f"{RUN}/codes.npz",
        pictures=shown(f"{RUN}/pictures.png", "Models", "reconstructions and samples"),
        sheet=shown(f"{RUN}/sheet.png", "Models", "many reconstructions"),
        metrics=f"{RUN}/metrics.json",
    log:
        f"{LOGS}/explore_model.log",
    priority: model_priority
    threads: 1
    params:
        positions=lookup("likelihood_grid", within=config),
        samples=lookup("likelihood_samples", within=config),
    message:
        "Encode, reconstruct and measure with {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/explore_model.py"


rule map_plane:
    input:
        data="results/data/{dataset}.json",
        weights=f"{PLANE}/weights.safetensors",
        codes=f"{PLANE}/codes.npz",
        code=code("map_plane.py"),
    output:
        grid=shown(f"{PLANE}/grid.png", "Latent planes", "even steps"),
        occupied=shown(f"{PLANE}/grid-occupied.png", "Latent planes", "where codes lie"),
        quantiles=shown(f"{PLANE}/grid-quantiles.png", "Latent planes", "steps of equal probability"),
        axes=f"{PLANE}/grids.json",
        metrics=f"{PLANE}/map.json",
    log:
        f"{PLANE_LOGS}/map_plane.log",
    threads: 1
    params:
        samples=lookup("grid_samples", within=config),
        low=lookup("grid_min", within=config),
        high=lookup("grid_max", within=config),
        spacing=lookup("grid_spacing", within=config),
    message:
        "Decode and measure the latent plane of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/map_plane.py"


rule decode_conditions:
    input:
        weights=f"{PLANE}/weights.safetensors",
        codes=f"{PLANE}/codes.npz",
        code=code("decode_conditions.py"),
    output:
        grids=shown(f"{PLANE}/conditions.png", "Latent planes", "label by label"),
        axes=f"{PLANE}/conditions.json",
    log:
        f"{PLANE_LOGS}/decode_conditions.log",
    threads: 1
    params:
        conditions=lookup("conditions", within=config),
        samples=lookup("grid_samples", within=config),
        low=lookup("grid_min", within=config),
        high=lookup("grid_max", within=config),
        spacing=lookup("grid_spacing", within=config),
    message:
        "Decode the latent plane of {wildcards.model} on {wildcards.dataset} label by label, seed {wildcards.seed}"
    script:
        "../scripts/decode_conditions.py"


rule trace_posteriors:
    input:
        data="results/data/{dataset}.json",
        weights=f"{PLANE}/weights.safetensors",
        code=code("trace_posteriors.py"),
    output:
        posteriors=f"{PLANE}/posteriors.npz",
    log:
        f"{PLANE_LOGS}/trace_posteriors.log",
    threads: 1
    params:
        positions=lookup("likelihood_grid", within=config),
    message:
        "Trace true posteriors of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/trace_posteriors.py"


rule measure_augmentation:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN}/weights.safetensors",
        code=code("measure_augmentation.py"),
    output:
        metrics=f"{RUN}/augmentation.json",
    log:
        f"{LOGS}/measure_augmentation.log",
    threads: 1
    params:
        sizes=lookup("augmentation_sizes", within=config),
        seeds=lookup("augmentation_seeds", within=config),
        draws=lookup("augmentation_draws", within=config),
    message:
        "Teach classifiers with samples of {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/measure_augmentation.py"


rule find_failures:
    input:
        data="results/data/{dataset}.json",
        weights=f"{PLANE}/weights.safetensors",
        judge="results/judges/{dataset}.safetensors",
        code=code("find_failures.py"),
    output:
        failures=f"{PLANE}/failures.json",
        pictures=shown(f"{PLANE}/failures.png", "Latent planes", "failures"),
    log:
        f"{PLANE_LOGS}/find_failures.log",
    threads: 1
    message:
        "Look for failures of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/find_failures.py"

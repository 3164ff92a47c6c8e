# Exploring a trained model: its codes, its decoder's map of the plane, and both in figures.


rule encode_images:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN}/weights.safetensors",
        code=code("encode_images.py"),
    output:
        codes=f"{RUN}/codes.npz",
    log:
        f"{LOGS}/encode_images.log",
    threads: 1
    params:
        validation_size=lookup("validation_size", within=config),
    message:
        "Encode {wildcards.dataset} with {wildcards.model}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/encode_images.py"


rule reconstruct_images:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN}/weights.safetensors",
        code=code("reconstruct_images.py"),
    output:
        pictures=f"{RUN}/pictures.png",
        sheet=f"{RUN}/sheet.png",
    log:
        f"{LOGS}/reconstruct_images.log",
    threads: 1
    params:
        validation_size=lookup("validation_size", within=config),
    message:
        "Reconstruct and sample with {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/reconstruct_images.py"


rule decode_grid:
    input:
        weights=f"{PLANE}/weights.safetensors",
        codes=f"{PLANE}/codes.npz",
        code=code("decode_grid.py"),
    output:
        grid=f"{PLANE}/grid.png",
        occupied=f"{PLANE}/grid-occupied.png",
        quantiles=f"{PLANE}/grid-quantiles.png",
        axes=f"{PLANE}/grids.json",
    log:
        f"{PLANE_LOGS}/decode_grid.log",
    threads: 1
    params:
        samples=lookup("grid_samples", within=config),
        low=lookup("grid_min", within=config),
        high=lookup("grid_max", within=config),
        spacing=lookup("grid_spacing", within=config),
    message:
        "Decode the latent plane of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/decode_grid.py"


rule decode_conditions:
    input:
        weights=f"{PLANE}/weights.safetensors",
        code=code("decode_conditions.py"),
    output:
        grids=f"{PLANE}/conditions.png",
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


rule measure_model:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN}/weights.safetensors",
        history=f"{RUN}/history.csv",
        codes=f"{RUN}/codes.npz",
        code=code("measure_model.py"),
    output:
        metrics=f"{RUN}/metrics.json",
    log:
        f"{LOGS}/measure_model.log",
    threads: 1
    params:
        validation_size=lookup("validation_size", within=config),
        low=lookup("grid_min", within=config),
        high=lookup("grid_max", within=config),
    message:
        "Measure {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/measure_model.py"


rule measure_map:
    input:
        data="results/data/{dataset}.json",
        weights=f"{PLANE}/weights.safetensors",
        codes=f"{PLANE}/codes.npz",
        grid=f"{PLANE}/grid.png",
        occupied=f"{PLANE}/grid-occupied.png",
        code=code("measure_map.py"),
    output:
        metrics=f"{PLANE}/map.json",
    log:
        f"{PLANE_LOGS}/measure_map.log",
    threads: 1
    params:
        validation_size=lookup("validation_size", within=config),
        samples=lookup("grid_samples", within=config),
    message:
        "Measure the map of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/measure_map.py"


rule measure_likelihood:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN}/weights.safetensors",
        code=code("measure_likelihood.py"),
    output:
        metrics=f"{RUN}/likelihood.json",
    log:
        f"{LOGS}/measure_likelihood.log",
    threads: 1
    params:
        validation_size=lookup("validation_size", within=config),
        positions=lookup("likelihood_grid", within=config),
    message:
        "Integrate the likelihood of {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/measure_likelihood.py"


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
        validation_size=lookup("validation_size", within=config),
    message:
        "Trace true posteriors of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/trace_posteriors.py"


rule measure_samples:
    input:
        data="results/data/{dataset}.json",
        weights=f"{RUN}/weights.safetensors",
        judge="results/judges/{dataset}.safetensors",
        code=code("measure_samples.py"),
    output:
        metrics=f"{RUN}/samples.json",
    log:
        f"{LOGS}/measure_samples.log",
    threads: 1
    params:
        validation_size=lookup("validation_size", within=config),
    message:
        "Judge samples of {wildcards.model} on {wildcards.dataset}, d = {wildcards.latent_dim}, seed {wildcards.seed}"
    script:
        "../scripts/measure_samples.py"


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
        validation_size=lookup("validation_size", within=config),
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
        pictures=f"{PLANE}/failures.png",
    log:
        f"{PLANE_LOGS}/find_failures.log",
    threads: 1
    params:
        validation_size=lookup("validation_size", within=config),
    message:
        "Look for failures of {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/find_failures.py"

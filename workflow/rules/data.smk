# The data: fetched once, verified, and described by a record that everything downstream depends on.


rule fetch_data:
    output:
        record="results/data/{dataset}.json",
        request="results/data/{dataset}.request.json",
    log:
        "results/logs/data/{dataset}/fetch_data.log",
    threads: 1
    params:
        code=code_of("fetch_data.py"),
        dataset=lambda wildcards: dataset_of(wildcards).to_dict(),
        request=data_request,
        validation_size=lookup("validation_size", within=config),
        training_size=lookup("training_size", within=config),
    message:
        "Find, fetch and verify {wildcards.dataset}"
    script:
        "../scripts/fetch_data.py"


# Runs only when asked for by name: where synthetic data were drawn because no network was available, it tries to fetch again.
rule data:
    input:
        records=expand("results/data/{dataset}.json", dataset=DATASETS),
    log:
        "results/logs/data/all/refresh_data.log",
    threads: 1
    params:
        code=code_of("refresh_data.py"),
        data_source=lookup("data_source", within=config),
        data_dir=lookup("data_dir", within=config),
    message:
        "See whether synthetic data can be replaced by the published data"
    script:
        "../scripts/refresh_data.py"

# The data: fetched once, verified, and described by a record that everything downstream hangs on.


rule fetch_data:
    input:
        code=code("fetch_data.py"),
    output:
        record="results/data/{dataset}.json",
        request="results/data/{dataset}.request.json",
    log:
        "results/logs/fetch_data/{dataset}.log",
    threads: 1
    params:
        request=data_request,
        validation_size=lookup("validation_size", within=config),
        training_size=lookup("training_size", within=config),
    message:
        "Find, fetch and verify {wildcards.dataset}"
    script:
        "../scripts/fetch_data.py"


# Made only when it is asked for by its name: where stand-in data were drawn for want of a network, it tries again.
rule data:
    input:
        records=expand("results/data/{dataset}.json", dataset=unique(run["dataset"] for run in RUNS)),
        code=code("refresh_data.py"),
    log:
        "results/logs/refresh_data.log",
    threads: 1
    params:
        data_source=lookup("data_source", within=config),
        data_dir=lookup("data_dir", within=config),
    message:
        "See whether stand-in data can be replaced"
    script:
        "../scripts/refresh_data.py"

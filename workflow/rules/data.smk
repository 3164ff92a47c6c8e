# The data: fetched once, verified, and described by a record that everything downstream hangs on.


rule fetch_data:
    input:
        code=code("fetch_data.py"),
    output:
        record="results/data/{dataset}.json",
    log:
        "results/logs/fetch_data/{dataset}.log",
    threads: 1
    params:
        data_dir=lookup("data_dir", within=config),
    message:
        "Fetch and verify {wildcards.dataset}"
    script:
        "../scripts/fetch_data.py"

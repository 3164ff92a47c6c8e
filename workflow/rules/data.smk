# The data: fetched once, verified, and described by a record that everything downstream hangs on.


def data_request(wildcards):
    """Where to look for the data. The published files are the same wherever they come from: once they are here,
    another folder or mirror is no change, and this stays what it was when they came."""
    request = {"data_dir": config["data_dir"], "source": config["data_source"]}  # sorted, as it is remembered
    record, remembered = (Path(f"results/data/{wildcards.dataset}{end}.json") for end in ("", ".request"))
    if request["source"] != "stand-in" and record.is_file() and remembered.is_file():
        if not files.read_json(record)["source"] == "stand-in":
            return files.read_json(remembered)
    return request


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

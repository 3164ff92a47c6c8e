import json

import planted

from latentlab.records.provenance import Provenance
from latentlab.report.provenance import report_provenance, used_settings
from latentlab.runtime.provenance import digest


def test_it_names_the_data_the_settings_and_the_weights(tmp_path):
    metrics = planted.metrics(planted.load("summary"), tmp_path)
    provenance = planted.provenance(metrics)
    assert provenance.config.sha256 == digest({"planted": True})
    (data,) = provenance.data
    assert (data.dataset, data.source, data.training_size) == ("FashionMNIST", "published", None)
    assert set(provenance.models) == {"ae", "vae", "cvae", "sweep"}
    assert provenance.models["vae"].settings == metrics["vae"].settings
    assert provenance.models["sweep"].weights == ("1" * 64,)
    assert provenance.weights.sha256 == digest(["0" * 64, "0" * 64, ["1" * 64], "0" * 64])


def test_a_model_without_metrics_json_is_described_by_the_file_that_has_its_settings(tmp_path):
    models = planted.provenance(planted.metrics(planted.load("lab8-pca"), tmp_path)).models
    assert models["cvae"].to_dict().keys() == {"model", "settings", "latent_dim", "seed", "seeds"}
    assert models["linear"].to_dict().keys() == {"model", "settings"}


def test_it_reads_as_it_was_written(tmp_path):
    provenance = planted.provenance(planted.metrics(planted.load("lab8"), tmp_path))
    provenance.write(tmp_path / "provenance.json")
    assert Provenance.read(tmp_path / "provenance.json") == provenance
    values = json.loads((tmp_path / "provenance.json").read_text())
    assert set(values) == {"commit", "clean", "versions", "config", "data", "models", "weights"}
    assert values["data"][0]["training_size"] is None and values["models"]["vae"]["model"] == "planted"


def test_the_configuration_names_the_precision_that_was_used(tmp_path):
    settings = {"seed": None, "models": {name: {"precision": "auto"} for name in ("planted", "other")}}
    for assignment in ("lab8", "lab8-pca"):
        metrics = planted.metrics(planted.load(assignment), tmp_path)
        used = used_settings(metrics, settings)
        assert used["models"]["planted"]["precision"] == planted.SETTINGS.precision == "bfloat16"
        assert used["models"]["planted"]["instruction_set"] == "AMX_BF16"
        assert used["models"]["other"] == {"precision": "auto"} and used["seed"] is None


def test_other_settings_have_another_hash():
    one, other = (report_provenance({}, [], {"seed": seed}).config.sha256 for seed in (0, 1))
    assert one != other

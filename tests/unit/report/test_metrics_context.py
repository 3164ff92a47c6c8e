import planted
import pytest

from latentlab.records.settings import ModelSettings
from latentlab.report.metrics_context import gather_metrics, quotable_metrics
from latentlab.runtime.errors import UserError

VAE = planted.model(planted.SETTINGS)
AUTOENCODER = planted.model(ModelSettings(family="autoencoder"))


def gather(folder, models):
    """Write metrics files, name → file → record, and gather them."""
    paths = []
    for name, records in models.items():
        for file, record in records.items():
            paths.append(folder / name / file)
            record.write(paths[-1])
    return gather_metrics({name: tuple(records) for name, records in models.items()}, paths)


def test_metrics_have_the_names_of_the_template(tmp_path):
    files = ("metrics.json", "plane.json")
    metrics = gather(
        tmp_path,
        {
            "one": {file: VAE[file] for file in files},
            "two": {"metrics.json": AUTOENCODER["metrics.json"]},
            "sweep": {"sweep.json": planted.sweep()},
            "linear": {"pca_comparison.json": planted.pca_comparison()},
        },
    )
    assert metrics["one"].test.kl == 6.7 and metrics["one"].plane == VAE["plane.json"]
    assert metrics["two"].test.kl is None and not hasattr(metrics["two"], "plane")
    assert metrics["sweep"].saturation_dim == 4 and metrics["linear"].rank == 784


def test_only_the_fields_of_metrics_json_are_at_the_top(tmp_path):
    metrics = gather(tmp_path, {"cvae": {"augmentation.json": VAE["augmentation.json"]}})
    assert vars(metrics["cvae"]) == {"augmentation": VAE["augmentation.json"]}


def test_two_models_may_share_a_file(tmp_path):
    VAE["baselines.json"].write(tmp_path / "baselines.json")
    paths = [tmp_path / "baselines.json"] * 2
    metrics = gather_metrics({"a": ("baselines.json",), "b": ("baselines.json",)}, paths)
    assert metrics["a"].baselines == metrics["b"].baselines == VAE["baselines.json"]
    with pytest.raises(ValueError, match="shorter"):
        gather_metrics({"a": ("baselines.json",), "b": ("baselines.json",)}, paths[:1])


def test_a_damaged_metrics_file_is_named(tmp_path):
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match=r"metrics\.json: damaged or made by another version"):
        gather_metrics({"vae": ("metrics.json",)}, [tmp_path / "metrics.json"])


def test_every_measured_number_and_text_can_be_quoted_by_its_path(tmp_path):
    metrics = gather(tmp_path, {"ae": {file: AUTOENCODER[file] for file in ("metrics.json", "plane.json")}})
    values = quotable_metrics(metrics)
    assert values["ae.test.reconstruction"] == 260.1 and values["ae.latents.high.1"] == 3.0
    assert values["ae.plane.interpolations.precision"] == 0.6 and values["ae.latents.overlaps.0.1"] == "coat"
    assert values["ae.settings.likelihood"] == "bernoulli" and values["ae.layers.0.kernel_size"] == 5
    assert all(isinstance(value, str | int | float) for value in values.values())
    assert not any(name.startswith(("ae.likelihood", "ae.test.kl", "ae.layers.1.stride")) for name in values)

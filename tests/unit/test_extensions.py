"""How many edits it takes to add something: each test makes these edits, and no others, and uses what was added."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
import yaml
from builders import MNIST, WIDE, block_images, evaluate, model_spec, plant_dataset

from latentlab.data.fetch import fetch_dataset
from latentlab.data.splits import load_split
from latentlab.metrics.augmentation import augmentation_gain
from latentlab.metrics.baselines import evaluate_baselines
from latentlab.metrics.classification import (
    best_method,
    choose_classifier_grid,
    class_log_prior,
    compute_log_joint,
    evaluate_methods,
    ood_auroc,
    ood_scores,
)
from latentlab.metrics.grids import grid_axis, grid_points, tile_images
from latentlab.metrics.latent_plane import coverage, failure_shares, find_failures
from latentlab.metrics.latents import encode_splits, measure_latents
from latentlab.metrics.pca import PCAReference, compare_models_with_pca, project
from latentlab.metrics.posteriors import select_posteriors
from latentlab.metrics.realism import RealImages
from latentlab.metrics.reference_classifier import class_probabilities, train_reference_classifier
from latentlab.metrics.samples import real_distance, reference_moments, sample_distance
from latentlab.models import networks
from latentlab.models.checkpoint import load_checkpoint, save_checkpoint
from latentlab.models.families import build_model
from latentlab.models.inference import decode_latents, encode_images, reconstruct, reconstructions_and_samples
from latentlab.models.inputs import to_pixels, to_tensors
from latentlab.models.networks import VAE
from latentlab.models.train import train_model
from latentlab.records.assignments import load_assignment
from latentlab.records.data import DataRecord
from latentlab.records.datasets import DATASETS
from latentlab.records.metrics import ModelMetrics
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import read_csv, read_png, write_png

ROOT = Path(__file__).parents[2]

# --- edits of a copy of the source tree, whose scripts are run as Snakemake runs them ---------------------------------

RUN_SCRIPTS = """
import json, os, runpy, sys
from types import SimpleNamespace

class Named(dict):
    __iter__ = lambda self: iter(self.values())
    __getattr__ = dict.__getitem__

os._exit = lambda status: None  # with which a job ends its process
for name, job in json.loads(sys.argv[1]).items():
    job = {key: Named(value) for key, value in job.items()}
    runpy.run_path(f"workflow/scripts/{name}.py", init_globals={"snakemake": SimpleNamespace(log="log", **job)})
"""

NOISY_VAE = '''

class NoisyVAE(VAE):
    """A VAE whose encoder is given noisy images."""

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return super().encode(x + 0.1 * torch.randn_like(x), y)
'''

SPARSE_VAE = '''

class SparseVAE(VAE):
    """A VAE whose loss has one more term."""

    def loss_terms(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        return super().loss_terms(x, y) | {"sparsity": self.encode(x, y)[0].abs().sum(1)}

    def loss(self, terms: dict[str, Scalar]) -> Scalar:
        return super().loss(terms) + self.spec.settings.sparsity * terms["sparsity"]
'''


class Checkout:
    """A copy of the library, the scripts and config.yaml."""

    def __init__(self, folder):
        self.folder, self.package = folder, folder / "workflow/latentlab"
        for name in ("latentlab", "scripts"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / "workflow" / name, folder / "workflow" / name, ignore=ignored)
        shutil.copy(ROOT / "config.yaml", folder)

    def append(self, file, text):
        path = self.folder / file
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def insert_before(self, file, line, text):
        path = self.folder / file
        before, after = path.read_text(encoding="utf-8").split(line, 1)
        path.write_text(before + text + line + after, encoding="utf-8")

    def python(self, code, *arguments):
        """The output of Python code that imports the copied library."""
        environment = os.environ | {"PYTHONPATH": str(self.folder / "workflow")}
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        return process.stdout

    def model_settings(self, name):
        """The settings of a model config, after the checks that come before every run."""
        return json.loads(
            self.python(
                "import json, sys, yaml\n"
                "from latentlab.records.config import check_config, resolve_model\n"
                "config = yaml.safe_load(open('config.yaml'))\n"
                "check_config(config)\n"
                "print(json.dumps(resolve_model(config, sys.argv[1]).to_dict()))",
                name,
            )
        )

    def train_and_evaluate(self, config_name):
        """metrics.json and the columns of the history of a model config, trained on a few images."""
        dataset = plant_dataset(self.folder / "published", MNIST, n_train=60, n_test=130)
        record = fetch_dataset(dataset, self.folder, "local", self.folder / "published", 20, log=lambda line: None)
        record.write(self.folder / "data.json")
        settings = self.model_settings(config_name)
        jobs = {
            "train_model": {
                "input": {"data": "data.json"},
                "output": {"weights": "weights.safetensors", "history": "history.csv"},
                "params": {"settings": settings, "device": "cpu"},
                "wildcards": {"latent_dim": settings["latent_dim"], "seed": 0},
            },
            "evaluate_model": {
                "input": {"data": "data.json", "weights": "weights.safetensors", "history": "history.csv"},
                "output": {
                    "codes": "codes.npz",
                    "samples": "samples.png",
                    "reconstructions": "reconstructions.png",
                    "worst": "worst.png",
                    "metrics": "metrics.json",
                },
                "params": {"tolerance": 0.1, "samples": 2},
                "wildcards": {"model": config_name},
            },
        }
        self.python(RUN_SCRIPTS, json.dumps(jobs))
        return self.folder / "metrics.json", read_csv(self.folder / "history.csv")


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_a_model_family_is_one_class_and_a_model_config_that_names_it(checkout):
    checkout.append("workflow/latentlab/models/networks.py", NOISY_VAE)
    checkout.append("config.yaml", "  mine: {family: noisyvae, hidden: [8], epochs: 1}\n")
    metrics_file, history = checkout.train_and_evaluate("mine")
    metrics = ModelMetrics.read(metrics_file)
    assert metrics.settings.family == "noisyvae" and metrics.model == "mine"
    assert metrics.test.kl > 0 and metrics.likelihood.log_likelihood is not None, "it is a VAE of a plane"
    assert len(metrics.layers) == 4 and metrics.latents.overlaps is not None
    assert history["epoch"] == [1]
    assert (checkout.folder / "reconstructions.png").exists() and (checkout.folder / "samples.png").exists()


def test_a_family_with_another_loss_overrides_two_methods_and_its_term_is_in_the_history(monkeypatch):
    class SparseVAE(VAE):
        def loss_terms(self, x, y=None):
            return super().loss_terms(x, y) | {"sparsity": self.encode(x, y)[0].abs().sum(1)}

        def loss(self, terms):
            return super().loss(terms) + 0.5 * terms["sparsity"]

    monkeypatch.setattr(networks, "SparseVAE", SparseVAE, raising=False)  # as if it were written there
    images, labels = block_images(100)
    model, history = train_model(model_spec("sparsevae", epochs=3), (images, labels), (images[:20], labels[:20]))
    for row in history:
        terms = ("loss", "reconstruction", "kl", "sparsity")
        assert set(row) == {"epoch", *(f"{split}_{term}" for split in ("train", "validation") for term in terms)}
        for split in ("train", "validation"):
            loss, reconstruction, kl, sparsity = (row[f"{split}_{term}"] for term in terms)
            assert sparsity > 0 and loss == pytest.approx(reconstruction + kl + 0.5 * sparsity)
    losses, _ = evaluate(model, images, labels)
    assert losses.negative_elbo == pytest.approx(losses.reconstruction + losses.kl), "models share this measure"


def test_a_setting_of_a_model_is_a_field_a_value_in_the_config_and_its_use(checkout):
    checkout.insert_before(
        "workflow/latentlab/records/settings.py",
        "\n    @property\n    def normalised_likelihood",
        "    sparsity: Annotated[float, Meta(ge=0)] = 0.0\n",
    )
    checkout.append("workflow/latentlab/models/networks.py", SPARSE_VAE)
    checkout.append("config.yaml", "  mine: {family: sparsevae, hidden: [8], epochs: 1, sparsity: 2}\n")
    metrics_file, history = checkout.train_and_evaluate("mine")
    loss, *terms = (history[f"train_{term}"][0] for term in ("loss", "reconstruction", "kl", "sparsity"))
    assert loss == pytest.approx(terms[0] + terms[1] + 2 * terms[2])
    assert json.loads(metrics_file.read_text())["settings"]["sparsity"] == 2
    assert checkout.model_settings("lab8-vae")["sparsity"] == 0


def test_a_setting_of_the_pipeline_is_a_field_and_a_line_of_the_config(checkout):
    field = "    favourite_label: Annotated[int, Meta(ge=0)]\n\n"
    checkout.insert_before("workflow/latentlab/records/settings.py", "    models: Annotated[dict", field)
    check = (
        "import yaml\n"
        "from latentlab.records.config import check_config\n"
        "from latentlab.runtime.errors import UserError\n"
        "config = yaml.safe_load(open('config.yaml'))\n"
        "try:\n    check_config(config)\n    print(config['favourite_label'])\n"
        "except UserError as error:\n    print(error)"
    )
    assert checkout.python(check).startswith("config: favourite_label is missing: ")
    checkout.append("config.yaml", "favourite_label: 7\n")
    assert checkout.python(check) == "7\n"
    checkout.append("config.yaml", "favourite_label: seven\n")  # YAML keeps the last one
    assert checkout.python(check) == "config: favourite_label: must be a whole number, not 'seven'\n"


# --- a data set -------------------------------------------------------------------------------------------------------

SETTINGS = {"hidden": (16,), "epochs": 15, "batch_size": 32, "learning_rate": 5e-3}
MODELS = {
    "autoencoder": ModelSettings(family="autoencoder", **SETTINGS),
    "vae": ModelSettings(family="vae", **SETTINGS),
    "cvae": ModelSettings(family="vae", conditional=True, **SETTINGS),
    "convolutional": ModelSettings(family="convolutional", **SETTINGS),
    "exact": ModelSettings(family="exact", **SETTINGS),
}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Of the files of a data set with other images than MNIST, after its declaration has been added."""
    folder = tmp_path_factory.mktemp("wide")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DATASETS, "Wide", plant_dataset(folder, WIDE, n_train=360, n_test=90))
        yield fetch_dataset(
            DATASETS["Wide"], folder / "resources", "local", folder, validation_size=60, log=lambda line: None
        )


@pytest.fixture(scope="module")
def splits(record):
    return {split: to_tensors(*load_split(record, split)) for split in ("train", "validation", "test")}


@pytest.fixture(scope="module")
def models(record, splits):
    return {
        name: train_model(ModelSpec.of(settings, record.declaration), splits["train"], splits["validation"])[0].eval()
        for name, settings in MODELS.items()
    }


@pytest.fixture(scope="module")
def classifier(record, splits):
    return train_reference_classifier(record.declaration, *splits["train"], epochs=20)


def test_a_data_set_is_fetched_and_split_by_its_declaration(record, splits, tmp_path):
    assert record.source == "published" and record.declaration.n_classes == 3
    assert {split: tuple(images.shape) for split, (images, _) in splits.items()} == {
        "train": (300, 12, 20),
        "validation": (60, 12, 20),
        "test": (90, 12, 20),
    }
    record.write(tmp_path / "record.json")
    assert DataRecord.read(tmp_path / "record.json") == record


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_trained_and_evaluated_on_a_new_data_set(name, record, splits, models, tmp_path):
    model, dataset, (images, labels) = models[name], record.declaration, splits["test"]
    assert model.spec.image_shape == (12, 20) and model.spec.n_classes == 3
    losses, _ = evaluate(model, images, labels)
    untrained, _ = evaluate(build_model(model.spec), images, labels)
    assert losses.reconstruction < untrained.reconstruction and (losses.kl is not None) == model.generative
    codes = encode_splits(model, splits)
    latents, correlations = measure_latents(codes, images.numpy(), dataset.classes)
    assert len(latents.separation.silhouette.classes) == 3 and correlations is not None
    assert {class_name for pair in latents.overlaps for class_name in pair[:2]} == set(dataset.classes)
    reconstructions = reconstruct(model, codes["test_codes"], labels)
    assert reconstructions.shape == (90, 240)
    assert reconstructions_and_samples(model, images, labels, codes["test_codes"]).shape == (4 * 90, 240)
    _, projection = project(codes["test_codes"], codes["test_labels"], dataset.n_classes)
    assert projection.dimensions == 2 and len(projection.full.neighbour_accuracy.classes) == 3
    save_checkpoint(tmp_path / "weights.safetensors", model)
    assert load_checkpoint(tmp_path / "weights.safetensors").spec == model.spec


@pytest.mark.parametrize("name", ["vae", "cvae", "exact"])
def test_likelihoods_and_posteriors_are_computed_on_a_new_data_set(name, splits, models):
    model, (images, labels) = models[name], splits["test"]
    losses, likelihoods = evaluate(model, images, labels, tolerance=0.02)
    assert likelihoods.quadrature_error < 0.1
    posteriors = select_posteriors(model, images, labels, tolerance=0.02)
    assert posteriors["pixels"].shape == (4, 240)
    if model.has_encoder:
        assert -losses.negative_elbo < likelihoods.log_likelihood and (posteriors["gap"] > -0.1).all()
    else:
        assert losses.negative_elbo is None and "gap" not in posteriors


def test_the_plane_of_a_model_of_a_new_data_set_is_decoded_and_measured(record, splits, models, classifier, tmp_path):
    axis = grid_axis(-2, 2, 5)
    positions = grid_points(axis, axis)
    pixels = decode_latents(models["vae"], positions)
    write_png(tmp_path / "grid.png", tile_images(pixels.reshape(-1, *record.declaration.image_shape), 5))
    assert read_png(tmp_path / "grid.png").shape == (5 * 12, 5 * 20)
    real = RealImages(classifier, *(part.numpy() for part in splits["train"]))
    measured = coverage(real, pixels, positions, 5, record.declaration.n_classes)
    assert len(measured.class_share) == 3 and sum(measured.class_share) == pytest.approx(measured.precision)
    realism = real.compare(pixels).realism
    probabilities = class_probabilities(classifier, pixels)
    assert probabilities.shape == (25, 3)
    shares = failure_shares(realism, probabilities)
    failures = find_failures(positions, realism / realism.max() / 2, probabilities, shares).failures
    assert failures and all(failure.kind in ("unrealistic", "ambiguous") for failure in failures)


def test_a_conditional_vae_classifies_the_images_of_a_new_data_set(record, splits, models):
    n_classes, model = record.declaration.n_classes, models["cvae"]
    prior = class_log_prior(splits["train"][1].numpy(), n_classes)
    images = {split: splits[split][0].numpy() for split in ("validation", "test")}
    images["ood"] = np.random.default_rng(0).integers(0, 256, (30, 12, 20), dtype=np.uint8)
    grid, error = choose_classifier_grid(model, images["test"], tolerance=0.02)
    joints = {split: compute_log_joint(model, values, prior, grid) for split, values in images.items()}
    labels = {split: splits[split][1].numpy() for split in ("validation", "test")}
    methods = evaluate_methods(joints, labels, n_classes)
    predictions = methods[best_method(methods)]
    assert best_method(methods) == "quadrature" and predictions.accuracy > 0.9
    scores = (ood_scores(model, images[split], joints[split]["quadrature"]) for split in ("test", "ood"))
    assert ood_auroc(*scores) > 0.9
    assert np.array(predictions.confusion).shape == (3, 3)
    assert error < 0.02


def test_classifiers_samples_and_pca_have_the_shape_of_a_new_data_set(record, splits, models, classifier):
    dataset, train, test = record.declaration, splits["train"], splits["test"]
    baselines = evaluate_baselines(train, test, classifier, 2, dataset.name, record.digest)
    assert baselines.cnn.accuracy > 0.9 and baselines.logistic.accuracy > 0.9 and baselines.dataset == "Wide"
    reference = reference_moments(classifier, test[0].numpy(), splits["validation"][0].numpy())
    for name in ("vae", "cvae"):
        assert sample_distance(classifier, models[name], reference) > real_distance(reference)
        gain = augmentation_gain(name, dataset, models[name], train, test, [30], n_seeds=1, draws=64)
        assert gain.sizes == (30,) and 0 <= gain.samples.mean[0] <= 1
    comparison = compare_models_with_pca(
        "autoencoder", [models["autoencoder"]], PCAReference(to_pixels(train[0]).numpy()), to_pixels(test[0]).numpy()
    )
    assert comparison.dims == (2,) and comparison.rank <= 240


def test_an_assignment_may_use_a_new_data_set(record, tmp_path):
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    models = {"cvae": {"config": "deep-cvae", "label": "CVAE"}}
    figures = {"maps": {"plot": "conditions", "models": ["cvae"], "width": 90}}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/assignment.yaml").write_text(
        yaml.safe_dump({"title": "T", "dataset": "Wide", "models": models, "figures": figures})
    )
    with pytest.raises(UserError, match="config: conditions: 8 is not a label of Wide; its labels are 0 to 2"):
        load_assignment(tmp_path, "mine", config)
    assignment = load_assignment(tmp_path, "mine", config | {"conditions": [0, 2]})
    assert assignment.data_records() == ["results/data/Wide.json"]
    assert assignment.figure_specs(config)[0].dataset == DATASETS["Wide"]


def test_a_new_data_set_without_synthetic_images_is_never_replaced_by_other_images(record, tmp_path):
    with pytest.raises(UserError, match=r"dataset Wide: there is no synthetic counterpart; .*'draw_wide'"):
        fetch_dataset(record.declaration, tmp_path, "synthetic")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_convolutional_family_refuses_a_data_set_whose_sides_it_cannot_halve_twice():
    odd = msgspec.structs.replace(WIDE, image_shape=(10, 20))
    message = (
        "family: convolutional needs images whose sides are multiples of 4 pixels, not 10×20; choose "
        "convolutionalvae, or a family without convolutions"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        train_model(ModelSpec.of(MODELS["convolutional"], odd), *[block_images(30, dataset=odd)] * 2)
    images, labels = block_images(30, dataset=odd)
    model, _ = train_model(ModelSpec.of(MODELS["vae"], odd), (images, labels), (images, labels))
    codes = encode_images(model, images, labels)["codes"]
    assert torch.isfinite(reconstruct(model, codes, labels)).all()

"""Colour images, from the stored arrays to models and measures: channels are used, and stay where they are."""

import msgspec
import numpy as np
import pytest
import torch
from builders import COLOUR, draw_pictures, evaluate
from PIL import Image
from scipy.stats import spearmanr

from latentlab.data.pictures import prepare_images
from latentlab.data.splits import load_split
from latentlab.metrics.augmentation import labelled_samples
from latentlab.metrics.grids import stack_strips, tile_images
from latentlab.metrics.latents import encode_splits, measure_latents
from latentlab.metrics.morphometrics import measure_shapes
from latentlab.metrics.pca import PCAReference
from latentlab.metrics.reference_classifier import class_probabilities, train_reference_classifier
from latentlab.models.inference import reconstruct, reconstructions_and_samples
from latentlab.models.inputs import random_affine, to_pixels, to_tensors
from latentlab.models.likelihoods import Bernoulli
from latentlab.models.networks import layer_table
from latentlab.models.train import train_model
from latentlab.records.data import ImageFolder
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.files import write_png

SETTINGS = {"hidden": (32,), "epochs": 30, "batch_size": 20, "learning_rate": 3e-3}
MODELS = {
    "autoencoder": ModelSettings(family="autoencoder", **SETTINGS),
    "denoising": ModelSettings(family="denoising", masked_share=0.2, **SETTINGS),
    "convolutional": ModelSettings(family="convolutional", **SETTINGS),
    "vae": ModelSettings(family="vae", **SETTINGS),
    "iwae": ModelSettings(family="iwae", importance_samples=3, **SETTINGS),
    "cvae": ModelSettings(family="vae", conditional=True, augment=True, **SETTINGS),
    "convolutional-cvae": ModelSettings(family="convolutionalvae", conditional=True, **SETTINGS),
    "exact": ModelSettings(family="exact", **SETTINGS),
}


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colour")
    draw_pictures(folder / "pictures", COLOUR, 60)
    record = prepare_images(COLOUR, ImageFolder(folder=str(folder / "pictures")), folder, log=lambda line: None)
    return {split: to_tensors(*load_split(record, split)) for split in ("train", "validation", "test")}


@pytest.mark.parametrize("name", MODELS)
def test_every_family_learns_colour_images_and_is_evaluated(name, splits, tmp_path):
    model, _ = train_model(ModelSpec.of(MODELS[name], COLOUR), splits["train"], splits["validation"])
    images, labels = splits["test"]
    losses, likelihoods = evaluate(model.eval(), images, labels, tolerance=0.1)
    mean = to_pixels(splits["train"][0]).mean(0)
    baseline = (to_pixels(images) - mean).square().mean().item()
    assert losses.squared_error < 0.95 * baseline, "better than the mean image, which has no colour of its own"
    assert (likelihoods is not None) == model.generative
    codes = encode_splits(model, splits)
    latents, correlations = measure_latents(codes, images.numpy(), COLOUR.classes)
    assert len(latents.centres) == 3 and correlations is not None
    rows = reconstructions_and_samples(model, images[:5], labels[:5], codes["test_codes"][:5])
    write_png(tmp_path / "x.png", tile_images(rows.reshape(-1, *COLOUR.image_shape), 5))
    assert Image.open(tmp_path / "x.png").size == (5 * 32, 4 * 20)
    reconstructions = reconstruct(model, codes["test_codes"], labels)
    assert reconstructions.shape == (36, 1920) and layer_table(model)
    assert stack_strips([rows, rows], COLOUR.image_shape).shape == (5 * 20, 5 * 32, 3)


def test_tiles_have_their_channels_last_and_everything_in_its_place(tmp_path):
    images = np.random.default_rng(0).random((6, 3, 20, 32))
    tiles = tile_images(images, 3)
    assert tiles.shape == (40, 96, 3)
    assert (tiles[20:, 32:64] == np.moveaxis(images[4], 0, -1)).all()
    write_png(tmp_path / "x.png", tiles)
    assert (np.asarray(Image.open(tmp_path / "x.png")) == (tiles * 255).round()).all()


def test_a_colour_image_of_equal_channels_is_treated_as_the_grey_one():
    generator = torch.Generator().manual_seed(0)
    grey = torch.randint(0, 256, (50, 20, 32), generator=generator, dtype=torch.uint8)
    colour = grey[:, None].repeat(1, 3, 1, 1)
    torch.manual_seed(0)
    expected = random_affine(grey)
    torch.manual_seed(0)
    assert torch.equal(random_affine(colour), expected[:, None].repeat(1, 3, 1, 1))
    for name, values in measure_shapes(colour.numpy()).items():
        assert values == pytest.approx(measure_shapes(grey.numpy())[name], abs=1e-4), name


def test_log_probabilities_are_sums_over_pixels_and_channels():
    x, output = torch.rand(4, 3 * 240), torch.randn(4, 3 * 240)
    channels = [Bernoulli().log_prob(x[:, part], output[:, part]) for part in torch.arange(720).split(240)]
    assert torch.allclose(Bernoulli().log_prob(x, output), sum(channels), rtol=1e-5)


def coloured_noise(count, seed=0):
    """Images whose class is the brightest channel, and nothing else."""
    rng = np.random.default_rng(seed)
    images, labels = rng.integers(0, 120, (count, 3, 20, 32), dtype=np.uint8), np.arange(count) % 3
    images[np.arange(count), labels] += 60
    return to_tensors(images, labels)


def test_the_reference_classifier_sees_colours():
    classifier = train_reference_classifier(COLOUR, *coloured_noise(150), epochs=6)
    images, labels = coloured_noise(60, seed=1)
    assert (class_probabilities(classifier, to_pixels(images)).argmax(axis=1) == labels.numpy()).mean() > 0.9


def test_the_codes_of_a_convolutional_vae_depend_on_colours():
    split = coloured_noise(150)
    spec = ModelSpec.of(ModelSettings(family="convolutionalvae", **SETTINGS), COLOUR)
    model, _ = train_model(spec, split, split)
    redness = to_pixels(split[0]).view(-1, 3, 640)[:, 0].mean(1)
    codes = model.eval().encode(to_pixels(split[0]))[0].detach()
    assert max(abs(spearmanr(code, redness).statistic) for code in codes.T) > 0.6


def test_samples_and_pca_have_the_shape_of_colour_images(splits):
    model, _ = train_model(ModelSpec.of(MODELS["vae"], COLOUR), splits["train"], splits["validation"])
    samples, labels = labelled_samples(model.eval(), *splits["train"], 7, torch.Generator())
    assert samples.shape == (7, 3, 20, 32) and samples.dtype == torch.uint8 and len(labels) == 7
    pixels = to_pixels(splits["train"][0]).numpy()
    assert PCAReference(pixels).reconstruct(pixels, 2).shape == pixels.shape


def test_shapes_are_told_by_their_declaration():
    assert (COLOUR.size, COLOUR.n_channels, COLOUR.n_pixels) == ((20, 32), 3, 1920)
    grey = msgspec.structs.replace(COLOUR, image_shape=(20, 32))
    assert (grey.size, grey.n_channels, grey.n_pixels) == ((20, 32), 1, 640)

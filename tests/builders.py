"""Small data sets, and models whose answers are known, for tests."""

import gzip
import hashlib

import msgspec
import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.distributions import MultivariateNormal

from latentlab.data.idx import encode_splits
from latentlab.metrics.bounds import evaluate_likelihood
from latentlab.models.exact import Exact
from latentlab.models.inference import encode_images, reconstruct
from latentlab.models.networks import VAE
from latentlab.records.datasets import DATASETS, Dataset, archive_name
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings

MNIST = DATASETS["MNIST"]
WIDE = Dataset(  # images that are neither square nor 28 pixels wide
    name="Wide",
    title="Wide images",
    torchvision="Wide",
    image_shape=(12, 20),
    classes=("left", "middle", "right"),
    sha256=MNIST.sha256,  # to be replaced by the checksums of planted files
    ood_partner="Wide",
    reader="idx",
    synthetic="draw_wide",
)
COLOUR = Dataset(  # images of one's own
    name="Shapes", title="Shapes", image_shape=(3, 20, 32), classes=("disc", "square", "bow"), reader="npy"
)
SIGMA = 0.3  # of every LinearGaussian


def model_spec(
    family="vae", latent_dim=2, seed=0, image_shape=MNIST.image_shape, n_classes=MNIST.n_classes, **settings
):
    """A ModelSpec; `settings` are those of the model config that differ from the defaults."""
    return ModelSpec(
        settings=ModelSettings(family=family, latent_dim=latent_dim, seed=seed, **settings),
        latent_dim=latent_dim,
        seed=seed,
        image_shape=image_shape,
        n_classes=n_classes,
    )


def flat_images(*greys, shape=MNIST.image_shape):
    """Pixels (n, P) of images that have one grey each, 0 to 255."""
    return np.repeat(np.array(greys)[:, None] / 255, np.prod(shape), axis=1)


class GreyFeature:
    """Stands for the reference classifier: its one feature is the mean grey of an image, 0 to 255."""

    def features(self, x):
        return 255 * x.mean(1, keepdim=True)


def grey_images():
    """Images that are flat greys from 0 to 99, uint8 (100, rows, columns), and their last digits as labels."""
    greys = np.arange(100)
    return np.repeat(greys, 784).reshape(-1, *MNIST.image_shape).astype(np.uint8), greys % 10


def block_images(count, seed=0, dataset=MNIST):
    """uint8 images (count, rows, columns) of noise with a bright block, whose place is the class; and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % dataset.n_classes)
    images = rng.integers(0, 80, (count, *dataset.image_shape), dtype=np.uint8)
    columns = -(-dataset.n_classes // 2)  # of two rows of blocks
    height, width = dataset.image_shape[0] // 2, dataset.image_shape[1] // columns
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), columns)
        top, bottom = row * height + height // 4, (row + 1) * height - height // 4
        image[top:bottom, column * width : (column + 1) * width - 1] = 255
    return torch.tensor(images), torch.tensor(labels)


def evaluate(model, images, labels, **options):
    """The losses and the likelihood of a model on uint8 images (`evaluate_likelihood`)."""
    reconstructions = reconstruct(model, encode_images(model, images, labels)["codes"], labels)
    return evaluate_likelihood(model, images, labels, reconstructions, **options)


def draw_pictures(folder, dataset, count, seed=0):
    """Write `count` colour pictures of each class as PNG files, as `prepare_images` reads them: bright shapes of random
    colours and places on a dark ground."""
    rng, (rows, columns) = np.random.default_rng(seed), dataset.size
    for name in dataset.classes:
        (folder / name).mkdir(parents=True)
        for i in range(count):
            image = Image.new("RGB", (columns, rows), tuple(rng.integers(0, 60, 3).tolist()))
            x, y, r = rng.uniform(10, columns - 10), rng.uniform(8, rows - 8), rng.uniform(5, 8)
            colour, draw = tuple(rng.integers(120, 256, 3).tolist()), ImageDraw.Draw(image)
            if name == "disc":
                draw.ellipse([x - r, y - r, x + r, y + r], fill=colour)
            elif name == "square":
                draw.rectangle([x - r, y - r, x + r, y + r], fill=colour)
            else:
                draw.polygon([(x - r, y - r), (x + r, y + r), (x + r, y - r), (x - r, y + r)], fill=colour)
            image.save(folder / name / f"{i}.png")


def plant_dataset(folder, dataset, n_train=50, n_test=20):
    """Write files of the data set with few images into `folder` as torchvision lays them out, gzipped, and return its
    declaration with their checksums."""
    splits = {"train": block_images(n_train, 1, dataset), "test": block_images(n_test, 2, dataset)}
    arrays = {split: (images.numpy(), labels.numpy().astype(np.uint8)) for split, (images, labels) in splits.items()}
    raw_folder = folder / dataset.name / "raw"
    raw_folder.mkdir(parents=True)
    checksums = {}
    for name, raw in encode_splits(arrays).items():
        archive = gzip.compress(raw)
        (raw_folder / archive_name(name)).write_bytes(archive)
        is_packed = archive_name(name) in dataset.sha256
        checksums[archive_name(name) if is_packed else name] = hashlib.sha256(archive if is_packed else raw).hexdigest()
    return msgspec.structs.replace(dataset, sha256=checksums)


class LinearDecoder:
    """p(x|z) = N(W z + b, σ²), whose log p(x) is known: that of N(b, W Wᵀ + σ²). With an offset b for each class,
    (classes, P), it is conditional."""

    def __init__(self, weight, offset):
        n_pixels, latent_dim = weight.shape
        conditional = offset.ndim == 2
        super().__init__(
            model_spec(
                latent_dim=latent_dim,
                image_shape=(1, n_pixels),
                n_classes=len(offset) if conditional else 1,
                conditional=conditional,
                likelihood="gaussian",
                sigma=SIGMA,
                output="linear",
            )
        )
        self.weight, self.offset = weight, offset

    def decode(self, z, y=None):
        return z @ self.weight.T + self._offset(y)

    def posterior_mean(self, x, y=None):
        return (x - self._offset(y)) @ self.weight @ self.precision().inverse() / SIGMA**2

    def precision(self):
        """Of the true posterior, (d, d)."""
        return torch.eye(self.latent_dim) + self.weight.T @ self.weight / SIGMA**2

    def log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """log p(x), or log p(x|y) of a conditional model, in closed form."""
        covariance = self.weight @ self.weight.T + SIGMA**2 * torch.eye(len(self.weight))
        return MultivariateNormal(self._offset(y), covariance).log_prob(x)

    def sample(self, count, y=None):
        clean = self.decode(torch.randn(count, self.latent_dim), y)
        return clean + SIGMA * torch.randn_like(clean)

    def _offset(self, y):
        return self.offset if y is None or not self.conditional else self.offset[y]


class LinearGaussian(LinearDecoder, VAE):
    """Its encoder gives the mean and the variances of the true posterior: it is exact for d = 1 and leaves correlations
    out for d = 2."""

    def encode(self, x, y=None):
        mean = self.posterior_mean(x, y)
        return mean, self.precision().inverse().diagonal().log().expand_as(mean)


class LinearExact(LinearDecoder, Exact):
    """The same without an encoder."""


def linear_gaussian(latent_dim, n_pixels=6, model=LinearGaussian):
    """An unconditional `model` with random weights. Seeds torch."""
    torch.manual_seed(latent_dim)
    weight, offset = 0.5 * torch.randn(n_pixels, latent_dim), torch.randn(n_pixels)
    return model(weight, offset)

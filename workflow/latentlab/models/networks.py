"""The basic model families with an encoder, and what all families share. B is the batch size, d the latent dimension, P
the number of pixels, of a colour image in three channels; images are flat, (B, P), with pixels in [0, 1].

A model has `decode(z, y) -> output`, (B, P), which the likelihood (likelihoods.py) turns into pixels. Most have an
encoder, `encode(x, y) -> (mean, log_var)`, both (B, d), where `log_var` is None if it gives points. The family without
one is in exact.py; those with another objective, or with other layers, have modules of their own, too. The labels y,
(B,), matter only to a conditional model, whose encoder and decoder both see them one-hot (Sohn et al. 2015). Outputs
are float32, whatever the precision of the matrix products.

A family is a class that derives from `LatentModel`; `family` in a model config is its name in lower case. A family with
a loss of its own overrides `loss_terms` and `loss`, and a VAE with other bounds on log p(x) overrides `bounds`.
"""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeVar

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

from latentlab.models.likelihoods import build_likelihood
from latentlab.models.objective import (
    Bounds,
    importance_weighted_bound,
    kl_to_prior,
    log_importance_ratio,
    sample_latent,
)
from latentlab.records.metrics import LayerSummary
from latentlab.records.runs import ModelSpec
from latentlab.runtime.errors import UserError

Scalar = TypeVar("Scalar", Tensor, float)


def mlp(*sizes: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers with an activation between them and none after the last."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers[:-1])


class FourierFeatures(nn.Module):
    """Inputs of a decoder: z, the label if there is one, and sin and cos of `count` random projections of z, drawn once
    from N(0, scale²). A network of smooth activations learns only slowly what changes over short distances of its
    inputs; with these it learns what changes over distances of about 1/scale (Tancik et al. 2020)."""

    def __init__(self, latent_dim: int, count: int, scale: float) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", scale * torch.randn(latent_dim, count))

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, d + label inputs) → (B, d + label inputs + 2 · count)."""
        z = inputs[:, : len(self.frequencies), None]
        angles = (z * self.frequencies).sum(1)  # not by a matrix product, which might be one of bfloat16
        return torch.cat([inputs, angles.sin(), angles.cos()], dim=1)


class LatentModel(nn.Module):
    """A decoder from latent space, with or without an encoder. A conditional model has one more input per class in both
    directions."""

    activation: type[nn.Module] = nn.ReLU  # between hidden layers
    has_encoder = False
    generative = False  # whether it has a prior, N(0, I), to sample from
    denoising = False  # whether it is trained to restore corrupted images
    side_multiple = 1  # of which the sides of images have to be multiples, pixels
    own_settings: tuple[str, ...] = ()  # of `ModelSettings`, those that only this family and its subclasses have
    decoder: nn.Sequential
    block_batches = 1  # batches of training images that `training_batches` is given at a time

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.likelihood = build_likelihood(spec.settings)

    def build_decoder(self) -> nn.Sequential:
        """d → hidden mirrored → features, with Fourier features of z first if the settings ask for them."""
        settings = self.spec.settings
        features = settings.fourier_features
        decoder = mlp(
            self.latent_dim + self.n_label_inputs + 2 * features,
            *reversed(settings.hidden),
            self.n_features,
            activation=self.activation,
        )
        if features:
            decoder.insert(0, FourierFeatures(self.latent_dim, features, settings.fourier_scale))
        return decoder

    @property
    def n_features(self) -> int:
        """Inputs of the fully connected encoder, labels left out, and outputs of the fully connected decoder."""
        return self.spec.n_pixels

    @property
    def n_label_inputs(self) -> int:
        """Inputs that hold the one-hot label."""
        return self.spec.n_classes if self.conditional else 0

    @property
    def conditional(self) -> bool:
        return self.spec.settings.conditional

    @property
    def latent_dim(self) -> int:
        return self.spec.latent_dim

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(self.append_label(z, y)).float()

    def append_label(self, inputs: Tensor, y: Tensor | None) -> Tensor:
        """`inputs`, (B, n), followed by the one-hot label, (B, n + classes), if the model is conditional."""
        if not self.conditional:
            return inputs
        assert y is not None, "a conditional model needs labels"
        return torch.cat([inputs, functional.one_hot(y, self.spec.n_classes).float()], dim=1)

    def training_batches(self, x: Tensor, y: Tensor) -> Iterable[tuple[Tensor, ...]]:
        """The arguments of `loss_terms` for each training step, from `block_batches` batches of images."""
        return [(x, y)]

    def loss_terms(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """The terms of the training loss by name, each (B,) nats; recorded in history.csv."""
        raise NotImplementedError

    def loss(self, terms: dict[str, Scalar]) -> Scalar:
        """The training loss, from the terms of each image or from their means."""
        raise NotImplementedError


class Autoencoder(LatentModel):
    """Encodes an image as a point: P → hidden → d, and hidden mirrored → P."""

    has_encoder = True
    numbers_per_dim = 1  # numbers that the encoder gives for each latent dimension

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.encoder = mlp(
            self.n_features + self.n_label_inputs,
            *spec.settings.hidden,
            self.numbers_per_dim * spec.latent_dim,
            activation=self.activation,
        )
        self.decoder = self.build_decoder()

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return self.encoder(self.append_label(x, y)).float(), None

    def evaluation_terms(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """The terms of the loss that models are compared by, each (B,) nats: `reconstruction`, and `kl` for a VAE, with
        one sample of z. Their sum is the negated ELBO, or an autoencoder's reconstruction loss."""
        mean, log_var = self.encode(x, y)
        output = self.decode(sample_latent(mean, log_var), y)
        terms = {"reconstruction": -self.likelihood.log_prob(x, output)}
        if log_var is not None:
            terms["kl"] = kl_to_prior(mean, log_var)
        return terms

    def loss_terms(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        return self.evaluation_terms(x, y)

    def loss(self, terms: dict[str, Scalar]) -> Scalar:
        return terms["reconstruction"]


class VAE(Autoencoder):
    """Encodes an image as a Gaussian q(z|x), given by its mean and log variance (Kingma & Welling 2014)."""

    generative = True
    numbers_per_dim = 2

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        mean, log_var = self.encoder(self.append_label(x, y)).float().chunk(2, dim=1)
        return mean, log_var

    def loss(self, terms: dict[str, Scalar]) -> Scalar:
        """Reconstruction + β · KL."""
        return terms["reconstruction"] + self.spec.settings.beta * terms["kl"]

    def bounds(self, x: Tensor, y: Tensor | None, noise: Tensor) -> Bounds:
        """The ELBO and the importance-weighted bound on log p(x), from the same K draws of z.

        Args:
            noise: (K, B, d), standard normal.
        """
        mean, log_var = self.encode(x, y)
        assert log_var is not None
        log_probs, log_ratios = [], []
        for draw in noise:
            z = sample_latent(mean, log_var, draw)
            log_probs.append(self.likelihood.log_prob(x, self.decode(z, y)))
            log_ratios.append(log_importance_ratio(z, mean, log_var))
        log_prob, log_ratio = torch.stack(log_probs), torch.stack(log_ratios)
        weighted = importance_weighted_bound(log_prob, log_ratio)
        return Bounds(reconstruction=-log_prob.mean(0), kl=kl_to_prior(mean, log_var), importance_weighted=weighted)


class Convolutional(Autoencoder):
    """Encodes an image as a point: two 5×5 convolutions with 32 and 64 channels, each followed by 2×2 max pooling,
    then the fully connected layers of `hidden`; and back through the same layers mirrored and two 4×4 transposed
    convolutions of stride 2. The fully connected layers are linear, and weights are initialised by `init_weights`."""

    activation = nn.Identity  # with ReLUs here, three epochs reach no lower loss than one without
    channels = 64
    side_multiple = 4  # both poolings together divide rows and columns by it

    def __init__(self, spec: ModelSpec) -> None:
        rows, columns = spec.size
        if rows % self.side_multiple or columns % self.side_multiple:
            raise UserError(
                f"family: convolutional needs images whose sides are multiples of {self.side_multiple} pixels, "
                f"not {rows}×{columns}; choose convolutionalvae, or a family without convolutions"
            )
        super().__init__(spec)
        self.features = nn.Sequential(
            nn.Unflatten(1, (spec.n_channels, rows, columns)),
            # a ReLU after pooling: the same as before it, on fewer numbers
            *(nn.Conv2d(spec.n_channels, 32, 5, padding=2), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Conv2d(32, self.channels, 5, padding=2), nn.MaxPool2d(2), nn.ReLU()),
            nn.Flatten(),
        )
        self.deconv = nn.Sequential(
            nn.Unflatten(1, (self.channels, *self.feature_shape)),
            *(nn.ConvTranspose2d(self.channels, self.channels, 4, stride=2, padding=1), nn.ReLU()),
            nn.ConvTranspose2d(self.channels, spec.n_channels, 4, stride=2, padding=1),
            nn.Flatten(),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                init_weights(layer)
        self.to(memory_format=torch.channels_last)  # makes the convolutions half as fast again

    @property
    def feature_shape(self) -> tuple[int, int]:
        """Rows and columns of a feature map after both poolings."""
        rows, columns = self.spec.size
        return rows // self.side_multiple, columns // self.side_multiple

    @property
    def n_features(self) -> int:
        return self.channels * math.prod(self.feature_shape)

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return super().encode(self.features(x), y)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.deconv(super().decode(z, y)).float()


def init_weights(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Initialise weights such that a layer's outputs vary as much as its inputs (He et al. 2015; twice as much before a
    ReLU). torch's default lets the signal fade over many layers, which costs epochs."""
    if isinstance(layer, nn.ConvTranspose2d):  # each output pixel meets one kernel position in stride²
        fan_in = layer.weight[:, 0].numel() / math.prod(layer.stride)
    else:
        fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=math.sqrt((1 if isinstance(layer, nn.Linear) else 2) / fan_in))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


def layer_table(model: LatentModel) -> tuple[LayerSummary, ...]:
    """The layers that have weights or change the shape, each with its activation, in the order in which an image passes
    them."""
    rows: list[LayerSummary] = []
    part = "encoder"

    def record(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        shape, parameters = tuple(output.shape[1:]), sum(weights.numel() for weights in layer.parameters())
        if parameters or shape != inputs[0].shape[1:]:
            names = [name for name in ("kernel_size", "stride", "padding") if hasattr(layer, name)]
            sizes = {name: getattr(layer, name) for name in names}
            sizes = {name: size[0] if isinstance(size, tuple) else size for name, size in sizes.items()}
            rows.append(
                LayerSummary(part=part, layer=type(layer).__name__, shape=shape, parameters=parameters, **sizes)
            )
        elif isinstance(layer, nn.ReLU):
            rows[-1] = msgspec.structs.replace(rows[-1], activation=type(layer).__name__)

    hooks = [layer.register_forward_hook(record) for layer in model.modules() if not list(layer.children())]
    x, y = torch.zeros(1, model.spec.n_pixels), torch.zeros(1, dtype=torch.int64)
    with torch.no_grad():
        if isinstance(model, Autoencoder):
            model.encode(x, y)
        part = "decoder"
        model.decode(torch.zeros(1, model.latent_dim), y)
    for hook in hooks:
        hook.remove()
    return tuple(rows)

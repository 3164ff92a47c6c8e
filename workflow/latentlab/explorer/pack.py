"""Networks and arrays as text, for the page to unpack."""

import base64
import zlib
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from latentlab.models.networks import FourierFeatures
from latentlab.records.base import Record

ACTIVATIONS = nn.ReLU, nn.Tanh, nn.Sigmoid  # those that network.js implements
# How many steps the root mean square of an output's weights has. On decoders the error of log p(x) depends: with these,
# less than 0.01 nats for each of a few hundred test images. On encoders no probability does, only the Gaussian drawn.
DECODER_STEPS, ENCODER_STEPS = 450, 48
FIRST_FACTOR = 8  # how much finer the steps of a decoder's first layer are, whose weights are few
MAX_MULTIPLE = 32767  # of a step
DAMPING = 1e-4  # added to the inputs' squares, as a share of their mean


class PackedLayer(Record, frozen=True, omit_defaults=False):
    """A linear layer, or Fourier features; arrays as `encode_array` writes them."""

    weights: str = ""
    """`fold_weights`."""
    steps: str = ""
    """float32, (outputs,): the unit of the weights of each output."""
    bias: str = ""
    """float32, (outputs,)."""
    frequencies: str | None = None
    """float32, (2, count): in place of all others, those of Fourier features."""
    activation: str | None = None
    """The class in torch.nn of the activation that follows."""


@torch.no_grad()
def pack_layers(network: nn.Module, n_steps: int, inputs: Tensor | None = None) -> tuple[PackedLayer, ...] | None:
    """The layers of a network; None if it has any but Fourier features and linear layers, each of these followed by at
    most one of `ACTIVATIONS`.

    Args:
        n_steps: how many steps the root mean square of an output's weights has.
        inputs: (n, inputs), for which the outputs should change least: weights are then rounded by `round_weights`, and
            those of the first linear layer to steps that are finer by `FIRST_FACTOR`. Without, all to the nearest step.
    """
    layers: list[PackedLayer] = []
    for layer in network if isinstance(network, nn.Sequential) else [network]:
        if isinstance(layer, FourierFeatures):
            layers.append(PackedLayer(frequencies=encode_array(layer.frequencies, "<f4")))
        elif isinstance(layer, nn.Linear):
            is_finer = inputs is not None and not any(packed.weights for packed in layers)
            packed, layer = _pack_linear(layer, n_steps * (FIRST_FACTOR if is_finer else 1), inputs)
            layers.append(packed)
        elif isinstance(layer, ACTIVATIONS) and layers and not layers[-1].activation:
            layers[-1] = msgspec.structs.replace(layers[-1], activation=type(layer).__name__)
        else:
            return None
        inputs = None if inputs is None else layer(inputs)  # of the next layer, with what was rounded
    return tuple(layers)


def round_weights(
    weights: np.ndarray, bias: np.ndarray, steps: np.ndarray, inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A linear layer with weights that are multiples of a step, and nearly the same outputs: weights are rounded one
    input after the other, and what each rounding changes is made up for by the weights of the inputs that follow and by
    the bias, as far as inputs are correlated. This is GPTQ (Frantar et al., ICLR 2023).

    Args:
        weights, bias: (outputs, inputs) and (outputs,).
        steps: the unit of the weights of each output, (outputs,).
        inputs: for which the squared error of the outputs is kept small, (n, inputs).

    Returns:
        the multiples (outputs, inputs), whole numbers up to ±`MAX_MULTIPLE`, and the new bias (outputs,).
    """
    x = np.column_stack([inputs, np.ones(len(inputs))]).astype(float)  # the bias is the weight of a constant
    products = x.T @ x
    products += DAMPING * np.diag(products).mean() * np.eye(len(products))
    factor = np.linalg.cholesky(np.linalg.inv(products)).T
    remaining = np.column_stack([weights, bias]).astype(float)
    multiples = np.zeros(weights.shape, int)
    for i in range(weights.shape[1]):
        multiples[:, i] = np.clip(np.round(remaining[:, i] / steps), -MAX_MULTIPLE, MAX_MULTIPLE)
        error = (remaining[:, i] - multiples[:, i] * steps) / factor[i, i]
        remaining[:, i + 1 :] -= np.outer(error, factor[i, i + 1 :])
    return multiples, remaining[:, -1]


def fold_weights(multiples: np.ndarray) -> np.ndarray:
    """Whole numbers (outputs, inputs) between -32768 and 32767 as bytes: 0, -1, 1, -2, … become 0, 1, 2, 3, …; first
    the lower bytes of all, then the higher ones, which compress well, because most of them are small."""
    folded = np.where(multiples < 0, -2 * multiples - 1, 2 * multiples).astype("<u2")
    return folded.ravel().view(np.uint8).reshape(-1, 2).T


def encode_array(values: Any, dtype: str) -> str:
    """Base64 of an array's bytes, the lowest byte first, compressed by zlib."""
    return base64.b64encode(zlib.compress(np.asarray(values).astype(dtype).tobytes(), 9)).decode()


def _pack_linear(layer: nn.Linear, n_steps: int, inputs: Tensor | None) -> tuple[PackedLayer, nn.Linear]:
    """A linear layer, packed, and as it will be unpacked."""
    weights, bias = layer.weight.numpy(), layer.bias.numpy()
    steps = np.sqrt(np.square(weights).mean(axis=1)) / n_steps
    steps = np.maximum(np.maximum(steps, np.abs(weights).max(axis=1) / MAX_MULTIPLE), 1e-30)
    if inputs is None:
        multiples = (weights / steps[:, None]).round().astype(int)
    else:
        multiples, bias = round_weights(weights, bias, steps, inputs.numpy())
    unpacked = nn.Linear(*weights.T.shape)
    unpacked.weight.copy_(torch.from_numpy(multiples * steps[:, None]))
    unpacked.bias.copy_(torch.from_numpy(bias))
    packed = PackedLayer(
        weights=encode_array(fold_weights(multiples), "u1"),
        steps=encode_array(steps, "<f4"),
        bias=encode_array(bias, "<f4"),
    )
    return packed, unpacked

"""Networks and arrays as text, for the page to unpack."""

import base64
import zlib
from typing import Any

import msgspec
import numpy as np
from torch import nn

from latentlab.models.networks import FourierFeatures
from latentlab.records.base import Record

ACTIVATIONS = nn.ReLU, nn.Tanh, nn.Sigmoid  # those that network.js implements
# How many steps the root mean square of an output's weights has. On decoders the error of log p(x) depends, a mean of
# less than 0.01 nats; on encoders no probability does, only the Gaussian that is drawn.
DECODER_STEPS, ENCODER_STEPS = 800, 48


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


def pack_layers(network: nn.Module, n_steps: int) -> tuple[PackedLayer, ...] | None:
    """The layers of a network; None if it has any but Fourier features and linear layers, each of these followed by at
    most one of `ACTIVATIONS`.

    Args:
        n_steps: how many steps the root mean square of an output's weights has.
    """
    layers: list[PackedLayer] = []
    for layer in network if isinstance(network, nn.Sequential) else [network]:
        if isinstance(layer, FourierFeatures):
            layers.append(PackedLayer(frequencies=encode_array(layer.frequencies, "<f4")))
        elif isinstance(layer, nn.Linear):
            layers.append(_pack_linear(layer, n_steps))
        elif isinstance(layer, ACTIVATIONS) and layers and not layers[-1].activation:
            layers[-1] = msgspec.structs.replace(layers[-1], activation=type(layer).__name__)
        else:
            return None
    return tuple(layers)


def fold_weights(multiples: np.ndarray) -> np.ndarray:
    """Whole numbers (outputs, inputs) between -32768 and 32767 as bytes: 0, -1, 1, -2, … become 0, 1, 2, 3, …; first
    the lower bytes of all, then the higher ones, which compress well, because most of them are small."""
    folded = np.where(multiples < 0, -2 * multiples - 1, 2 * multiples).astype("<u2")
    return folded.ravel().view(np.uint8).reshape(-1, 2).T


def encode_array(values: Any, dtype: str) -> str:
    """Base64 of an array's bytes, the lowest byte first, compressed by zlib."""
    return base64.b64encode(zlib.compress(np.asarray(values).astype(dtype).tobytes(), 9)).decode()


def _pack_linear(layer: nn.Linear, n_steps: int) -> PackedLayer:
    weights, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    steps = np.sqrt(np.square(weights).mean(axis=1)) / n_steps
    steps = np.maximum(np.maximum(steps, np.abs(weights).max(axis=1) / 32767), 1e-30)
    return PackedLayer(
        weights=encode_array(fold_weights((weights / steps[:, None]).round().astype(int)), "u1"),
        steps=encode_array(steps, "<f4"),
        bias=encode_array(bias, "<f4"),
    )

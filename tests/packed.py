"""Networks as the explorer unpacks them."""

import base64
import copy
import json
import re
import zlib

import msgspec
import numpy as np
import torch

from latentlab.explorer.pack import PackedLayer


def unpack(text, dtype):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype)


def unpack_weights(layer):
    steps = unpack(layer.steps, "<f4")
    low, high = unpack(layer.weights, "u1").reshape(2, -1).astype(int)
    folded = low + 256 * high
    return np.where(folded % 2, -(folded + 1) // 2, folded // 2).reshape(len(steps), -1) * steps[:, None]


def unpack_model(model, path):
    """The model of one kind, conditional or not, with the decoder that the explorer in a file has of it."""
    text = re.search(r'id="page-data">(.*?)</script>', path.read_text(), re.DOTALL)[1]
    packed = next(each for each in json.loads(text)["models"] if each["conditional"] == model.conditional)
    layers = [msgspec.convert(layer, PackedLayer) for layer in packed["decoder"]]
    unpacked = copy.deepcopy(model)
    linear = [layer for layer in unpacked.decoder if isinstance(layer, torch.nn.Linear)]
    with torch.no_grad():
        for layer, target in zip(layers, linear, strict=True):
            target.weight.copy_(torch.from_numpy(unpack_weights(layer)))
            target.bias.copy_(torch.tensor(unpack(layer.bias, "<f4")))
    return unpacked

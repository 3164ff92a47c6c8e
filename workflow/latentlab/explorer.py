"""The explorer: one HTML file in which a reader moves through latent planes, with the trained decoders inside."""

import base64
import hashlib
import io
import json
import re
from pathlib import Path

import matplotlib
import numpy as np
from markupsafe import Markup
from PIL import Image
from scipy.stats import norm
from torch import nn

from latentlab import grids
from latentlab.fonts import data_uri
from latentlab.models import CLASSES, VAE, Autoencoder
from latentlab.report import fill_in

POINTS, COLUMNS = 2000, 50  # test images on the page, and how many side by side in the one picture of them all
ROOM = 0.05  # of the range of the codes, around them
SIDE = 128  # positions a side at which the density is taken
LIMIT = 4_000_000  # bytes
SCRIPTS = "decoder.js", "plane.js", "explorer.js"  # each imports from those before it
ACTIVATIONS = nn.ReLU, nn.Tanh, nn.Sigmoid  # which decoder.js knows


def describe(model, described, label, codes):
    """What the page holds of a model with two latent dimensions, as JSON can hold it. Its `layers` are None if the
    decoder is not made of linear layers and activations that the page knows.

    Args:
        model, described: of training.load.
        label: the model's name on the page.
        codes: the arrays of codes.npz (codes.py).
    """
    low, high = view(codes, isinstance(model, VAE))
    return {
        "label": label,
        "random": isinstance(model, VAE),
        "conditional": model.conditional,
        "output": described["settings"]["output"],
        "low": low,
        "high": high,
        "codes": pack(codes["test_mean"][:POINTS], "<f4"),
        "densities": [pack(one, "u1") for one in densities(model, codes, low, high)],
        "layers": pack_layers(model.decoder) if type(model).decode is Autoencoder.decode else None,
    }


def view(codes, random):
    """The ranges of the plane that is shown, `(low, high)`, each for both dimensions: all the points, even if they are
    one; of a random code a square around the prior's mean that holds the prior's circles, and so they are round."""
    z = codes["test_mean"][:POINTS]
    low, high = z.min(axis=0), z.max(axis=0)
    if random:
        high = np.full(2, max(np.abs(z).max(), 2.0))
        low = -high
    room = ROOM * np.maximum(high - low, 1e-3)
    return (low - room).tolist(), (high + room).tolist()


def densities(model, codes, low, high):
    """The density of the codes, a picture `(SIDE, SIDE)` of its square root in 255ths of the highest: the mean of
    q(z|x) over the test images. Of a conditional model one for each label; none of a model whose codes are points."""
    if "test_log_var" not in codes:
        return []
    x, y = (grids.axis(low[i], high[i], SIDE) for i in range(2))
    groups = [slice(None)]
    if model.conditional:
        groups = [codes["test_labels"] == label for label in range(CLASSES)]
    return [_in_bytes(mixture(x, y, codes["test_mean"][group], codes["test_log_var"][group])) for group in groups]


def mixture(x, y, mean, log_var):
    """Density of an even mixture of Gaussians N(mean, exp log_var), both `(n, 2)`, at `x` and `y`, ascending: `(len(y),
    len(x))` with the highest y in the first row."""
    std = np.exp(0.5 * log_var.astype(float))
    across, down = (
        norm.pdf(steps[:, None], mean[:, i], std[:, i]) for i, steps in enumerate((np.asarray(x), np.asarray(y)[::-1]))
    )
    return down @ across.T / max(len(mean), 1)


def _in_bytes(density):
    return np.sqrt(density / max(density.max(), 1e-300)) * 255


def pack_layers(decoder):
    """The layers of a decoder: `weights` in 16 bits, `scales` that each row of them is multiplied with, `bias`, and the
    `activation` that follows; None if there is anything else in it."""
    layers = []
    for layer in decoder if isinstance(decoder, nn.Sequential) else [decoder]:
        if isinstance(layer, nn.Linear):
            layers.append(_pack_linear(layer.weight.detach().numpy(), layer.bias.detach().numpy()))
        elif isinstance(layer, ACTIVATIONS) and layers and not layers[-1]["activation"]:
            layers[-1]["activation"] = type(layer).__name__
        else:
            return None
    return layers


def _pack_linear(weights, bias):
    scales = np.maximum(np.abs(weights).max(axis=1), 1e-30) / 32767
    packed = pack((weights / scales[:, None]).round(), "<i2")
    return {"weights": packed, "scales": pack(scales, "<f4"), "bias": pack(bias, "<f4"), "activation": None}


def pack(values, kind):
    """Base64 of an array's bytes."""
    return base64.b64encode(np.asarray(values).astype(kind).tobytes()).decode()


def fit(described, limit):
    """Those of `described` that can be decoded and fit into `limit` bytes, in this order; and the other labels."""
    kept, left_out = [], []
    for one in described:
        size = len(json.dumps(one))
        if one["layers"] and size <= limit:
            limit -= size
            kept.append(one)
        else:
            left_out.append(one["label"])
    return kept, left_out


def sheet(images):
    """uint8 images `(n, 28, 28)` as one PNG, `COLUMNS` side by side, as a data URI."""
    rows = -(-len(images) // COLUMNS)
    padded = np.zeros((rows * COLUMNS, *images.shape[1:]), np.uint8)
    padded[: len(images)] = images
    file = io.BytesIO()
    Image.fromarray(grids.tile(padded, COLUMNS)).save(file, "png", optimize=True)
    return data_uri(file.getvalue(), "image/png")


def colours(style):
    """The classes' colours of the matplotlibrc at `style`."""
    cycle = matplotlib.rc_params_from_file(style, use_default_template=False)["axes.prop_cycle"]
    return [f"#{colour.lstrip('#')}" for colour in cycle.by_key()["color"]]


def bundle(folder):
    """The scripts as one: what they import from each other is then simply there."""
    text = "".join(Path(folder, name).read_text(encoding="utf-8") for name in SCRIPTS)
    return re.sub(r"^export ", "", re.sub(r"^import [^;]*;\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)


def content_hash(text):
    """How a Content-Security-Policy names the one script or style that it lets through."""
    return f"sha256-{base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()}"


def render(folder, described, images, labels, classes, style, about):
    """The page.

    Args:
        folder: templates/explorer.
        described: `describe` of each model, in the order in which they are shown.
        images, labels: of the test split, uint8 `(n, 28, 28)` and `(n,)`.
        about: what the template says of where it all comes from.
    """
    folder, pictures = Path(folder), sheet(images[:POINTS])
    css, script = (folder / "explorer.css").read_text(encoding="utf-8"), bundle(folder)
    kept, left_out = fit(described, LIMIT - len(pictures) - len(css) - len(script) - 20_000)
    given = {
        "models": kept,
        "classes": classes,
        "columns": COLUMNS,
        "labels": pack(labels[:POINTS], "u1"),
        "colours": colours(style),
    }
    made = {
        "models": [{key: one[key] for key in ("label", "conditional", "weights")} for one in kept],
        "left_out": left_out,
        "test_images": len(images),
        "sheet": Markup(pictures),
        "css": Markup(css),
        "script": Markup(script),
        "hash": content_hash,
        "given": Markup(json.dumps(given).replace("<", "\\u003c")),
    }
    return fill_in(folder / "page.html.j2", about | given | made)

"""The explorer: one HTML file in which a reader moves through latent planes, with the trained decoders inside."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from markupsafe import Markup
from PIL import Image
from scipy.stats import norm
from torch import Tensor

from latentlab.explorer.pack import DECODER_STEPS, ENCODER_STEPS, PackedLayer, encode_array, pack_layers
from latentlab.figures import base as figures
from latentlab.metrics.grids import grid_axis, tile_images
from latentlab.models.networks import Autoencoder, LatentModel
from latentlab.models.quadrature import ENCODER_STDS, EXACT_LIMIT, MAX_LIMIT, PRIOR_LIMIT
from latentlab.records.base import Record
from latentlab.report.fonts import data_uri
from latentlab.report.templates import content_hash, render_template

N_POINTS = 2000  # test images on the page, at most
N_POSITIONS = 2000  # of the plane, at which the packed decoder should be precise, besides the codes
MAX_SHEET = 4_000_000  # numbers that they consist of, together
COLUMNS = 50  # of the image sheet, which holds all of them
MARGIN = 0.05  # around the codes, as a share of their range
BOX = 5 / 7  # of the sides of an image: what MNIST's digits are scaled to
DENSITY_SIZE = 128  # positions per side at which the density is computed
MAX_BYTES = 6_000_000  # of the page
RESERVED_BYTES = 20_000  # for its HTML, labels and colours
SCRIPTS = (  # each imports only from those before it
    "network.js",
    "posterior.js",
    "tasks.js",
    "picture.js",
    "plane.js",
    "pad.js",
    "link.js",
    "panel.js",
    "state.js",
    "image.js",
    "path.js",
    "choice.js",
    "frame.js",
    "view.js",
    "explorer.js",
)


class ExplorerModel(Record, frozen=True, omit_defaults=False):
    """What the page holds of a model with a latent plane; arrays as `encode_array` writes them."""

    label: str
    """Its name on the page."""
    weights: str
    """SHA-256 (hex) of the weights file."""
    generative: bool
    conditional: bool
    output: str
    """"sigmoid", or "linear": what turns the decoder's output into pixels."""
    likelihood: str
    """"bernoulli" or "gaussian"."""
    sigma: float
    """The standard deviation of a pixel, of a Gaussian likelihood."""
    low: tuple[float, float]
    """The lowest values of z that are shown."""
    high: tuple[float, float]
    reach: float
    """The distance from 0 within which posteriors are computed."""
    codes: str
    """float32, (points, 2)."""
    densities: tuple[str, ...]
    """uint8, (DENSITY_SIZE, DENSITY_SIZE) each; see `code_densities`."""
    decoder: tuple[PackedLayer, ...] | None
    """None if the page cannot compute it (`pack_layers`)."""
    encoder: tuple[PackedLayer, ...] | None
    """None if there is none."""

    @property
    def kind(self) -> tuple[bool, bool, bool]:
        """What tells an autoencoder, a VAE, a CVAE and an exactly trained model apart."""
        return self.generative, self.conditional, self.encoder is None

    @property
    def infers_labels(self) -> bool:
        """Whether the page can show the labels' probabilities, by Bayes' rule."""
        return self.generative and self.conditional


def describe_model(model: LatentModel, label: str, codes: Mapping[str, np.ndarray], weights: str) -> ExplorerModel:
    """What the page holds of a model.

    Args:
        label: its name on the page.
        codes: the arrays of codes.npz.
        weights: SHA-256 (hex) of its weights file.
    """
    low, high = view_range(codes["test_codes"], model.generative)
    settings = model.spec.settings
    is_linear = type(model).decode is LatentModel.decode  # its decoder, and its encoder then, are all of the network
    positions = decoder_inputs(model, codes, low, high)
    encoder = pack_layers(model.encoder, ENCODER_STEPS) if is_linear and isinstance(model, Autoencoder) else None
    return ExplorerModel(
        label=label,
        weights=weights,
        generative=model.generative,
        conditional=model.conditional,
        output=settings.output,
        likelihood=settings.likelihood,
        sigma=settings.sigma,
        low=low,
        high=high,
        reach=posterior_reach(codes),
        codes=encode_array(codes["test_codes"][: n_points(model.spec.n_pixels)], "<f4"),
        densities=tuple(encode_array(density, "u1") for density in code_densities(model, codes, low, high)),
        decoder=pack_layers(model.decoder, DECODER_STEPS, positions) if is_linear else None,
        encoder=encoder,
    )


def decoder_inputs(
    model: LatentModel, codes: Mapping[str, np.ndarray], low: tuple[float, float], high: tuple[float, float]
) -> Tensor:
    """Inputs for which the packed decoder should be most precise: the codes of the test images, and positions all over
    the plane that is shown, (n, inputs)."""
    rng = np.random.default_rng(0)
    z = np.concatenate([codes["test_codes"], rng.uniform(low, high, (N_POSITIONS, 2))]).astype(np.float32)
    y = np.concatenate([codes["test_labels"], rng.integers(model.spec.n_classes, size=N_POSITIONS)])
    return model.append_label(torch.from_numpy(z), torch.from_numpy(y).long())


def n_points(n_pixels: int) -> int:
    """How many test images of this size are on the page at most."""
    return min(N_POINTS, MAX_SHEET // n_pixels)


def view_range(codes: np.ndarray, generative: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """The range of the plane that is shown, (low, high), each for both dimensions. It holds all points, even if they
    coincide. For a model with a prior it is a square around the mean of the prior that holds the prior's circles, so
    that these are round.

    Args:
        codes: of the test images, (n, 2).
    """
    z = codes[:N_POINTS]
    low, high = z.min(axis=0), z.max(axis=0)
    if generative:
        high = np.full(2, max(np.abs(z).max(), 2.0))
        low = -high
    margin = MARGIN * np.maximum(high - low, 1e-3)
    return _pair(low - margin), _pair(high + margin)


def posterior_reach(codes: Mapping[str, np.ndarray]) -> float:
    """The distance from 0 within which posteriors are computed: that of `quadrature.latent_limit`.

    Args:
        codes: the arrays of codes.npz.
    """
    if "test_log_var" not in codes:
        return EXACT_LIMIT
    std = np.exp(0.5 * codes["test_log_var"]).max(axis=1)
    reach = (np.linalg.norm(codes["test_codes"], axis=1) + ENCODER_STDS * std).max()
    return float(np.clip(reach, PRIOR_LIMIT, MAX_LIMIT))


def code_densities(
    model: LatentModel, codes: Mapping[str, np.ndarray], low: tuple[float, float], high: tuple[float, float]
) -> list[np.ndarray]:
    """The density of the codes, which is the mean of q(z|x) over the test images, as images
    (DENSITY_SIZE, DENSITY_SIZE) of its square root, from 0 to 255 at its maximum. A conditional model has one for each
    label. A model whose encoder gives points has none, nor has one whose posteriors are not Gaussians."""
    if "test_log_var" not in codes:
        return []
    x, y = (grid_axis(low[i], high[i], DENSITY_SIZE) for i in range(2))
    groups: list[Any] = [slice(None)]
    if model.conditional:
        groups = [codes["test_labels"] == label for label in range(model.spec.n_classes)]
    densities = [mixture_density(x, y, codes["test_codes"][group], codes["test_log_var"][group]) for group in groups]
    return [np.sqrt(density / max(density.max(), 1e-300)) * 255 for density in densities]


def mixture_density(x: np.ndarray, y: np.ndarray, mean: np.ndarray, log_var: np.ndarray) -> np.ndarray:
    """The density of an even mixture of Gaussians N(mean, exp log_var).

    Args:
        x, y: positions along both axes, ascending.
        mean, log_var: (n, 2).

    Returns:
        (len(y), len(x)), with the highest y in the first row.
    """
    std = np.exp(0.5 * log_var.astype(float))
    across, down = (
        norm.pdf(positions[:, None], mean[:, i], std[:, i])
        for i, positions in enumerate((np.asarray(x), np.asarray(y)[::-1]))
    )
    return down @ across.T / max(len(mean), 1)


def select_models(models: Sequence[ExplorerModel], max_bytes: int) -> tuple[list[ExplorerModel], list[str]]:
    """The models that the page can decode and that fit into `max_bytes` together, and the labels of all others, both in
    order. One that infers labels comes before all others, if any fits; then come the first of each kind, then second
    ones."""
    sizes = [len(json.dumps(model.to_dict())) for model in models]
    candidates = [i for i, model in enumerate(models) if model.decoder and sizes[i] <= max_bytes]
    first = next((i for i in candidates if models[i].infers_labels), None)
    kinds = [model.kind for model in models]
    selected = set()
    for i in sorted(candidates, key=lambda i: (i != first, kinds[:i].count(kinds[i]))):
        if sizes[i] <= max_bytes:
            max_bytes -= sizes[i]
            selected.add(i)
    omitted = [model.label for i, model in enumerate(models) if i not in selected]
    return [models[i] for i in sorted(selected)], omitted


def fills_box(images: np.ndarray) -> bool:
    """Whether images (n, rows, columns) were scaled as those of MNIST, to five sevenths of the sides; colour images
    (n, 3, rows, columns) never are."""
    if images.ndim > 3:
        return False
    sizes = [[np.ptp(np.flatnonzero(image.any(axis=axis))) + 1 for axis in (1, 0)] for image in images if image.any()]
    return bool(np.quantile(sizes or [[0]], 0.9) <= max(images.shape[1:]) * BOX + 1)


def image_sheet(images: np.ndarray) -> str:
    """uint8 images (n, rows, columns), or in colour (n, 3, rows, columns), as one PNG with `COLUMNS` of them side by
    side, as a data URI."""
    n_rows = -(-len(images) // COLUMNS)
    padded = np.zeros((n_rows * COLUMNS, *images.shape[1:]), np.uint8)
    padded[: len(images)] = images
    file = io.BytesIO()
    Image.fromarray(tile_images(padded, COLUMNS)).save(file, "png", optimize=True)
    return data_uri(file.getvalue(), "image/png")


def class_colours(style: str | Path, n_classes: int) -> list[str]:
    """The colours of the classes in figures of the style that a matplotlibrc describes."""
    with matplotlib.rc_context(fname=style):
        return [f"#{colour.lstrip('#')}" for colour in figures.class_colours(n_classes)]


def bundle(folder: str | Path) -> str:
    """The scripts as one, without their imports and exports."""
    text = "".join(Path(folder, name).read_text(encoding="utf-8") for name in SCRIPTS)
    return re.sub(r"^export ", "", re.sub(r"^import [^;]*;\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)


def render_explorer(
    folder: str | Path,
    models: Sequence[ExplorerModel],
    images: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    style: str | Path,
    about: Mapping[str, Any],
) -> str:
    """The HTML of the explorer.

    Args:
        folder: templates/explorer.
        models: in the order in which they are offered.
        images, labels: the test split, uint8 (n, rows, columns), or in colour (n, 3, rows, columns), and (n,).
        classes: class names, in the order of the labels.
        style: path of the matplotlibrc with the colours of the classes.
        about: `title`, and where the page comes from: `dataset` (name), `synthetic` (whether its data are),
            `preview` (whether it is a first look), `data` (SHA-256), `version` and `commit`.
    """
    folder, shown = Path(folder), images[: n_points(images[0].size)]
    sheet, channels = image_sheet(shown), images[0].size // (images.shape[-2] * images.shape[-1])
    css, script = (folder / "explorer.css").read_text(encoding="utf-8"), bundle(folder)
    max_bytes = MAX_BYTES - len(sheet) - len(css) - len(script) - RESERVED_BYTES
    selected, omitted = select_models(models, max_bytes)
    colours = class_colours(style, len(classes))
    page_data = {
        "models": [model.to_dict() for model in selected],
        "classes": classes,
        "image_shape": images.shape[-2:],
        "channels": channels,
        "columns": COLUMNS,
        "centre_drawings": fills_box(shown),
        "labels": encode_array(labels[: len(shown)], "u1"),
        "colours": colours,
    }
    context = {
        "models": selected,
        "omitted": omitted,
        "classes": classes,
        "image_shape": images.shape[-2:],
        "channels": channels,
        "colours": colours,
        "n_images": len(images),
        "n_points": len(shown),
        "sheet": Markup(sheet),
        "css": Markup(css),
        "script": Markup(script),
        "hash": content_hash,
        "page_data": Markup(json.dumps(page_data).replace("<", "\\u003c")),
    }
    return render_template(folder / "page.html.j2", dict(about) | context)


def _pair(values: np.ndarray) -> tuple[float, float]:
    x, y = values.tolist()
    return x, y

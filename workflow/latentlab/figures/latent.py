"""Figures of the latent plane: images decoded at its positions, and posteriors in it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from latentlab.figures.base import (
    Size,
    figure,
    image_centres,
    label_latent_axes,
    new_figure,
    read_pixels,
    show_pixels,
)
from latentlab.records.assignments import Panel
from latentlab.records.datasets import Dataset
from latentlab.records.metrics import Axes as GridAxes
from latentlab.records.metrics import ConditionGrids, FailureMetrics, Grids

INSET_SIZE = 0.28  # of the image in a panel of `posteriors`, as a share of the panel


@figure(inputs=("grid.png", "grids.json"))
def decoder_map(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The decoder grid with its latent axes: images decoded at the positions of a grid in the latent plane."""
    (panel,) = panels
    return _decoder_grid(panel.files["grid.png"], Grids.read(panel.files["grids.json"]).grid, dataset, size)


@figure(inputs=("grid-occupied.png", "grids.json"))
def occupied_map(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The decoder grid over the range that the codes occupy."""
    (panel,) = panels
    return _decoder_grid(
        panel.files["grid-occupied.png"], Grids.read(panel.files["grids.json"]).occupied, dataset, size
    )


@figure(inputs=("grid-quantiles.png", "grids.json"))
def quantile_map(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The decoder grid at equal steps of the prior's probability: each image stands for the same share of samples."""
    (panel,) = panels
    axes = Grids.read(panel.files["grids.json"]).quantiles
    return _decoder_grid(panel.files["grid-quantiles.png"], axes, dataset, size)


@figure(inputs=("grid.png", "grids.json", "failures.json"))
def failure_map(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The decoder grid with numbers at the positions where the decoder fails."""
    (panel,) = panels
    grid = Grids.read(panel.files["grids.json"]).grid
    fig = _decoder_grid(panel.files["grid.png"], grid, dataset, size)
    (ax,) = fig.axes
    for number, failure in enumerate(FailureMetrics.read(panel.files["failures.json"]).failures, 1):
        x, y = (
            np.interp(z, positions, np.arange(len(positions)) + 0.5)
            for z, positions in zip(failure.z, (grid.x, grid.y), strict=True)
        )
        ax.text(x, y, str(number), color="white", weight="bold", size=7, ha="center", va="center",
                bbox={"boxstyle": "circle,pad=0.15", "fc": "C2", "ec": "white", "lw": 0.4})  # fmt: skip
    return fig


@figure(inputs=("failures.json", "failures.png"))
def failures(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Decoded images at which the decoder fails, above their nearest training images."""
    (panel,) = panels
    metrics = FailureMetrics.read(panel.files["failures.json"])
    titles = [
        f"{number}: {failure.realism:.2f}" if failure.kind == "unrealistic" else f"{number}: {failure.confidence:.0%}"
        for number, failure in enumerate(metrics.failures, 1)
    ]
    rows, columns = dataset.image_shape
    fig = new_figure(size, aspect=2)
    ax = fig.subplots()
    show_pixels(ax, read_pixels(panel.files["failures.png"]))
    ax.set_yticks(image_centres(2, rows), ["decoded", "nearest"])
    ax.set_xticks(image_centres(len(titles), columns), titles)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    return fig


@figure(inputs=("conditions.png", "conditions.json"))
def condition_maps(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Decoder grids of a conditional model over the same latent plane, one panel for each label."""
    (panel,) = panels
    grids = ConditionGrids.read(panel.files["conditions.json"])
    n_grids = len(grids.labels)
    fig = new_figure(size, aspect=n_grids * _grid_aspect(grids.x, grids.y, dataset))
    axes = fig.subplots(1, n_grids, squeeze=False)[0]
    grid_pixels = np.split(read_pixels(panel.files["conditions.png"]), n_grids, axis=1)
    for ax, label, pixels in zip(axes, grids.labels, grid_pixels, strict=True):
        _show_grid(ax, pixels, grids.x, grids.y, dataset)
        for positions, set_ticks, labelled in ((grids.x, ax.set_xticks, True), (grids.y, ax.set_yticks, ax is axes[0])):
            n = len(positions)
            names = [_format_position(positions[i]) for i in (0, n // 2, -1)]
            set_ticks([0.5, n / 2, n - 0.5], names if labelled else [])
        ax.set_title(f"label {dataset.classes[label]}")
    return fig


@figure(inputs=("posteriors.npz",))
def posteriors(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """True posteriors of a few images (shaded) with the encoder's Gaussians (1σ and 2σ) and the images."""
    (panel,) = panels
    arrays = np.load(panel.files["posteriors.npz"])
    names = ("pixels", "axes", "density", "mean", "std", "gap")
    n_images = len(arrays["gap"])
    fig = new_figure(size, aspect=n_images)
    axes = fig.subplots(1, n_images, squeeze=False)[0]
    for ax, pixels, (x, y), density, mean, std, gap in zip(axes, *(arrays[name] for name in names), strict=True):
        ax.pcolormesh(x, y, density, cmap="Blues", shading="nearest", rasterized=True)
        for sigmas, line in ((1, "-"), (2, "--")):
            ax.add_patch(Ellipse(mean, *(2 * sigmas * std), fill=False, lw=0.9, ls=line, color="C2"))
        inset = ax.inset_axes((*emptiest_corner(x, y, density, mean, std), INSET_SIZE, INSET_SIZE))
        inset.imshow(pixels.reshape(dataset.image_shape), cmap="gray_r", vmin=0, vmax=1)
        inset.set(xticks=[], yticks=[])
        ax.set_box_aspect(1)
        ax.locator_params(nbins=4)
        ax.set_title(f"gap {gap:.2f} nats")
        label_latent_axes(ax)
    return fig


def emptiest_corner(
    x: np.ndarray, y: np.ndarray, density: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> tuple[float, float]:
    """The corner of a panel where an inset hides least of a density and of a Gaussian.

    Args:
        x, y: positions along both axes, ascending, `(m,)` and `(n,)`.
        density: at these positions, `(n, m)`.
        mean, std: of the Gaussian, `(2,)`.

    Returns:
        The inset's lower left corner, as shares of the panel's width and height.
    """
    within_gaussian = ((x - mean[0]) / std[0]) ** 2 + ((y[:, None] - mean[1]) / std[1]) ** 2 < 2.2**2
    occupancy, n = density / density.max() + within_gaussian, 3 * len(x) // 10
    corners = {
        (0.02, 0.7): occupancy[-n:, :n],
        (0.7, 0.7): occupancy[-n:, -n:],
        (0.02, 0.02): occupancy[:n, :n],
        (0.7, 0.02): occupancy[:n, -n:],
    }
    return min(corners, key=lambda corner: corners[corner].sum())


def _decoder_grid(path: str, axes: GridAxes, dataset: Dataset, size: Size) -> Figure:
    """A decoder grid, the image at `path`, with up to five ticks on each axis, at positions of its images."""
    fig = new_figure(size, aspect=_grid_aspect(axes.x, axes.y, dataset))
    ax = fig.subplots()
    _show_grid(ax, read_pixels(path), axes.x, axes.y, dataset)
    for positions, set_ticks in ((axes.x, ax.set_xticks), (axes.y, ax.set_yticks)):
        indices = np.linspace(0, len(positions) - 1, min(5, len(positions))).round().astype(int)
        digits = 1 if np.ptp(positions) >= 4 else 2
        set_ticks(indices + 0.5, [_format_position(positions[i], digits) for i in indices])
    label_latent_axes(ax)
    return fig


def _show_grid(ax: Axes, pixels: np.ndarray, x: Sequence[float], y: Sequence[float], dataset: Dataset) -> None:
    """Show a decoder grid in units of its images: image i of an axis lies between i and i + 1."""
    rows, columns = dataset.image_shape
    show_pixels(ax, pixels, extent=(0, len(x), 0, len(y)), aspect=rows / columns)


def _grid_aspect(x: Sequence[float], y: Sequence[float], dataset: Dataset) -> float:
    """Width divided by height of a decoder grid."""
    rows, columns = dataset.image_shape
    return len(x) * columns / (len(y) * rows)


def _format_position(position: float, digits: int = 1) -> str:
    return f"{position:.{digits}f}".removesuffix(".0").replace("-", "−")

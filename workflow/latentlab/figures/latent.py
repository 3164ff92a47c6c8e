"""Figures of the latent plane: images decoded at its positions, and posteriors in it."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.patches import Ellipse, Rectangle
from matplotlib.ticker import MaxNLocator

from latentlab.figures.base import (
    Size,
    as_picture,
    class_handles,
    draw_prior_circles,
    figure,
    image_centres,
    label_latent_axes,
    new_figure,
    read_pixels,
    scatter_points,
    show_pixels,
)
from latentlab.records.assignments import Panel
from latentlab.records.datasets import Dataset
from latentlab.records.metrics import Axes as GridAxes
from latentlab.records.metrics import ConditionGrids, FailureMetrics, Grids, PlaneMetrics

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
        x, y = (_in_images(z, positions) for z, positions in zip(failure.z, (grid.x, grid.y), strict=True))
        _frame_image(ax, x, y, number)
    return fig


@figure(inputs=("grid.png", "grids.json", "plane.json"))
def annotated_map(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The decoder grid, and below it six of its pictures enlarged: of the three most frequent classes the one closest
    to a training image, and the three least realistic ones."""
    (panel,) = panels
    grid, pixels = Grids.read(panel.files["grids.json"]).grid, read_pixels(panel.files["grid.png"])
    coverage = PlaneMetrics.read(panel.files["plane.json"]).grid
    rows, columns = dataset.size
    landmarks = [*coverage.typical, *coverage.unrealistic]
    n = max(1, len(landmarks))
    fig = new_figure(size, aspect=_grid_aspect(grid.x, grid.y, dataset) / (1 + 1.25 / n))
    ax, *insets = (
        fig.add_subplot(place) for place in _map_above_strip(fig, n, len(grid.y) * rows, len(grid.x) * columns)
    )
    _show_grid(ax, pixels, grid.x, grid.y, dataset)
    _set_position_ticks(ax, grid)
    for number, (inset, landmark) in enumerate(zip(insets, landmarks, strict=False), 1):
        top, left = landmark.row * rows, landmark.column * columns
        show_pixels(inset, pixels[top : top + rows, left : left + columns])
        title = dataset.classes[landmark.nearest] if landmark in coverage.typical else "not real"
        inset.set_title(f"{number} {title}", size=6.5, pad=1.5)
        _frame_image(ax, landmark.column + 0.5, len(grid.y) - landmark.row - 0.5, number)
    for inset in insets:
        inset.set(xticks=[], yticks=[])
        inset.spines[:].set_visible(False)
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
    rows, columns = dataset.size
    fig = new_figure(size, aspect=2)
    ax = fig.subplots()
    show_pixels(ax, read_pixels(panel.files["failures.png"]))
    ax.set_yticks(image_centres(2, rows), ["decoded", "nearest"])
    ax.set_xticks(image_centres(len(titles), columns), titles)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    return fig


@figure(inputs=("conditions.png", "conditions.json", "codes.npz"), options={"split": "embedding_split"})
def conditions(panels: Sequence[Panel], dataset: Dataset, size: Size, split: str) -> Figure:
    """Decoder grids of a conditional model, one for each label, and on the same axes the codes of these labels' images;
    circles mark 1σ and 2σ of the prior.

    Args:
        split: the images whose codes are shown, "train" or "test".
    """
    (panel,) = panels
    grids, arrays = ConditionGrids.read(panel.files["conditions.json"]), np.load(panel.files["codes.npz"])
    n_grids = len(grids.labels)
    fig = new_figure(size, aspect=n_grids + 1)
    *grid_axes, codes_ax = axes = fig.subplots(1, n_grids + 1)
    grid_pixels = np.split(read_pixels(panel.files["conditions.png"]), n_grids, axis=1)
    for ax, label, pixels in zip(grid_axes, grids.labels, grid_pixels, strict=True):
        _show_grid(ax, pixels, grids.x, grids.y, dataset)
        _set_position_ticks(ax, grids)
        ax.set_title(f"label {dataset.classes[label]}")
    codes, labels = arrays[f"{split}_codes"], arrays[f"{split}_labels"]
    shown = np.isin(labels, grids.labels)
    scatter_points(codes_ax, codes[shown], labels[shown], dataset.n_classes)
    draw_prior_circles(codes_ax)
    handles = class_handles({label: dataset.classes[label] for label in grids.labels}, dataset.n_classes)
    codes_ax.legend(handles=handles, loc="upper left", handletextpad=0, borderpad=0.1, borderaxespad=0)
    codes_ax.set_box_aspect(1)
    codes_ax.set(xlim=_outer_edges(grids.x), ylim=_outer_edges(grids.y), title="codes of these labels")
    codes_ax.locator_params(nbins=5)
    label_latent_axes(codes_ax)
    for ax in axes[1:]:
        ax.set_ylabel("")
        ax.tick_params(labelleft=False)
    return fig


@figure(inputs=("posteriors.npz",))
def posteriors(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """True posteriors of a few images (shaded) with a VAE's Gaussians (1σ and 2σ) and the images."""
    (panel,) = panels
    arrays = np.load(panel.files["posteriors.npz"])
    names = ("pixels", "axes", "density", "mean", "std")
    n_images = len(arrays["mean"])
    fig = new_figure(size, aspect=n_images)
    axes = fig.subplots(1, n_images, squeeze=False)[0]
    for i, (ax, pixels, (x, y), density, mean, std) in enumerate(
        zip(axes, *(arrays[name] for name in names), strict=True)
    ):
        ax.pcolormesh(x, y, density, cmap="Blues", shading="nearest", rasterized=True)
        if "gap" in arrays:
            for sigmas, line in ((1, "-"), (2, "--")):
                ax.add_patch(Ellipse(mean, *(2 * sigmas * std), fill=False, lw=0.9, ls=line, color="C2"))
            ax.set_title(f"gap {arrays['gap'][i]:.2f} nats")
        else:
            ax.set_title(f"σ {std[0]:.2f}, {std[1]:.2f}")
        inset = ax.inset_axes((*emptiest_corner(x, y, density, mean, std), INSET_SIZE, INSET_SIZE))
        inset.imshow(as_picture(pixels, dataset), cmap="gray_r", vmin=0, vmax=1)
        inset.set(xticks=[], yticks=[])
        ax.set_box_aspect(1)
        ax.locator_params(axis="x", nbins=2)
        ticks = [tick for tick in ax.get_xticks() if x[0] <= tick <= x[-1]]
        ax.set_xticks(ticks[:: max(1, len(ticks) - 1)])  # the outermost: there is no room for the numbers of three
        ax.locator_params(axis="y", nbins=4)
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
    """A decoder grid, the image at `path`, with its latent axes."""
    fig = new_figure(size, aspect=_grid_aspect(axes.x, axes.y, dataset))
    ax = fig.subplots()
    _show_grid(ax, read_pixels(path), axes.x, axes.y, dataset)
    _set_position_ticks(ax, axes)
    return fig


def _set_position_ticks(ax: Axes, axes: GridAxes | ConditionGrids) -> None:
    """Ticks of a decoder grid at round positions, whatever those of its images are, and names of its axes."""
    for positions, set_ticks in ((axes.x, ax.set_xticks), (axes.y, ax.set_yticks)):
        ticks = [tick for tick in MaxNLocator(5).tick_values(positions[0], positions[-1])]
        ticks = [tick for tick in ticks if positions[0] <= tick <= positions[-1]]
        set_ticks([_in_images(tick, positions) for tick in ticks], [f"{tick:g}".replace("-", "−") for tick in ticks])
    label_latent_axes(ax)


def _in_images(z: float, positions: Sequence[float]) -> float:
    """Where a position of an axis lies in units of a decoder grid's images, whose middles are `positions`."""
    return float(np.interp(z, positions, np.arange(len(positions)) + 0.5))


def _outer_edges(positions: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis, half an image beyond the middles of its first and its last image."""
    return 1.5 * positions[0] - 0.5 * positions[1], 1.5 * positions[-1] - 0.5 * positions[-2]


def _frame_image(ax: Axes, x: float, y: float, number: int) -> None:
    """A frame around the image of a decoder grid at (x, y), and a number beside it, which hides none of it."""
    left, bottom = math.floor(x), math.floor(y)
    ax.add_patch(Rectangle((left, bottom), 1, 1, fill=False, ec="C1", lw=0.9))
    top = bottom + 1 < ax.get_ylim()[1] - 0.5
    ax.text(left + 0.5, bottom + 1.1 if top else bottom - 0.1, str(number), color="white", weight="bold", size=6.5,
            ha="center", va="bottom" if top else "top",
            bbox={"boxstyle": "circle,pad=0.12", "fc": "C2", "ec": "white", "lw": 0.4})  # fmt: skip


def _map_above_strip(fig: Figure, n: int, rows: int, columns: int) -> list[SubplotSpec]:
    """Places for a decoder grid of `rows` × `columns` pixels and, below it, for `n` pictures in a row."""
    layout = fig.add_gridspec(2, n, height_ratios=[n * rows / columns, 1])
    return [layout[0, :], *(layout[1, i] for i in range(n))]


def _show_grid(ax: Axes, pixels: np.ndarray, x: Sequence[float], y: Sequence[float], dataset: Dataset) -> None:
    """Show a decoder grid in units of its images: image i of an axis lies between i and i + 1."""
    rows, columns = dataset.size
    show_pixels(ax, pixels, extent=(0, len(x), 0, len(y)), aspect=rows / columns)


def _grid_aspect(x: Sequence[float], y: Sequence[float], dataset: Dataset) -> float:
    """Width divided by height of a decoder grid."""
    rows, columns = dataset.size
    return len(x) * columns / (len(y) * rows)

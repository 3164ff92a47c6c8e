"""Figures of the codes of images, and of how well they separate the classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentlab.figures.base import (
    Size,
    class_colours,
    class_handles,
    draw_prior_circles,
    figure,
    label_latent_axes,
    new_figure,
    scatter_points,
)
from latentlab.metrics.grids import class_centres
from latentlab.records.assignments import Panel
from latentlab.records.datasets import Dataset
from latentlab.records.metrics import ProjectionMetrics

HALO = [patheffects.withStroke(linewidth=1.8, foreground="white")]  # keeps text legible on top of points
LEGEND_ROWS = 11  # classes above each other in a column of the legend


@figure(
    inputs=("codes.npz",),
    options={"split": "embedding_split", "points": "embedding_points"},
    requires=("plane",),
    several=True,
)
def embeddings(panels: Sequence[Panel], dataset: Dataset, size: Size, split: str, points: int) -> Figure:
    """Codes coloured by class, with the centre of each class; circles mark 1σ and 2σ of the prior.

    Args:
        split: the images whose codes are shown, "train" or "test".
        points: the number of codes shown, at most.
    """
    fig = new_figure(size, aspect=len(panels))
    axes = fig.subplots(1, len(panels), squeeze=False)[0]
    for ax, panel in zip(axes, panels, strict=True):
        arrays = np.load(panel.files["codes.npz"])
        codes, labels = arrays[f"{split}_codes"][:points], arrays[f"{split}_labels"][:points]
        _scatter_by_class(ax, codes, labels, dataset)
        low, high = np.quantile(codes, [0.001, 0.999], axis=0)
        if panel.generative:
            draw_prior_circles(ax)
            for sigmas in (1, 2):
                ax.annotate(f"{sigmas}σ", (0, -sigmas), ha="center", va="center", size=6.5, path_effects=HALO)
            low, high = np.full(2, min(*low, -2.1)), np.full(2, max(*high, 2.1))  # equal scales keep circles round
        pad = 0.03 * (high - low)
        ax.set(xlim=(low[0] - pad[0], high[0] + pad[0]), ylim=(low[1] - pad[1], high[1] + pad[1]))
        ax.set_box_aspect(1)
        ax.set_title(panel.label)
        label_latent_axes(ax)
    _add_class_legend(fig, dataset)
    return fig


@figure(inputs=("projections.npz", "projections.json"))
def projections(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Codes and pixels, each in the plane of their first two principal components, coloured by class."""
    (panel,) = panels
    arrays = np.load(panel.files["projections.npz"])
    metrics = ProjectionMetrics.read(panel.files["projections.json"])
    fig = new_figure(size, aspect=2)
    for ax, points, projection, title in zip(
        fig.subplots(1, 2),
        (arrays["codes"], arrays["pixels"]),
        (metrics.codes, metrics.pixels),
        ("codes", "pixels"),
        strict=True,
    ):
        _scatter_by_class(ax, points, arrays["labels"], dataset)
        ax.set_title(title)
        ax.set_box_aspect(1)
        x_share, y_share = projection.explained
        ax.set_xlabel(f"component 1 ({x_share:.1%} of the variance)", labelpad=1)
        ax.set_ylabel(f"component 2 ({y_share:.1%} of the variance)", labelpad=1)
    _add_class_legend(fig, dataset)
    return fig


@figure(inputs=("projections.json",))
def separation(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """How far each class keeps apart from the others, among codes and among pixels in two principal components."""
    (panel,) = panels
    metrics = ProjectionMetrics.read(panel.files["projections.json"])
    planes = {"codes": metrics.codes.plane, "pixels": metrics.pixels.plane}
    fig = new_figure(size, aspect=1)
    axes = fig.subplots(1, 2, sharey=True)
    rows = np.arange(dataset.n_classes)
    for ax, measure, label in zip(
        axes, ("silhouette", "neighbour_accuracy"), ("silhouette", "neighbours agree"), strict=True
    ):
        for i, (name, plane) in enumerate(planes.items()):
            ax.barh(rows + 0.4 * i - 0.2, getattr(plane, measure).classes, 0.38, color=f"C{i}", label=name)
        ax.axvline(0, color="0.3", lw=0.6)
        ax.grid(axis="x")
        ax.set_axisbelow(True)
        ax.set_title(label)
        ax.locator_params(axis="x", nbins=3)
    axes[0].set_yticks(rows, dataset.classes)
    axes[0].invert_yaxis()
    axes[0].tick_params(axis="y", length=0)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, borderpad=0)
    return fig


def _scatter_by_class(ax: Axes, points: np.ndarray, labels: np.ndarray, dataset: Dataset) -> None:
    """Points `(n, 2)` coloured by class. The centre of each class carries the number of the class, which the legend
    explains, so that no reader depends on the colours."""
    colours = class_colours(dataset.n_classes)
    scatter_points(ax, points, labels, dataset.n_classes)
    for label, centre in enumerate(class_centres(points, labels, dataset.n_classes)):
        ax.plot(*centre, "o", ms=6.5, color=colours[label], mec="black", mew=0.6)
        ax.annotate(str(label), centre, ha="center", va="center_baseline", size=6, weight="bold", path_effects=HALO)


def _add_class_legend(fig: Figure, dataset: Dataset) -> None:
    """Colour, number and name of each class; the number alone where it is the name."""
    names = {i: name if name == str(i) else f"{i} {name}" for i, name in enumerate(dataset.classes)}
    handles = class_handles(names, dataset.n_classes)
    n_columns = -(-len(handles) // LEGEND_ROWS)
    fig.legend(
        handles=handles, loc="outside right center", handletextpad=0, borderpad=0, ncols=n_columns, columnspacing=0.8
    )

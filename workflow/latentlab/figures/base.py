"""What all figures share: their registry, their size, their style and small drawing helpers.

A figure is a function with the decorator `@figure(...)`. It takes the panels of the models that it shows, the
declaration of their data set, its size and its options, reads the results files of the panels, and returns a Matplotlib
figure:

    @figure(inputs=("history.csv",))
    def history(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure: ...

Figures are drawn at the size at which they are printed, so that all have the same font sizes. They are created without
pyplot, which would keep a reference to each of them.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

import font_source_sans_pro
import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from matplotlib.ticker import AutoLocator, FixedLocator

from latentlab.figures.legibility import check_legible
from latentlab.metrics.grids import tile_images
from latentlab.records.assignments import FigureSpec
from latentlab.records.datasets import Dataset
from latentlab.records.declarations import FigureDeclaration
from latentlab.runtime.files import atomic_write

MM = 1 / 25.4  # inches

Size = tuple[float, float | None]  # width and height in millimetres; a height of None is the figure's own proportion
F = TypeVar("F", bound=FunctionType)


@dataclass(frozen=True)
class RegisteredFigure:
    """A function that draws a figure, and what it declares."""

    function: Callable[..., Figure]
    declaration: FigureDeclaration


FIGURES: dict[str, RegisteredFigure] = {}
"""Name of the function → the figure. Complete once the package `latentlab.figures` is imported."""


def figure(
    *,
    inputs: Sequence[str],
    options: Mapping[str, str] | None = None,
    requires: Sequence[str] = (),
    several: bool = False,
) -> Callable[[F], F]:
    """Register a function as the figure of its name.

    `latentlab.records.declarations` reads the arguments from the source text, so they have to be literals.

    Args:
        inputs: names of the results files that the figure reads of each model.
        options: parameter of the function → the setting of config.yaml that it takes its value from.
        requires: what a model has to be, besides what the results files require of it.
        several: whether it can show several models side by side; otherwise it shows one.
    """

    def register(function: F) -> F:
        name = function.__name__
        summary = (inspect.getdoc(function) or "").split("\n\n")[0]
        declaration = FigureDeclaration(
            name=name,
            summary=" ".join(summary.split()),
            inputs=tuple(inputs),
            options=dict(options or {}),
            requires=tuple(requires),
            several=several,
        )
        FIGURES[name] = RegisteredFigure(function, declaration)
        return function

    return register


def draw_figure(spec: FigureSpec, path: str | Path) -> None:
    """Draw a figure in the current style and save it at `path`, in the format that its suffix names.

    Raises:
        UserError: at its size some of its text cannot be read.
    """
    fig = FIGURES[spec.plot].function(spec.panels, spec.dataset, (spec.width, spec.height), **spec.options)
    keep_ticks(fig)
    check_legible(spec.name, fig)
    with atomic_write(path) as partial:
        fig.savefig(partial, metadata={"Date": None})


def keep_ticks(fig: Figure) -> None:
    """Lay a figure out and keep its ticks. Otherwise their number depends on the size of the axes, which depends on the
    width of the tick labels, so that the layout may alternate between two states of which neither has room for all."""
    fig.draw_without_rendering()
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(axis.get_major_locator(), AutoLocator):
                axis.set_major_locator(FixedLocator(list(axis.get_majorticklocs())))


def use_style(matplotlibrc: str | Path) -> None:
    """Use the style of the file `matplotlibrc`, with fonts from installed packages: those of the machine have no
    influence."""
    for font in Path(font_source_sans_pro.font_directory).glob("*.ttf"):
        font_manager.fontManager.addfont(str(font))
    matplotlib.rc_file(matplotlibrc)


def new_figure(size: Size, aspect: float) -> Figure:
    """An empty figure of this size; `aspect` is width divided by height, and counts where `size` has no height."""
    width, height = size
    return Figure(figsize=(width * MM, height * MM if height else width * MM / aspect))


def class_colours(n_classes: int) -> list[str]:
    """A colour for each class: those of the style in order, repeated where there are more classes than colours."""
    cycle = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    return [cycle[label % len(cycle)] for label in range(n_classes)]


def read_pixels(path: str) -> np.ndarray:
    """The pixels of a PNG, 0 to 1, `(rows, columns)`, or in colour `(rows, columns, 3)`."""
    return imread(path)


def as_picture(pixels: np.ndarray, dataset: Dataset) -> np.ndarray:
    """An image, `(P,)`, as `show_pixels` takes it."""
    return tile_images(pixels.reshape(1, *dataset.image_shape), 1)


def show_pixels(ax: Axes, pixels: np.ndarray, **options: Any) -> None:
    """Show pixels `(rows, columns)`, or in colour `(rows, columns, 3)`, without smoothing or a frame; `options` are
    those of `imshow`."""
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="none", **options)
    ax.spines[:].set_visible(False)


def image_centres(n_images: int, length: int) -> np.ndarray:
    """The middles of adjacent images of `length` pixels along an axis, `(n_images,)`."""
    return length * (np.arange(n_images) + 0.5)


def show_signed(ax: Axes, values: np.ndarray, limit: float) -> None:
    """Show an image of values from `−limit` to `limit`, `(rows, columns)`: blue is negative, red positive. In colour,
    `(rows, columns, 3)`, each channel is darker than grey where it is negative, and brighter where it is positive."""
    values = 0.5 + values / (2 * limit) if values.ndim == 3 else values
    ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="none")
    ax.set(xticks=[], yticks=[])


def scatter_points(ax: Axes, points: np.ndarray, labels: np.ndarray, n_classes: int) -> None:
    """Points `(n, 2)` coloured by class, in a random order, so that no class lies on top of the others."""
    colours, order = np.array(class_colours(n_classes)), np.random.default_rng(0).permutation(len(points))
    ax.scatter(*points[order].T, c=colours[labels[order]], s=1.6, linewidths=0, alpha=0.8, rasterized=True)


def class_handles(names: Mapping[int, str], n_classes: int) -> list[Line2D]:
    """The entries of a legend: label → the name beside its colour."""
    colours = class_colours(n_classes)
    return [
        Line2D([], [], ls="", marker="o", ms=3.5, color=colours[label], label=name) for label, name in names.items()
    ]


def draw_prior_circles(ax: Axes) -> None:
    """Circles of one and two standard deviations of the prior around the origin."""
    for sigmas in (1, 2):
        ax.add_patch(Circle((0, 0), sigmas, fill=False, lw=0.8, ls="--", color="black"))


def label_latent_axes(ax: Axes) -> None:
    """Name both axes of a latent plane, in a size that keeps the subscripts legible."""
    ax.set_xlabel("$z_1$", labelpad=1, size=8.6)
    ax.set_ylabel("$z_2$", labelpad=2.5, size=8.6)

"""Figures that compare latent dimensions: sweeps, and autoencoders with PCA."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentlab.figures.base import Size, figure, new_figure
from latentlab.records.assignments import Panel
from latentlab.records.datasets import Dataset
from latentlab.records.metrics import MeanStd, PCAComparison, SweepMetrics


@figure(inputs=("pca_comparison.json",), several=True)
def pca_comparison(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Autoencoders beside PCA: test error by latent dimension, and principal angles between their subspaces."""
    comparisons = [PCAComparison.read(panel.files["pca_comparison.json"]) for panel in panels]
    dims, pca = comparisons[0].dims, comparisons[0].pca
    fig = new_figure(size, aspect=2)
    error_ax, angle_ax = fig.subplots(1, 2)
    error_ax.plot(dims, pca, "s--", color="0.45", ms=6, mfc="none", label="PCA")
    for panel, comparison in zip(panels, comparisons, strict=True):
        error_ax.plot(dims, comparison.error, "o-", ms=3, label=panel.label)
        for angles, style, label in (
            (comparison.angle, "o-", "largest"),
            (comparison.median_angle, "o:", "median"),
        ):
            points = [(dim, angle) for dim, angle in zip(dims, angles, strict=True) if angle is not None]
            if points:
                angle_ax.plot(*zip(*points, strict=True), style, ms=3, color="C0", label=label)
    error_ax.set(ylabel="squared error per pixel", ylim=(0, None))
    angle_ax.set(ylabel="angle to PCA (°)", ylim=(0, None))
    shown = [dim for dim in dims if dim < comparisons[0].rank]  # others have no angle
    for ax, ax_dims in ((error_ax, dims), (angle_ax, shown or dims)):
        _format_dimension_axis(ax, ax_dims)
        ax.minorticks_off()
    error_ax.axvline(comparisons[0].rank, ls=":", color="0.4", lw=0.8)
    return fig


@figure(inputs=("sweep.json",))
def sweep(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Test error beside that of PCA, bounds on the log-likelihood, and Fréchet distance of samples by latent dimension;
    mean ± standard deviation over seeds."""
    (panel,) = panels
    metrics = SweepMetrics.read(panel.files["sweep.json"])
    fig = new_figure(size, aspect=3)
    error_ax, bound_ax, sample_ax = fig.subplots(1, 3)
    _plot_error(error_ax, metrics, panel.label)
    elbo = MeanStd(mean=tuple(-mean for mean in metrics.negative_elbo.mean), std=metrics.negative_elbo.std)
    _plot_mean_std(bound_ax, metrics.dims, metrics.importance_weighted, label="IW bound")
    _plot_mean_std(bound_ax, metrics.dims, elbo, label="ELBO", linestyle=":", color="C2")
    bound_ax.set(ylabel="nats per test image")
    _plot_mean_std(sample_ax, metrics.dims, metrics.frechet, label="samples", color="C4")
    sample_ax.axhline(metrics.frechet_real, ls="--", color="0.45", label="real images")
    sample_ax.set(ylabel="Fréchet distance", ylim=(0, None))
    for ax in (error_ax, bound_ax, sample_ax):
        _format_dimension_axis(ax, metrics.dims)
    return fig


@figure(inputs=("sweep.json",))
def sweep_error(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Test error beside that of PCA by latent dimension; mean ± standard deviation over seeds."""
    (panel,) = panels
    metrics = SweepMetrics.read(panel.files["sweep.json"])
    fig = new_figure(size, aspect=4 / 3)
    ax = fig.subplots()
    _plot_error(ax, metrics, panel.label)
    _format_dimension_axis(ax, metrics.dims)
    return fig


def _plot_error(ax: Axes, metrics: SweepMetrics, label: str) -> None:
    ax.plot(metrics.dims, metrics.pca, "s--", color="0.45", label="PCA")
    _plot_mean_std(ax, metrics.dims, metrics.squared_error, label=label)
    ax.set(ylabel="squared error", ylim=(0, 1.1 * max(metrics.pca + metrics.squared_error.mean)))


def _plot_mean_std(ax: Axes, dims: Sequence[int], values: MeanStd, **style: Any) -> None:
    """Means with bars of one standard deviation."""
    ax.errorbar(dims, values.mean, values.std, marker="o", capsize=2, **style)


def _format_dimension_axis(ax: Axes, dims: Sequence[int]) -> None:
    ax.set_xscale("log", base=2)
    ax.set_xticks(dims, [str(dim) for dim in dims])
    ax.set_xlabel("latent dimension")
    ax.grid(axis="y")
    ax.legend(frameon=True, facecolor="white", edgecolor="none", framealpha=1, borderpad=0.2)  # hides lines behind it

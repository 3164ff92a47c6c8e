"""Figures of inputs, their reconstructions and samples."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from latentlab.figures.base import (
    Size,
    as_picture,
    figure,
    image_centres,
    new_figure,
    read_pixels,
    show_pixels,
    show_signed,
)
from latentlab.records.assignments import Panel
from latentlab.records.datasets import Dataset
from latentlab.records.metrics import ModelMetrics, SweepMetrics

ROW_NAMES = ["input", "output", "sample", "sample"]  # of reconstructions_and_samples.png


@figure(inputs=("reconstructions.png",))
def reconstructions(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Test images, and their reconstructions in the same order."""
    (panel,) = panels
    halves = np.split(read_pixels(panel.files["reconstructions.png"]), 2, axis=1)
    fig = new_figure(size, aspect=3.7)
    for ax, pixels, title in zip(fig.subplots(1, 2), halves, ("test images", "reconstructions"), strict=True):
        show_pixels(ax, pixels)
        ax.set(xticks=[], yticks=[], title=title)
    return fig


@figure(inputs=("worst.png", "metrics.json"))
def worst_reconstructions(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The test images with the largest errors, their reconstructions and the absolute differences; above each, its
    squared error per pixel."""
    (panel,) = panels
    worst = ModelMetrics.read(panel.files["metrics.json"]).worst
    rows, columns = dataset.size
    fig = new_figure(size, aspect=len(worst) / 3)
    ax = fig.subplots()
    show_pixels(ax, read_pixels(panel.files["worst.png"]))
    ax.set_yticks(image_centres(3, rows), ["input", "output", "error"])
    ax.set_xticks(image_centres(len(worst), columns), [f"{image.squared_error:.3f}" for image in worst])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    return fig


@figure(inputs=("restorations.png",))
def restorations(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The first test images of up to twelve classes, corrupted as a denoising autoencoder is given them, and what it
    restores of them."""
    (panel,) = panels
    rows, _ = dataset.size
    pixels = read_pixels(panel.files["restorations.png"])
    fig = new_figure(size, aspect=pixels.shape[1] / pixels.shape[0])
    ax = fig.subplots()
    show_pixels(ax, pixels)
    ax.set_yticks(image_centres(3, rows), ["input", "corrupted", "restored"])
    ax.set_xticks([])
    ax.tick_params(length=0)
    return fig


@figure(inputs=("principal_directions.npz",))
def principal_directions(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """PCA's first two components beside the weights of a linear decoder of two latent dimensions: blue is negative,
    red positive."""
    (panel,) = panels
    arrays = np.load(panel.files["principal_directions.npz"])
    titles = {"pca": "PCA", "model": "decoder"}
    images = [
        (f"{title} {i}", row)
        for name, title in titles.items()
        if name in arrays
        for i, row in enumerate(arrays[name], 1)
    ]
    fig = new_figure(size, aspect=len(images))
    for ax, (title, weights) in zip(fig.subplots(1, len(images)), images, strict=True):
        show_signed(ax, as_picture(weights, dataset), np.abs(weights).max() or 1)
        ax.set_title(title)
    return fig


@figure(inputs=("axis_effects.npz",))
def axis_effects(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """What each latent dimension adds to the picture at z = 0 (blue is negative, red positive), and that picture. Of a
    decoder of one linear layer this is all that it draws with."""
    (panel,) = panels
    arrays = np.load(panel.files["axis_effects.npz"])
    limit = np.abs(arrays["effects"]).max() or 1
    fig = new_figure(size, aspect=1 / 3)
    axes = fig.subplots(3, 1)
    for i, (ax, effect) in enumerate(zip(axes, arrays["effects"], strict=False), 1):
        show_signed(ax, as_picture(effect, dataset), limit)
        ax.set_title(f"$z_{i}$ adds", size=8.6)
    show_pixels(axes[2], as_picture(arrays["origin"], dataset))
    axes[2].set(xticks=[], yticks=[], title="at z = 0")
    return fig


@figure(inputs=("reconstructions_and_samples.png",), several=True)
def reconstructions_and_samples(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Inputs, their reconstructions and samples from the prior, one panel for each model."""
    fig = new_figure(size, aspect=2)
    axes = fig.subplots(1, len(panels), squeeze=False)[0]
    rows, _ = dataset.size
    for ax, panel in zip(axes, panels, strict=True):
        show_pixels(ax, read_pixels(panel.files["reconstructions_and_samples.png"]))
        ax.set_yticks(image_centres(len(ROW_NAMES), rows), ROW_NAMES if ax is axes[0] else [""] * len(ROW_NAMES))
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.set_title(panel.label)
    return fig


@figure(inputs=("sweep.json", "strips.png"))
def strips(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Reconstructions, and samples from the prior, one row for each latent dimension."""
    (panel,) = panels
    dims = [str(dim) for dim in SweepMetrics.read(panel.files["sweep.json"]).dims]
    rows, _ = dataset.size
    outputs, samples = np.split(read_pixels(panel.files["strips.png"]), [rows * (1 + len(dims))])
    blank = np.ones((rows, *samples.shape[1:]))  # beside the inputs
    samples = np.concatenate([blank, samples])
    fig = new_figure(size, aspect=3)
    axes = fig.subplots(1, 2)
    for ax, pixels, title, first_name in zip(
        axes, (outputs, samples), ("reconstructions", "samples"), ("input", ""), strict=True
    ):
        show_pixels(ax, pixels)
        ax.set_yticks(image_centres(1 + len(dims), rows), [first_name, *dims])
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.set_title(title)
    axes[0].set_ylabel("latent dimension")
    return fig

"""Figures of a conditional VAE as a classifier by Bayes' rule."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from latentlab.figures.base import Size, figure, new_figure, read_pixels, show_pixels
from latentlab.records.assignments import Panel
from latentlab.records.datasets import Dataset, get_dataset
from latentlab.records.metrics import ClassifierMetrics, OODMetrics

MIN_BIN_SHARE = 0.005  # with a smaller share of the predictions, a bin's accuracy is mostly noise


@figure(inputs=("classifier.json",))
def confusion(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Confusion matrix, per cent of the true class; shares that round to 0 are left out."""
    (panel,) = panels
    metrics = ClassifierMetrics.read(panel.files["classifier.json"])
    shares = np.array(metrics.methods[metrics.best].confusion, dtype=float)
    shares *= 100 / np.maximum(shares.sum(axis=1, keepdims=True), 1)
    fig = new_figure(size, aspect=1)
    ax = fig.subplots()
    # The root of the shares makes the few mistakes visible beside the correct predictions.
    ax.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=12)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.5:
            colour = "white" if share > 35 else "black"
            ax.text(column, row, f"{share:.0f}", size=6, ha="center", va="center", color=colour)
    labels = range(dataset.n_classes)
    ax.set_xticks(labels, dataset.classes, rotation=0 if _has_short_names(dataset) else 90, size=6.5)
    ax.set_yticks(labels, dataset.classes, size=6.5)
    ax.tick_params(length=0, pad=2)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="answer", ylabel="true label")
    return fig


@figure(inputs=("classifier.json",))
def reliability(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Accuracy by confidence, before and after temperature scaling; on the diagonal, both agree.

    Bins with few predictions are not drawn; the ECE includes them.
    """
    (panel,) = panels
    metrics = ClassifierMetrics.read(panel.files["classifier.json"])
    best = metrics.methods[metrics.best]
    fig = new_figure(size, aspect=1)
    ax = fig.subplots()
    ax.plot([0, 1], [0, 1], "--", color="0.6", lw=0.8)
    for name, predictions, marker in (
        ("T = 1", best, "o"),
        (f"T = {best.temperature:.2f}", best.temperature_scaled, "s"),
    ):
        bins = [bin_ for bin_ in predictions.bins if bin_.share >= MIN_BIN_SHARE]
        confidences, accuracies = [bin_.confidence for bin_ in bins], [bin_.accuracy for bin_ in bins]
        label = f"{name}: ECE {100 * predictions.ece:.1f} %"
        ax.plot(confidences, accuracies, marker=marker, ms=2.5, label=label)
    ax.set(
        xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1)
    )
    ax.legend(loc="lower right", handlelength=1.5, borderpad=0)
    return fig


@figure(inputs=("classifier.json", "mistakes.png"))
def mistakes(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Test images with the most confident wrong predictions: true label → answer."""
    (panel,) = panels
    metrics = ClassifierMetrics.read(panel.files["classifier.json"])
    pixels = read_pixels(panel.files["mistakes.png"])
    fig = new_figure(size, aspect=2)
    axes = fig.subplots(2, max(1, (len(metrics.mistakes) + 1) // 2), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    _, columns = dataset.size
    images = np.split(pixels, pixels.shape[1] // columns, axis=1)
    separator, font_size = (" ", 7) if _has_short_names(dataset) else ("\n", 6)
    # Where there are no mistakes, mistakes.png still holds one image.
    for ax, image, mistake in zip(axes.flat, images, metrics.mistakes, strict=False):
        show_pixels(ax, image)
        label, predicted = dataset.classes[mistake.label], dataset.classes[mistake.predicted]
        ax.set_title(f"{label}{separator}→ {predicted}", size=font_size, pad=1.5)
    return fig


@figure(inputs=("classifier.json", "confusions.png"))
def confusions(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The most frequent wrong answers: one row of test images for each pair of true label and answer."""
    (panel,) = panels
    metrics = ClassifierMetrics.read(panel.files["classifier.json"])
    fig = new_figure(size, aspect=1.2)
    axes = fig.subplots(max(1, len(metrics.confusions)), 1, squeeze=False)[:, 0]
    for ax in axes:
        ax.set_axis_off()
    _, columns = dataset.size
    pixels = read_pixels(panel.files["confusions.png"])
    counts = [len(confusion.indices) for confusion in metrics.confusions]
    most = max(counts, default=1)
    rows = np.split(pixels, columns * np.cumsum(counts), axis=1)
    # Where there are no mistakes, confusions.png still holds one image.
    for ax, row, confusion in zip(axes, rows, metrics.confusions, strict=False):
        blank = np.ones((len(row), most * columns - row.shape[1], *row.shape[2:]))
        show_pixels(ax, np.concatenate([row, blank], axis=1))
        label, answer = dataset.classes[confusion.label], dataset.classes[confusion.answer]
        ax.set_title(f"{label} → {answer}: {100 * confusion.share:.0f} %", size=7, pad=1.5, loc="left")
    return fig


@figure(inputs=("ood.json", "ood.npz"))
def ood_likelihoods(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Histograms of log p(x) of the data set's own test images and of out-of-distribution (OOD) images."""
    (panel,) = panels
    metrics, arrays = OODMetrics.read(panel.files["ood.json"]), np.load(panel.files["ood.npz"])
    log_p = [arrays["test"], arrays["ood"]]
    edges = np.linspace(*np.quantile(np.concatenate(log_p), [0.002, 1]), 60)
    fig = new_figure(size, aspect=5 / 3)
    ax = fig.subplots()
    for values, title in zip(log_p, (dataset.title, get_dataset(metrics.dataset).title), strict=True):
        ax.hist(values, list(edges), density=True, histtype="stepfilled", alpha=0.6, label=title)
    ax.set(xlabel="log p(x), nats", ylabel="density")
    ax.set_yticks([])
    ax.legend(title=f"AUROC {metrics.auroc:.3f}", title_fontsize=7, alignment="left")
    return fig


def _has_short_names(dataset: Dataset) -> bool:
    """Whether every class name is a single character."""
    return max(map(len, dataset.classes)) == 1

"""Figures of the training history."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from latentlab.figures.base import Size, figure, new_figure
from latentlab.records.assignments import Panel
from latentlab.records.datasets import Dataset
from latentlab.records.metrics import ModelMetrics
from latentlab.runtime.files import read_csv

SPLIT_NAMES = {"train": "training", "validation": "validation"}  # prefix of a column of history.csv → its name
TERM_NAMES = {"loss": "loss", "reconstruction": "reconstruction", "kl": "KL"}


@figure(inputs=("history.csv",), several=True)
def history(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """Training and validation loss by epoch, one panel for each model."""
    fig = new_figure(size, aspect=len(panels))
    axes = fig.subplots(1, len(panels), squeeze=False)[0]
    for ax, panel in zip(axes, panels, strict=True):
        table = read_csv(panel.files["history.csv"])
        for (split, name), line in zip(SPLIT_NAMES.items(), ("-", "--"), strict=True):
            ax.plot(table["epoch"], table[f"{split}_loss"], line, label=name)
        ax.set(title=panel.label, xlabel="epoch", ylabel="loss (nats per image)")
        ax.legend()
    return fig


@figure(inputs=("history.csv", "metrics.json"), requires=("generative", "encoder"))
def loss_terms(panels: Sequence[Panel], dataset: Dataset, size: Size) -> Figure:
    """The loss and its two terms by epoch; a dotted line marks the epoch with the lowest validation loss."""
    (panel,) = panels
    table = read_csv(panel.files["history.csv"])
    best_epoch = ModelMetrics.read(panel.files["metrics.json"]).training.best_epoch
    fig = new_figure(size, aspect=3)
    axes = fig.subplots(1, 3)
    for ax, (term, title) in zip(axes, TERM_NAMES.items(), strict=True):
        for split, name in SPLIT_NAMES.items():
            ax.plot(table["epoch"], table[f"{split}_{term}"], ".-", ms=3, label=name)
        ax.set(title=title, xlabel="epoch")
        ax.locator_params(axis="x", integer=True)
    axes[0].axvline(best_epoch, ls=":", color="0.4", lw=0.8)
    axes[0].set_ylabel("nats per image")
    axes[0].legend()
    return fig

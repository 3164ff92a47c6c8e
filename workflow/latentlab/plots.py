"""Every figure, drawn at the size at which it is printed. Imports no torch.

A figure is a function of plain arrays that fills axes; `draw` finds it by its name, gives it a figure of the right
size in the project's one style, and saves it.
"""

from dataclasses import dataclass
from pathlib import Path

import font_source_sans_pro
import matplotlib

matplotlib.use("agg")

import numpy as np
from matplotlib import font_manager, patheffects
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Ellipse

from latentlab.files import read_csv, read_json, whole

MM = 1 / 25.4  # inches
FEW = 0.005  # a smaller share of the answers says nothing of a bin's accuracy
HALO = [patheffects.withStroke(linewidth=1.8, foreground="white")]


@dataclass
class Panel:
    """What a figure is told of one model: its name, whether its codes are random, and its files by their names."""

    label: str
    random: bool
    files: dict


def draw(kind, path, panels, classes, width, height=None, **options):
    """Save the figure `kind` at `path`.

    Args:
        panels: a `Panel` a model, in order.
        classes: names of the classes.
        width, height: millimetres; without a height the figure is as high as its kind makes it.
        options: what the figure's function takes besides.
    """
    figure = FIGURES[kind](panels, classes, width * MM, height and height * MM, **options)
    with whole(path) as partial:
        figure.savefig(partial, metadata={"Date": None})
    plt.close(figure)


def use_style(matplotlibrc):
    """The project's style, and its fonts from the packages that bring them: the machine's do not matter."""
    for font in Path(font_source_sans_pro.font_directory).glob("*.ttf"):
        font_manager.fontManager.addfont(font)
    matplotlib.rc_file(matplotlibrc)


def decoder_map(panels, classes, width, height, picture="grid.png", axes="grid"):
    """A decoder grid with its latent axes: the picture's pixels untouched, ticks where samples are."""
    (panel,) = panels
    x, y = (np.array(read_json(panel.files["grids.json"])[axes][name]) for name in "xy")
    figure, ax = plt.subplots(figsize=(width, height or width))
    pixels = plt.imread(panel.files[picture])
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="none", extent=(0, len(x), 0, len(y)))
    for positions, set_ticks in ((x, ax.set_xticks), (y, ax.set_yticks)):
        at = np.linspace(0, len(positions) - 1, min(5, len(positions))).round().astype(int)
        digits = 1 if np.ptp(positions) >= 4 else 2
        set_ticks(at + 0.5, [f"{positions[i]:.{digits}f}".removesuffix(".0").replace("-", "−") for i in at])
    ax.spines[:].set_visible(False)
    _name_axes(ax)
    return figure


def occupied_map(panels, classes, width, height):
    """The decoder grid over the range that the codes occupy."""
    return decoder_map(panels, classes, width, height, "grid-occupied.png", "occupied")


def quantile_map(panels, classes, width, height):
    """The decoder grid at equal steps of the prior's probability: each picture stands for as many samples."""
    return decoder_map(panels, classes, width, height, "grid-quantiles.png", "quantiles")


def posteriors(panels, classes, width, height):
    """True posteriors of a few images (shaded) under the encoder's Gaussians (1σ and 2σ), with the images."""
    (panel,) = panels
    arrays = np.load(panel.files["posteriors.npz"])
    shown = len(arrays["gap"])
    figure, axes = plt.subplots(1, shown, figsize=(width, height or width / shown), squeeze=False)
    for i, ax in enumerate(axes[0]):
        x, y = arrays["axes"][i]
        ax.pcolormesh(x, y, arrays["density"][i], cmap="Blues", shading="nearest", rasterized=True)
        for sigmas in (1, 2):
            size = 2 * sigmas * arrays["std"][i]
            ax.add_patch(
                Ellipse(arrays["mean"][i], *size, fill=False, lw=0.9, ls="-" if sigmas == 1 else "--", color="C2")
            )
        corner = _emptiest_corner(x, y, arrays["density"][i], arrays["mean"][i], arrays["std"][i])
        inset = ax.inset_axes((*corner, 0.28, 0.28))
        inset.imshow(arrays["pixels"][i].reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        inset.set(xticks=[], yticks=[])
        ax.set_box_aspect(1)
        ax.locator_params(nbins=4)
        ax.set_title(f"gap {arrays['gap'][i]:.2f} nats")
        _name_axes(ax)
    return figure


def embeddings(panels, classes, width, height, split="test", points=10_000):
    """Codes coloured by class with the classes' centres, a panel a model, with the 1σ and 2σ circles of a prior."""
    figure, axes = plt.subplots(1, len(panels), figsize=(width, height or width / len(panels)), squeeze=False)
    for ax, panel in zip(axes[0], panels, strict=True):
        arrays = np.load(panel.files["codes.npz"])
        codes, labels = arrays[f"{split}_mean"][:points], arrays[f"{split}_labels"][:points]
        _scatter(ax, codes, labels, classes)
        low, high = np.quantile(codes, [0.001, 0.999], axis=0)
        if panel.random:
            for sigmas in (1, 2):
                ax.add_patch(Circle((0, 0), sigmas, fill=False, lw=0.8, ls="--", color="black"))
                ax.annotate(f"{sigmas}σ", (0, -sigmas), ha="center", va="center", size=6.5, path_effects=HALO)
            low, high = np.full(2, min(*low, -2.1)), np.full(2, max(*high, 2.1))  # equal scales: circles stay round
        pad = 0.03 * (high - low)
        ax.set(xlim=(low[0] - pad[0], high[0] + pad[0]), ylim=(low[1] - pad[1], high[1] + pad[1]))
        ax.set_box_aspect(1)
        ax.set_title(panel.label)
        _name_axes(ax)
    _class_legend(figure, classes)
    return figure


def planes(panels, classes, width, height):
    """Codes, and the pixels themselves, in the plane of their first two principal components, coloured by class."""
    (panel,) = panels
    arrays, measured = np.load(panel.files["planes.npz"]), read_json(panel.files["planes.json"])
    figure, axes = plt.subplots(1, 2, figsize=(width, height or width / 2))
    for ax, name, title in zip(axes, ("codes", "pixels"), (f"{panel.label}: codes", "pixels"), strict=True):
        _scatter(ax, arrays[name], arrays["labels"], classes)
        ax.set_title(title)
        ax.set_box_aspect(1)
        for axis, share, set_label in zip(
            "12", measured[name]["explained"], (ax.set_xlabel, ax.set_ylabel), strict=True
        ):
            set_label(f"component {axis} ({share:.1%} of the variance)", labelpad=1)
    _class_legend(figure, classes)
    return figure


def separation(panels, classes, width, height):
    """How far each class keeps to itself, among the codes and among the pixels."""
    (panel,) = panels
    measured = read_json(panel.files["planes.json"])
    figure, axes = plt.subplots(1, 2, figsize=(width, height or width), sharey=True)
    rows = np.arange(len(classes))
    for ax, figure_of, label in zip(
        axes, ("silhouette", "neighbour_accuracy"), ("silhouette", "neighbours agree"), strict=True
    ):
        for i, name in enumerate(("codes", "pixels")):
            values = measured[name]["plane"][figure_of]["classes"]
            ax.barh(rows + 0.4 * i - 0.2, values, 0.38, color=f"C{i}", label=name)
        ax.axvline(0, color="0.3", lw=0.6)
        ax.grid(axis="x")
        ax.set_axisbelow(True)
        ax.set_xlabel(label)
        ax.locator_params(axis="x", nbins=4)
    axes[0].set_yticks(rows, classes)
    axes[0].invert_yaxis()
    axes[0].tick_params(axis="y", length=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, borderpad=0)
    return figure


def history(panels, classes, width, height):
    """Loss by epoch, training and validation, a panel a model."""
    figure, axes = plt.subplots(1, len(panels), figsize=(width, height or width / len(panels)), squeeze=False)
    for ax, panel in zip(axes[0], panels, strict=True):
        table = read_csv(panel.files["history.csv"])
        for split, line in (("train", "-"), ("validation", "--")):
            ax.plot(table["epoch"], table[f"{split}_loss"], line, label="training" if split == "train" else split)
        ax.set(title=panel.label, xlabel="epoch", ylabel="loss (nats per image)")
        ax.legend()
    return figure


def terms(panels, classes, width, height):
    """The loss and its two terms by epoch, training and validation; dotted, where the validation loss is lowest."""
    (panel,) = panels
    table = read_csv(panel.files["history.csv"])
    best = read_json(panel.files["metrics.json"])["training"]["best_epoch"]
    figure, axes = plt.subplots(1, 3, figsize=(width, height or width / 3))
    for ax, name in zip(axes, ("loss", "reconstruction", "kl"), strict=True):
        for split in ("train", "validation"):
            ax.plot(
                table["epoch"], table[f"{split}_{name}"], ".-", ms=3, label="training" if split == "train" else split
            )
        ax.set(title={"loss": "loss", "kl": "KL"}.get(name, name), xlabel="epoch")
        ax.locator_params(axis="x", integer=True)
    axes[0].axvline(best, ls=":", color="0.4", lw=0.8)
    axes[0].set_ylabel("nats per image")
    axes[0].legend()
    return figure


def subspaces(panels, classes, width, height):
    """Autoencoders in the place of PCA: test error by latent dimension, and angles between the subspaces."""
    tables = [read_json(panel.files["subspaces.json"]) for panel in panels]
    dims = tables[0]["dims"]
    figure, (error, angle) = plt.subplots(1, 2, figsize=(width, height or width / 2))
    error.plot(dims, tables[0]["pca"], "s--", color="0.45", ms=6, mfc="none", label="PCA")
    for panel, table in zip(panels, tables, strict=True):
        error.plot(dims, table["error"], "o-", ms=3, label=panel.label)
        for name, style, which in (("angle", "o-", "largest"), ("median_angle", "o:", "median")):
            found = [(d, value) for d, value in zip(dims, table[name], strict=True) if value is not None]
            if found:
                angle.plot(*zip(*found, strict=True), style, ms=3, color="C0", label=which)
    error.set(ylabel="squared error per pixel", ylim=(0, None))
    angle.set(ylabel="angle to PCA (°)", ylim=(0, None))
    for ax in (error, angle):
        ax.set_xscale("log", base=2)
        ax.set_xticks(dims, [str(d) for d in dims])
        ax.minorticks_off()
        ax.set_xlabel("latent dimension")
        ax.grid(axis="y")
    error.axvline(tables[0]["rank"], ls=":", color="0.4", lw=0.8)
    error.legend()
    angle.legend()
    return figure


def sheet(panels, classes, width, height):
    """Test images, and their reconstructions in the same order."""
    (panel,) = panels
    halves = np.split(plt.imread(panel.files["sheet.png"]), 2, axis=1)
    figure, axes = plt.subplots(1, 2, figsize=(width, height or width / 3.7))
    for ax, picture, title in zip(axes, halves, ("test images", "reconstructions"), strict=True):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="none")
        ax.set(xticks=[], yticks=[], title=title)
        ax.spines[:].set_visible(False)
    return figure


def sweep(panels, classes, width, height):
    """What a latent dimension buys: test error beside PCA's, and the bound on the likelihood; mean ± std over seeds."""
    (panel,) = panels
    table = read_json(panel.files["sweep.json"])
    dims = table["dims"]
    figure, (error, bound, samples) = plt.subplots(1, 3, figsize=(width, height or width / 3))
    _plot_error(error, table, panel.label)
    _with_spread(bound, dims, table["importance_weighted"], label="IW bound")
    negated = table["negative_elbo"] | {"mean": [-value for value in table["negative_elbo"]["mean"]]}
    _with_spread(bound, dims, negated, label="ELBO", linestyle=":", color="C2")
    bound.set(ylabel="nats per test image")
    _with_spread(samples, dims, table["frechet"], label="samples", color="C4")
    samples.plot(dims, table["frechet_real"]["mean"], "--", color="0.45", label="real images")
    samples.set(ylabel="Fréchet distance", ylim=(0, None))
    for ax in (error, bound, samples):
        _over_dimensions(ax, dims)
    return figure


def sweep_error(panels, classes, width, height):
    """Test error against the latent dimension beside PCA's; mean ± std over seeds."""
    (panel,) = panels
    table = read_json(panel.files["sweep.json"])
    figure, ax = plt.subplots(figsize=(width, height or 0.75 * width))
    _plot_error(ax, table, panel.label)
    _over_dimensions(ax, table["dims"])
    return figure


def strips(panels, classes, width, height):
    """Reconstructions, and samples from the prior, a row a latent dimension."""
    (panel,) = panels
    dims = read_json(panel.files["sweep.json"])["dims"]
    pixels = plt.imread(panel.files["strips.png"])
    outputs, samples = np.split(pixels, [28 * (1 + len(dims))])
    figure, axes = plt.subplots(1, 2, figsize=(width, height or width / 3))
    for ax, picture, title, names in zip(
        axes, (outputs, np.pad(samples, ((28, 0), (0, 0)), constant_values=1)), ("reconstructions", "samples"),
        (["input", *dims], ["", *dims]), strict=True
    ):  # fmt: skip
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="none")
        ax.set_yticks(14 + 28 * np.arange(len(names)), names)
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_title(title)
    axes[0].set_ylabel("latent dimension")
    return figure


def failure_map(panels, classes, width, height):
    """The decoder grid with the failures that were found, numbered."""
    figure = decoder_map(panels, classes, width, height)
    (ax,) = figure.axes
    x = np.array(read_json(panels[0].files["grids.json"])["grid"]["x"])
    positions = np.arange(len(x)) + 0.5
    for number, failure in enumerate(read_json(panels[0].files["failures.json"])["found"], 1):
        at = [np.interp(z, x, positions) for z in failure["z"]]
        ax.text(*at, str(number), color="white", weight="bold", size=7, ha="center", va="center",
                bbox={"boxstyle": "circle,pad=0.15", "fc": "C2", "ec": "white", "lw": 0.4})  # fmt: skip
    return figure


def failures(panels, classes, width, height):
    """Failures as the decoder draws them, over their nearest training images."""
    (panel,) = panels
    found = read_json(panel.files["failures.json"])
    pixels = plt.imread(panel.files["failures.png"])
    figure, ax = plt.subplots(figsize=(width, height or width / 2))
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="none")
    ax.set_yticks([14, 42], ["decoded", "nearest"])
    titles = [
        f"{i}: {failure['distance'] / found['scale']:.1f}×"
        if failure["kind"] == "far"
        else f"{i}: {failure['confidence']:.0%}"
        for i, failure in enumerate(found["found"], 1)
    ]
    ax.set_xticks(14 + 28 * np.arange(len(titles)), titles)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


def pictures(panels, classes, width, height):
    """Inputs, their reconstructions and samples from the prior, a panel a model."""
    figure, axes = plt.subplots(1, len(panels), figsize=(width, height or width / 2), squeeze=False)
    for i, (ax, panel) in enumerate(zip(axes[0], panels, strict=True)):
        pixels = plt.imread(panel.files["pictures.png"])
        ax.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="none")
        rows = np.arange(14, pixels.shape[0], 28)
        ax.set_yticks(rows, ["input", "output", "sample", "sample"] if i == 0 else [""] * len(rows))
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_title(panel.label)
    return figure


def condition_maps(panels, classes, width, height):
    """A conditional decoder's grids, a panel a label, over the same latent plane."""
    (panel,) = panels
    axes_of = read_json(panel.files["conditions.json"])
    labels, x = axes_of["labels"], np.array(axes_of["x"])
    pictures = np.split(plt.imread(panel.files["conditions.png"]), len(labels), axis=1)
    figure, axes = plt.subplots(1, len(labels), figsize=(width, height or width / len(labels)), squeeze=False)
    ends = [0.5, len(x) / 2, len(x) - 0.5]
    for i, (ax, label, picture) in enumerate(zip(axes[0], labels, pictures, strict=True)):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="none", extent=(0, len(x), 0, len(x)))
        ticks = [f"{x[j]:.1f}".removesuffix(".0").replace("-", "−") for j in (0, len(x) // 2, -1)]
        ax.set_xticks(ends, ticks)
        ax.set_yticks(ends, ticks if i == 0 else [])
        ax.spines[:].set_visible(False)
        ax.set_title(f"label {classes[label]}")
    return figure


def condition_embeddings(panels, classes, width, height, conditions):
    """Training codes of a conditional model, a panel a label, with the prior's circles; the others' codes in grey."""
    (panel,) = panels
    arrays = np.load(panel.files["codes.npz"])
    codes, labels = arrays["train_mean"], arrays["train_labels"]
    figure, axes = plt.subplots(
        1, len(conditions), figsize=(width, height or width / len(conditions)), squeeze=False, sharex=True, sharey=True
    )
    reach = max(3.2, np.quantile(np.abs(codes), 0.999))
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for ax, label in zip(axes[0], conditions, strict=True):
        ax.scatter(*codes[labels == label].T, c=colours[label], s=1.2, linewidths=0, alpha=0.5, rasterized=True)
        for sigmas in (1, 2):
            ax.add_patch(Circle((0, 0), sigmas, fill=False, lw=0.8, ls="--", color="black"))
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), title=f"label {classes[label]}")
        ax.set_box_aspect(1)
    return figure


def confusion(panels, classes, width, height):
    """How often each class is taken for each other one, per cent of the true class; zeros are left out."""
    found = _classifier(panels)
    shares = np.array(found["confusion"], dtype=float)
    shares *= 100 / np.maximum(shares.sum(axis=1, keepdims=True), 1)
    figure, ax = plt.subplots(figsize=(width, height or width))
    ax.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=12)  # the root shows the few mistakes beside the many hits
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.5:
            colour = "white" if share > 35 else "black"
            ax.text(column, row, f"{share:.0f}", size=5.5, ha="center", va="center", color=colour)
    short = max(map(len, classes)) == 1
    ax.set_xticks(range(len(classes)), classes, rotation=0 if short else 90, size=6.5)
    ax.set_yticks(range(len(classes)), classes, size=6.5)
    ax.tick_params(length=0, pad=2)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="answer", ylabel="true label")
    return figure


def reliability(panels, classes, width, height):
    """Accuracy against confidence, of the posterior as it is and after the temperature; the diagonal is honest.

    Bins of few answers are not drawn; the ECE counts all.
    """
    found = _classifier(panels)
    figure, ax = plt.subplots(figsize=(width, height or width))
    ax.plot([0, 1], [0, 1], "--", color="0.6", lw=0.8)
    temperature = f"T = {found['temperature']:.2f}"
    for (name, one), marker in zip({"T = 1": found, temperature: found["tempered"]}.items(), "os", strict=True):
        bins = [some for some in one["bins"] if some["share"] >= FEW]
        points = [[some[key] for some in bins] for key in ("confidence", "accuracy")]
        ax.plot(*points, marker=marker, ms=2.5, label=f"{name}: ECE {100 * one['ece']:.1f} %")
    ax.set(
        xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1)
    )
    ax.legend(loc="lower right", handlelength=1.5, borderpad=0)
    return figure


def mistakes(panels, classes, width, height):
    """The test images of the surest wrong answers, in two rows: true label → answer."""
    (panel,) = panels
    found = read_json(panel.files["classifier.json"])["mistakes"]
    pixels = plt.imread(panel.files["mistakes.png"])
    columns = max(1, (len(found) + 1) // 2)
    figure, axes = plt.subplots(2, columns, figsize=(width, height or width / 2), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    images = np.split(pixels, pixels.shape[1] // 28, axis=1)
    gap, size = (" ", 7) if max(map(len, classes)) == 1 else ("\n", 5.5)
    for ax, image, mistake in zip(axes.flat, images, found, strict=False):  # without mistakes there is still one image
        ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="none")
        names = classes[mistake["label"]], classes[mistake["predicted"]]
        ax.set_title(f"{names[0]}{gap}→ {names[1]}", size=size, pad=1.5)
    return figure


def foreign(panels, classes, width, height):
    """log p(x) of the model's own test images beside that of another data set's."""
    (panel,) = panels
    found = read_json(panel.files["classifier.json"])
    arrays = np.load(panel.files["classifier.npz"])
    log_p = [np.logaddexp.reduce(arrays[f"{split}_{found['best']}"], axis=1) for split in ("test", "foreign")]
    edges = np.linspace(*np.quantile(np.concatenate(log_p), [0.002, 1]), 60)
    figure, ax = plt.subplots(figsize=(width, height or width * 0.6))
    for values, name in zip(log_p, (found["dataset"], found["foreign"]["dataset"]), strict=True):
        ax.hist(values, list(edges), density=True, histtype="stepfilled", alpha=0.6, label=name.replace("nM", "n-M"))
    ax.set(xlabel="log p(x), nats", ylabel="density")
    ax.set_yticks([])
    ax.legend(title=f"AUROC {found['methods'][found['best']]['auroc']:.3f}", title_fontsize=7, alignment="left")
    return figure


FIGURES = {
    "map": decoder_map,
    "occupied_map": occupied_map,
    "quantile_map": quantile_map,
    "embeddings": embeddings,
    "posteriors": posteriors,
    "history": history,
    "sweep": sweep,
    "sweep_error": sweep_error,
    "strips": strips,
    "terms": terms,
    "sheet": sheet,
    "planes": planes,
    "separation": separation,
    "subspaces": subspaces,
    "pictures": pictures,
    "failure_map": failure_map,
    "failures": failures,
    "condition_maps": condition_maps,
    "condition_embeddings": condition_embeddings,
    "confusion": confusion,
    "reliability": reliability,
    "mistakes": mistakes,
    "foreign": foreign,
}


def _classifier(panels):
    """The figures of one model's answers by its best method."""
    (panel,) = panels
    found = read_json(panel.files["classifier.json"])
    return found["methods"][found["best"]]


def _with_spread(ax, x, figures, **style):
    """Means with bars of one standard deviation."""
    ax.errorbar(x, figures["mean"], figures["std"], marker="o", capsize=2, **style)


def _scatter(ax, codes, labels, classes):
    """Codes `(n, 2)` coloured by class, with the classes' centres."""
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    order = np.random.default_rng(0).permutation(len(codes))  # no class lies on top of the others
    ax.scatter(*codes[order].T, c=np.array(colours)[labels[order]], s=1.6, linewidths=0, alpha=0.8, rasterized=True)
    _mark_centres(ax, centres(codes, labels, len(classes)), classes, colours)


def _class_legend(figure, classes):
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    named = [name if name == str(number) else f"{number} {name}" for number, name in enumerate(classes)]
    handles = [Line2D([], [], ls="", marker="o", ms=3.5, color=colour, label=name)
               for colour, name in zip(colours, named, strict=False)]  # fmt: skip
    figure.legend(handles=handles, loc="outside right center", handletextpad=0, borderpad=0)


def _plot_error(ax, table, label):
    ax.plot(table["dims"], table["pca"], "s--", color="0.45", label="PCA")
    _with_spread(ax, table["dims"], table["squared_error"], label=label)
    ax.set(ylabel="squared error per pixel", ylim=(0, 1.1 * max(table["pca"] + table["squared_error"]["mean"])))


def _over_dimensions(ax, dims):
    ax.set_xscale("log", base=2)
    ax.set_xticks(dims, [str(d) for d in dims])
    ax.set_xlabel("latent dimension")
    ax.grid(axis="y")
    ax.legend()


def centres(codes, labels, classes=10):
    """Median code of each class, `(classes, d)`; NaN for a class without codes."""
    found = np.full((classes, codes.shape[1]), np.nan)
    for label in np.unique(labels):
        found[label] = np.median(codes[labels == label], axis=0)
    return found


def _mark_centres(ax, centres, classes, colours):
    """A dot at the centre of each class with its number, which the legend explains: no colour has to be told apart."""
    for number, (centre, colour) in enumerate(zip(centres, colours, strict=False)):
        ax.plot(*centre, "o", ms=6.5, color=colour, mec="black", mew=0.6)
        ax.annotate(str(number), centre, ha="center", va="center_baseline", size=6, weight="bold", path_effects=HALO)


def _emptiest_corner(x, y, density, mean, std):
    """Where, in shares of the axes, a small picture hides least of a density `(len(y), len(x))` and of a Gaussian."""
    ellipse = ((x - mean[0]) / std[0]) ** 2 + ((y[:, None] - mean[1]) / std[1]) ** 2 < 2.2**2
    busy, part = density / density.max() + ellipse, 3 * len(x) // 10
    corners = {
        (0.02, 0.7): busy[-part:, :part],
        (0.7, 0.7): busy[-part:, -part:],
        (0.02, 0.02): busy[:part, :part],
        (0.7, 0.02): busy[:part, -part:],
    }
    return min(corners, key=lambda corner: corners[corner].sum())


def _name_axes(ax):
    ax.set_xlabel("$z_1$", labelpad=1)
    ax.set_ylabel("$z_2$", labelpad=3)

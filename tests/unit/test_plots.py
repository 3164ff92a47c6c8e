"""Every kind of figure is drawn at the size that its slot has, from planted files."""

import re
from pathlib import Path

import numpy as np
import pytest

from latentlab import handins, plots
from latentlab.files import write_csv, write_json, write_npz, write_png

ROOT = Path(__file__).parents[2]
CLASSES = [str(i) for i in range(10)]
TERMS = [f"{split}_{term}" for split in ("train", "validation") for term in ("loss", "reconstruction", "kl")]
SPREAD = {"mean": [3.0, 2.0], "std": [0.1, 0.2]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    axis = np.linspace(-4, 4, 3).tolist()
    for name, columns, rows in (("grid", 3, 3), ("grid-occupied", 3, 3), ("grid-quantiles", 3, 3), ("conditions", 6, 3),
                                ("pictures", 10, 4), ("strips", 10, 5)):  # fmt: skip
        write_png(folder / f"{name}.png", rng.random((28 * rows, 28 * columns)))
    write_png(folder / "failures.png", rng.random((56, 56)))
    write_json(folder / "grids.json", {name: {"x": axis, "y": axis} for name in ("grid", "occupied", "quantiles")})
    write_json(folder / "conditions.json", {"labels": [2, 7], "x": axis, "y": axis})
    found = [
        {"index": 0, "z": [0, 1], "kind": "far", "distance": 3.0, "confidence": 0.9},
        {"index": 1, "z": [1, 0], "kind": "ambiguous", "distance": 1.0, "confidence": 0.3},
    ]
    write_json(folder / "failures.json", {"found": found, "scale": 2.0})
    answers = {"bins": [{"share": 1, "confidence": 0.9, "accuracy": 0.8}], "ece": 0.1}
    answers = answers | {"temperature": 1.5, "tempered": answers, "confusion": np.eye(10).tolist(), "auroc": 0.9}
    mistakes = [{"index": i, "label": 4, "predicted": 9, "confidence": 0.9} for i in range(3)]
    classifier = {"dataset": "MNIST", "foreign": {"dataset": "FashionMNIST"}, "best": "exact", "mistakes": mistakes}
    write_json(folder / "classifier.json", classifier | {"methods": {"exact": answers}})
    write_npz(folder / "classifier.npz", {f"{split}_exact": rng.normal(size=(50, 10)) for split in ("test", "foreign")})
    write_png(folder / "mistakes.png", rng.random((28, 84)))
    measures = ("squared_error", "importance_weighted", "negative_elbo", "frechet", "frechet_real")
    write_json(folder / "sweep.json", {"dims": [2, 4], "pca": [4, 3]} | dict.fromkeys(measures, SPREAD))
    close_up = {"axes": np.sort(rng.normal(size=(2, 2, 5))), "density": rng.random((2, 5, 5)), "mean": np.zeros((2, 2))}
    shown = {"std": np.ones((2, 2)), "pixels": rng.random((2, 784)), "gap": np.array([0.1, 0.2])}
    write_npz(folder / "posteriors.npz", close_up | shown)
    write_csv(folder / "history.csv", [{"epoch": i} | dict.fromkeys(TERMS, 9 - i) for i in (1, 2)])
    write_json(folder / "metrics.json", {"training": {"best_epoch": 2}})
    write_png(folder / "sheet.png", rng.random((28 * 8, 28 * 32)))
    subspaces = {
        "dims": [2, 900],
        "rank": 784,
        "error": [3, 1],
        "pca": [2, 0],
        "angle": [1.5, None],
        "median_angle": [1, None],
    }
    write_json(folder / "subspaces.json", subspaces)
    labels = np.arange(200) % 10
    write_npz(
        folder / "planes.npz", {name: rng.normal(size=(200, 2)) for name in ("codes", "pixels")} | {"labels": labels}
    )
    by_class = {name: {"mean": 0, "classes": [0.1] * 10} for name in ("silhouette", "neighbour_accuracy")}
    measured = {"explained": [0.2, 0.1], "plane": by_class, "full": by_class}
    write_json(folder / "planes.json", {"codes": measured, "pixels": measured})
    codes = {f"{split}_mean": rng.normal(size=(200, 2)) for split in ("train", "test")}
    write_npz(folder / "codes.npz", codes | {"train_labels": labels, "test_labels": labels})
    return folder


@pytest.mark.parametrize("kind", plots.FIGURES)
def test_a_figure_is_as_large_as_its_slot_and_always_the_same(kind, folder, tmp_path):
    plots.use_style(ROOT / "matplotlibrc")
    panel = plots.Panel("VAE", True, {need: folder / need for need in handins.NEEDS[kind]})
    options = {"conditions": [2, 7]} if kind == "condition_embeddings" else {}
    for name in ("a.svg", "b.svg"):
        plots.draw(kind, tmp_path / name, [panel], CLASSES, 90, 40, **options)
    svg = (tmp_path / "a.svg").read_text()
    width, height = (
        float(size) * 25.4 / 72 for size in re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg).groups()
    )
    assert width == pytest.approx(90, abs=0.1) and height == pytest.approx(40, abs=0.1)
    assert svg == (tmp_path / "b.svg").read_text()


def test_every_kind_is_drawn_and_says_what_it_needs():
    assert set(plots.FIGURES) == set(handins.NEEDS)


def test_plots_import_no_torch():
    import subprocess
    import sys

    code = "import sys, latentlab.plots; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# What a reader without one kind of cone sees of linear RGB (Machado, Oliveira & Fernandes 2009, severity 1).
SIGHT = {
    "all": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(linear):
    """CIELAB (D65) of linear sRGB `(n, 3)`."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    ratio = np.clip(linear, 0, 1) @ np.transpose(to_xyz) / [0.95047, 1, 1.08883]
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("sight", SIGHT)
def test_class_colours_differ_for_every_reader(sight):
    from matplotlib import colors

    plots.use_style(ROOT / "matplotlibrc")
    cycle = plots.plt.rcParams["axes.prop_cycle"].by_key()["color"]
    rgb = np.array([colors.to_rgb(colour) for colour in cycle])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = lab(linear @ np.transpose(SIGHT[sight]))
    apart = np.linalg.norm(seen[:, None] - seen, axis=2)[np.triu_indices(10, 1)]
    assert len(seen) == 10 and apart.min() > 15, "CIELAB units; about 2 can just be told apart"


def test_centres_are_medians_and_a_missing_class_has_none():
    codes = np.array([[0, 0], [1, 1], [90, 2], [5, 5.0]])
    found = plots.centres(codes, np.array([0, 0, 0, 2], np.uint8), classes=3)
    assert found[[0, 2]].tolist() == [[1, 1], [5, 5]] and np.isnan(found[1]).all()


def test_the_picture_of_a_posterior_hides_neither_it_nor_the_gaussian():
    x = y = np.linspace(0, 1, 40)
    density = np.ones((40, 40)) * 1e-6
    density[30:, :10] = 1  # the highest z2, so the top, at the left
    gaussian = np.array([0.85, 0.85]), np.array([0.05, 0.05])
    assert plots._emptiest_corner(x, y, density, *gaussian) == (0.02, 0.02)

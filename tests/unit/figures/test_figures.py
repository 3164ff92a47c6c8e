"""Every figure is drawn at the size that its assignment asks for, from planted results of two data sets."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import builders
import matplotlib
import msgspec
import numpy as np
import planted
import pytest
from matplotlib import colors
from matplotlib.figure import Figure

from latentlab.figures.base import FIGURES, class_colours, draw_figure, new_figure, read_pixels, use_style
from latentlab.figures.embeddings import HALO
from latentlab.figures.latent import _set_position_ticks, emptiest_corner
from latentlab.figures.legibility import check_legible
from latentlab.metrics.grids import class_centres
from latentlab.records.assignments import FigureSpec, Panel
from latentlab.records.datasets import DATASETS
from latentlab.records.declarations import figure_declarations
from latentlab.records.metrics import (
    Axes,
    ByClass,
    ClassifierMetrics,
    ConditionGrids,
    Confusion,
    Convergence,
    Coverage,
    Failure,
    FailureMetrics,
    FailureShares,
    Grids,
    InterpolationSmoothness,
    Landmark,
    LatentMetrics,
    MeanStd,
    MethodPredictions,
    Mistake,
    ModelMetrics,
    OODMetrics,
    PCAComparison,
    PlaneMetrics,
    Predictions,
    Projection,
    ProjectionMetrics,
    ReliabilityBin,
    Separation,
    SweepMetrics,
    WorstReconstruction,
)
from latentlab.records.settings import ModelSettings, Settings
from latentlab.runtime.errors import UserError
from latentlab.runtime.files import write_csv, write_npz, write_png

ROOT = Path(__file__).parents[3]
MNIST = DATASETS["MNIST"]
WIDE = msgspec.structs.replace(builders.WIDE, ood_partner="FashionMNIST")
COLOUR = msgspec.structs.replace(builders.COLOUR, ood_partner="FashionMNIST")
SETTINGS = ModelSettings(family="vae")
N_GRID, N_CODES, DIMS = 3, 200, (2, 4)


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    return plant_results(tmp_path_factory.mktemp("mnist"), MNIST)


@pytest.fixture(scope="module")
def wide_folder(tmp_path_factory):
    return plant_results(tmp_path_factory.mktemp("wide"), WIDE)


@pytest.fixture(scope="module")
def colour(tmp_path_factory):
    return plant_results(tmp_path_factory.mktemp("colour"), COLOUR)


@pytest.fixture
def wide(wide_folder, monkeypatch):
    monkeypatch.setitem(DATASETS, WIDE.name, WIDE)
    return wide_folder


@pytest.fixture(autouse=True)
def style():
    with matplotlib.rc_context():
        use_style(ROOT / "matplotlibrc")
        yield


def plant_results(folder, dataset):
    """Every file that some figure reads, with random pixels and numbers."""
    rng = np.random.default_rng(0)
    rows, columns = dataset.size
    channels = (dataset.n_channels,) * (dataset.n_channels > 1)
    n_classes, labels = dataset.n_classes, np.arange(N_CODES) % dataset.n_classes
    n_images = {  # down and across
        "grid": (N_GRID, N_GRID),
        "grid-occupied": (N_GRID, N_GRID),
        "grid-quantiles": (N_GRID, N_GRID),
        "conditions": (N_GRID, 2 * N_GRID),
        "reconstructions": (8, 32),
        "reconstructions_and_samples": (4, 10),
        "restorations": (3, n_classes),
        "strips": (1 + 2 * len(DIMS), 10),
        "failures": (2, 2),
        "mistakes": (1, 3),
        "confusions": (1, 3),
        "worst": (3, 2),
    }
    for name, (down, across) in n_images.items():
        write_png(folder / f"{name}.png", rng.random((down * rows, across * columns, *channels)))

    positions = tuple(np.linspace(-4, 4, N_GRID).tolist())
    axes = Axes(x=positions, y=positions)
    Grids(grid=axes, quantiles=axes, occupied=axes).write(folder / "grids.json")
    ConditionGrids(labels=(0, n_classes - 1), x=positions, y=positions, within_grid=1.0).write(
        folder / "conditions.json"
    )
    FailureMetrics(
        failures=(
            Failure(index=0, z=(0.0, 1.0), kind="unrealistic", realism=0.4, confidence=0.9),
            Failure(index=1, z=(1.0, 0.0), kind="ambiguous", realism=1.2, confidence=0.3),
        ),
        share=FailureShares(unrealistic=0.5, ambiguous=0.5),
        real=FailureShares(unrealistic=0.1, ambiguous=0.1),
        confidence_limit=0.6,
    ).write(folder / "failures.json")
    landmarks = tuple(
        Landmark(row=i, column=i, nearest=i, realism=realism) for i, realism in enumerate((1.2, 1.1, 0.4))
    )
    coverage = Coverage(precision=0.5, class_share=(0.5,) * n_classes, typical=landmarks[:2], unrealistic=landmarks[2:])
    PlaneMetrics(
        grid=coverage,
        occupied=coverage,
        low=-4.0,
        high=4.0,
        within_grid=1.0,
        interpolations=InterpolationSmoothness(
            steps=10, max_step_ratio=1.2, max_step_ratio_interval=(1.1, 1.3), precision=0.5, ends_precision=0.6
        ),
        reconstructions=0.5,
        real=0.9,
    ).write(folder / "plane.json")
    effects = {"effects": rng.normal(size=(2, dataset.n_pixels)), "origin": rng.random(dataset.n_pixels)}
    write_npz(folder / "axis_effects.npz", effects)
    write_npz(folder / "principal_directions.npz", {"pca": rng.normal(size=(2, dataset.n_pixels))})
    posteriors = {
        "axes": np.sort(rng.normal(size=(2, 2, 5))),
        "density": rng.random((2, 5, 5)),
        "mean": np.zeros((2, 2)),
        "std": np.ones((2, 2)),
        "pixels": rng.random((2, dataset.n_pixels)),
        "gap": np.array([0.1, 0.2]),
    }
    write_npz(folder / "posteriors.npz", posteriors)

    codes = {f"{split}_codes": rng.normal(size=(N_CODES, 2)) for split in ("train", "test")}
    write_npz(folder / "codes.npz", codes | {"train_labels": labels, "test_labels": labels})
    points = {name: rng.normal(size=(N_CODES, 2)) for name in ("codes", "pixels")}
    write_npz(folder / "projections.npz", points | {"labels": labels})
    by_class = ByClass(mean=0.0, classes=(0.1,) * n_classes)
    separation = Separation(silhouette=by_class, neighbour_accuracy=by_class)
    projection = Projection(explained=(0.2, 0.1), dimensions=2, between_classes=0.3, plane=separation, full=separation)
    ProjectionMetrics(codes=projection, pixels=projection).write(folder / "projections.json")

    columns_of_history = [
        f"{split}_{term}" for split in ("train", "validation") for term in ("loss", "reconstruction", "kl")
    ]
    write_csv(folder / "history.csv", [{"epoch": i} | dict.fromkeys(columns_of_history, 9 - i) for i in (1, 2)])
    ModelMetrics(
        model="vae",
        dataset=dataset.name,
        seed=0,
        latent_dim=2,
        settings=SETTINGS,
        parameters=1,
        layers=(),
        training=Convergence(best_epoch=2, converged_epoch=1),
        test=planted.losses,
        latents=LatentMetrics(
            std=(1.0, 1.0),
            low=(-2.0, -2.0),
            high=(2.0, 2.0),
            neighbour_accuracy=0.5,
            mutual_information=0.5,
            active_units=2,
            separation=separation,
        ),
        worst=tuple(WorstReconstruction(index=i, label=i, squared_error=0.1) for i in range(2)),
        data="0" * 64,
        weights="0" * 64,
        versions={},
    ).write(folder / "metrics.json")

    spread = MeanStd(mean=(3.0, 2.0), std=(0.1, 0.2))
    names = (
        "squared_error",
        "negative_elbo",
        "reconstruction",
        "kl",
        "active_units",
        "informative_units",
        "validation_loss",
    )
    SweepMetrics(
        model="vae",
        settings=SETTINGS,
        dims=DIMS,
        seeds=2,
        weights=(),
        importance_weighted=spread,
        frechet=spread,
        frechet_real=1.5,
        pca=(4.0, 3.0),
        best_dim=4,
        saturation_dim=2,
        **dict.fromkeys(names, spread),
    ).write(folder / "sweep.json")
    PCAComparison(
        model="planted",
        settings=ModelSettings(family="autoencoder"),
        dims=(2, 900),
        rank=784,
        error=(3.0, 1.0),
        pca=(2.0, 0.0),
        noise=(1.0, 0.0),
        noise_pca=(1.0, 0.0),
        angle=(1.5, None),
        median_angle=(1.0, None),
        next_variance=(0.5, None),
    ).write(folder / "pca_comparison.json")

    bins = (
        ReliabilityBin(share=0.999, confidence=0.9, accuracy=0.8),
        ReliabilityBin(share=0.001, confidence=0.2, accuracy=0.7),
    )
    predictions = Predictions(accuracy=0.8, nll=0.5, ece=0.1, bins=bins)
    method = MethodPredictions(
        accuracy=0.8,
        nll=0.5,
        ece=0.1,
        bins=bins,
        temperature=1.5,
        temperature_scaled=predictions,
        confusion=tuple(map(tuple, np.eye(n_classes, dtype=int).tolist())),
    )
    ClassifierMetrics(
        model="cvae",
        dataset=dataset.name,
        seed=0,
        latent_dim=2,
        settings=SETTINGS,
        methods={"quadrature": method},
        best="quadrature",
        mistakes=tuple(Mistake(index=i, label=0, predicted=n_classes - 1, confidence=0.9) for i in range(3)),
        confusions=(
            Confusion(label=0, answer=1, share=0.2, indices=(3, 4)),
            Confusion(label=1, answer=0, share=0.1, indices=(5,)),
        ),
    ).write(folder / "classifier.json")
    ood = OODMetrics(dataset=dataset.ood_partner, synthetic=False, method="quadrature", auroc=0.9)
    ood.write(folder / "ood.json")
    write_npz(folder / "ood.npz", {split: rng.normal(size=50) for split in ("test", "ood")})
    return folder


def panel_of(name, folder, generative=True):
    files = {file: str(folder / file) for file in FIGURES[name].declaration.inputs}
    return Panel(label="VAE", generative=generative, files=files)


def options_of(name, dataset):
    values = {"split": "test", "points": 10_000, "conditions": [0, dataset.n_classes - 1]}
    return {option: values[option] for option in FIGURES[name].declaration.options}


def spec_of(name, folder, dataset, width=130.0, height=80.0):
    return FigureSpec(
        name=name,
        plot=name,
        panels=(panel_of(name, folder),),
        dataset=dataset,
        width=width,
        height=height,
        options=options_of(name, dataset),
    )


def create(name, folder, dataset, generative=True):
    """The Matplotlib figure itself."""
    panels = [panel_of(name, folder, generative)]
    return FIGURES[name].function(panels, dataset, (90.0, 40.0), **options_of(name, dataset))


def size_of_svg(text):
    """Width and height, millimetres."""
    sizes = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', text).groups()
    return tuple(float(size) * 25.4 / 72 for size in sizes)


def images_of(ax):
    return [np.asarray(image.get_array()) for image in ax.get_images()]


# --- declarations -----------------------------------------------------------------------------------------------------


def test_the_declarations_read_from_the_source_are_those_of_the_registered_figures():
    assert len(FIGURES) == 28
    assert figure_declarations() == {name: registered.declaration for name, registered in FIGURES.items()}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_a_summary_and_takes_each_option_from_a_setting(name):
    declaration = FIGURES[name].declaration
    parameters = list(inspect.signature(FIGURES[name].function).parameters)
    assert declaration.summary and declaration.inputs
    assert parameters == ["panels", "dataset", "size", *declaration.options]
    assert set(declaration.options.values()) <= {field.name for field in msgspec.structs.fields(Settings)}


def test_figures_of_codes_require_a_plane_and_those_of_the_kl_term_a_vae():
    requirements = {name: registered.declaration.requires for name, registered in FIGURES.items()}
    assert {name: requires for name, requires in requirements.items() if requires} == {
        "embeddings": ("plane",),
        "loss_terms": ("generative", "encoder"),
    }


def test_drawing_imports_neither_torch_nor_what_uses_it(mnist, tmp_path):
    names = ["confusion", "sweep_error", "embeddings", "strips", "decoder_map", "history"]
    assert len({FIGURES[name].function.__module__ for name in names}) == len(names)
    for name in names:
        spec_of(name, mnist, MNIST).write(tmp_path / f"{name}.json")
    code = """
import sys
from pathlib import Path
from latentlab.figures.base import draw_figure
from latentlab.records.assignments import FigureSpec
for path in sorted(Path(sys.argv[1]).glob("*.json")):
    draw_figure(FigureSpec.read(path), path.with_suffix(".svg"))
packages = ("torch.", "sklearn.", "latentlab.data.", "latentlab.models.")
print([name for name in sys.modules if f"{name}.".startswith(packages)])
"""
    completed = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.strip() == "[]"
    assert sorted(path.stem for path in tmp_path.glob("*.svg")) == sorted(names)


# --- size and contents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_the_size_of_its_spec_and_equal_bytes_each_time(name, mnist, tmp_path):
    for file in ("a.svg", "b.svg"):
        draw_figure(spec_of(name, mnist, MNIST), tmp_path / file)
    svg = (tmp_path / "a.svg").read_text()
    assert size_of_svg(svg) == pytest.approx((130, 80), abs=0.1)
    assert svg == (tmp_path / "b.svg").read_text()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_can_be_drawn_of_a_data_set_of_another_shape(name, wide, tmp_path):
    draw_figure(spec_of(name, wide, WIDE), tmp_path / "a.svg")
    assert size_of_svg((tmp_path / "a.svg").read_text()) == pytest.approx((130, 80), abs=0.1)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_can_be_drawn_of_colour_images(name, colour, tmp_path):
    draw_figure(spec_of(name, colour, COLOUR), tmp_path / "a.svg")
    assert size_of_svg((tmp_path / "a.svg").read_text()) == pytest.approx((130, 80), abs=0.1)


def test_figures_of_colour_images_show_their_colours(colour):
    pixels = read_pixels(str(colour / "grid.png"))
    assert pixels.shape == (N_GRID * 20, N_GRID * 32, 3)
    (ax,) = create("decoder_map", colour, COLOUR).axes
    assert np.array_equal(images_of(ax)[0], pixels)
    insets = [inset for ax in create("posteriors", colour, COLOUR).axes for inset in ax.child_axes]
    images = np.load(colour / "posteriors.npz")["pixels"].reshape(2, 3, 20, 32)
    assert np.array_equal([images_of(inset)[0] for inset in insets], np.moveaxis(images, 1, -1))


def test_what_an_axis_adds_to_colours_is_grey_where_it_adds_nothing(colour):
    effects = np.load(colour / "axis_effects.npz")["effects"]
    shown = images_of(create("axis_effects", colour, COLOUR).axes[0])[0]
    expected = 0.5 + np.moveaxis(effects[0].reshape(3, 20, 32), 0, -1) / (2 * np.abs(effects).max())
    assert shown == pytest.approx(expected) and shown.min() >= 0 and shown.max() <= 1


@pytest.mark.parametrize(("name", "height"), [("decoder_map", 150), ("sweep", 50), ("sweep_error", 112.5)])
def test_without_a_height_a_figure_has_its_own_proportion(name, height, mnist, tmp_path):
    draw_figure(spec_of(name, mnist, MNIST, width=150.0, height=None), tmp_path / "a.svg")
    assert size_of_svg((tmp_path / "a.svg").read_text()) == pytest.approx((150, height), abs=0.1)


def test_a_decoder_grid_keeps_the_proportion_of_its_images(wide, tmp_path):
    draw_figure(spec_of("decoder_map", wide, WIDE, width=90.0, height=None), tmp_path / "a.svg")
    assert size_of_svg((tmp_path / "a.svg").read_text()) == pytest.approx((90, 90 * 12 / 20), abs=0.1)
    grids = [ax for name in ("decoder_map", "conditions") for ax in create(name, wide, WIDE).axes if ax.get_images()]
    assert len(grids) == 3 and {ax.get_aspect() for ax in grids} == {12 / 20}


def test_rows_of_reconstructions_and_samples_are_named_at_their_middles(wide):
    (ax,) = create("reconstructions_and_samples", wide, WIDE).axes
    assert ax.get_yticks().tolist() == [6, 18, 30, 42]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["input", "output", "sample", "sample"]


def test_strips_are_divided_into_outputs_and_samples_after_whole_images(wide):
    outputs, samples = create("strips", wide, WIDE).axes
    pixels = read_pixels(str(wide / "strips.png"))
    assert np.array_equal(images_of(outputs)[0], pixels[: 12 * 3])
    assert np.array_equal(images_of(samples)[0], np.concatenate([np.ones((12, pixels.shape[1])), pixels[12 * 3 :]]))
    assert outputs.get_yticks().tolist() == samples.get_yticks().tolist() == [6, 18, 30]
    assert [label.get_text() for label in outputs.get_yticklabels()] == ["input", "2", "4"]
    assert [label.get_text() for label in samples.get_yticklabels()] == ["", "2", "4"]


def test_mistakes_are_shown_one_image_each_with_both_class_names(wide):
    axes = [ax for ax in create("mistakes", wide, WIDE).axes if ax.get_images()]
    pixels = read_pixels(str(wide / "mistakes.png"))
    assert np.array_equal(np.concatenate([images_of(ax)[0] for ax in axes], axis=1), pixels)
    assert [ax.get_title() for ax in axes] == ["left\n→ right"] * 3


def test_posteriors_show_their_images_in_the_shape_of_the_data_set(wide):
    pixels = np.load(wide / "posteriors.npz")["pixels"]
    insets = [inset for ax in create("posteriors", wide, WIDE).axes for inset in ax.child_axes]
    assert np.array_equal([images_of(inset)[0] for inset in insets], pixels.reshape(2, 12, 20))


def test_failures_are_named_at_the_middles_of_their_images(wide):
    (ax,) = create("failures", wide, WIDE).axes
    assert ax.get_yticks().tolist() == [6, 18] and ax.get_xticks().tolist() == [10, 30]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1: 0.40", "2: 30%"]


def test_failures_are_framed_in_the_decoder_grid_and_numbered_beside_it(mnist):
    (ax,) = create("failure_map", mnist, MNIST).axes
    assert [patch.get_xy() for patch in ax.patches] == [(1, 1), (1, 1)]  # z = (0, 1) and (1, 0), on a grid of 3 × 3
    assert [text.get_text() for text in ax.texts] == ["1", "2"]
    assert all(text.get_position() == (1.5, 2.1) for text in ax.texts)


def test_a_map_enlarges_the_pictures_that_were_measured(mnist):
    grid_ax, *insets = create("annotated_map", mnist, MNIST).axes
    grid = images_of(grid_ax)[0]
    for i, inset in enumerate(insets):  # planted: row i, column i
        assert (images_of(inset)[0] == grid[28 * i : 28 * (i + 1), 28 * i : 28 * (i + 1)]).all()
    assert [inset.get_title() for inset in insets] == ["1 0", "2 1", "3 not real"]
    assert [patch.get_xy() for patch in grid_ax.patches] == [(0, 2), (1, 1), (2, 0)]  # rows count from the top


def test_ticks_of_a_decoder_grid_are_round_whatever_its_positions_are():
    ax = new_figure((90.0, 90.0), 1).subplots()
    _set_position_ticks(ax, Axes(x=(-10.9, -5.3, 0.3, 5.9), y=(-1.5, -0.5, 0.5, 1.5)))
    assert [text.get_text() for text in ax.get_xticklabels()] == ["−8", "−4", "0", "4"]
    assert ax.get_xticks()[0] == pytest.approx(0.5 + (10.9 - 8) / 5.6)


def test_codes_of_the_labels_have_the_axes_of_their_decoder_grids(mnist):
    axes = create("conditions", mnist, MNIST).axes
    assert [ax.get_title() for ax in axes] == ["label 0", "label 9", "codes of these labels"]
    assert axes[2].get_xlim() == axes[2].get_ylim() == (-6, 6)  # positions −4, 0, 4: each image is 4 wide
    assert [text.get_text() for text in axes[2].get_legend().get_texts()] == ["0", "9"]
    shown = axes[2].collections[0].get_offsets()
    assert len(shown) == 2 * N_CODES // 10


def test_what_each_axis_adds_is_shown_above_the_picture_at_the_origin(mnist):
    arrays = np.load(mnist / "axis_effects.npz")
    first, second, origin = (images_of(ax)[0].ravel() for ax in create("axis_effects", mnist, MNIST).axes)
    assert np.allclose([first, second], arrays["effects"]) and np.allclose(origin, arrays["origin"])


# --- legibility -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([(0.5, 0.5, "small", 5)], "“small” has 5.0 points"),
        ([(0.5, 0.5, "$z_1$", 8)], "has 5.6 points"),
        ([(0.5, 0.5, "first", 8), (0.51, 0.5, "second", 8)], "“first” and “second” overlap"),
        ([(0.99, 0.5, "at the edge", 8)], "“at the edge” is cut off"),
        ([(0.3, 0.5, "two", 8), (0.6, 0.5, "apart", 8), (0.5, 0.8, "$z_1$", 9)], None),
    ],
)
def test_text_that_cannot_be_read_is_refused_with_its_figure(texts, message):
    fig = Figure(figsize=(3, 2))
    for x, y, text, size in texts:
        fig.text(x, y, text, size=size)
    if message:
        with pytest.raises(UserError, match=f"figures.map: .*{message}"):
            check_legible("map", fig)
    else:
        check_legible("map", fig)


@pytest.mark.parametrize("top", np.arange(5.0, 12.0))
@pytest.mark.parametrize("bottom", [-3, -4.7, -6])
def test_text_has_room_whatever_ticks_the_data_ask_for(bottom, top, tmp_path):
    """Some of these layouts would alternate between many and few ticks, and cut off the name of the axis."""
    dataset, panels = builders.COLOUR, []
    for name, (low, high) in {"ae": ((-7, bottom), (7, top)), "vae": ((-3, -3), (4, 4))}.items():
        path = tmp_path / f"{name}.npz"
        write_npz(path, {"test_codes": np.array([low, high, (0, 0)], float), "test_labels": np.arange(3)})
        panels.append(Panel(label=name, generative=name == "vae", files={"codes.npz": str(path)}))
    options = {"split": "test", "points": 3}
    draw_figure(FigureSpec("codes", "embeddings", tuple(panels), dataset, 92, 46, options), tmp_path / "codes.svg")


def test_numbers_that_lie_where_the_data_put_them_may_overlap():
    fig = Figure(figsize=(3, 2))
    fig.text(0.5, 0.5, "1", path_effects=HALO)
    fig.text(0.5, 0.5, "2", bbox={"boxstyle": "circle"})
    fig.text(0.5, 0.5, "3")
    check_legible("map", fig)


def test_likelihoods_are_labelled_with_the_titles_of_both_data_sets(mnist, wide):
    for folder, dataset, title in ((mnist, MNIST, "MNIST"), (wide, WIDE, "Wide images")):
        legend = create("ood_likelihoods", folder, dataset).axes[0].get_legend()
        assert [text.get_text() for text in legend.get_texts()] == [title, "Fashion-MNIST"]


def test_circles_of_the_prior_are_drawn_of_models_with_a_prior_only(mnist):
    for generative, radii in ((True, [1, 2]), (False, [])):
        (ax,) = create("embeddings", mnist, MNIST, generative).axes
        assert [patch.radius for patch in ax.patches] == radii


def test_bins_with_few_predictions_are_left_out_of_the_reliability_diagram(mnist):
    _, *curves = create("reliability", mnist, MNIST).axes[0].get_lines()
    assert [curve.get_xydata().tolist() for curve in curves] == [[[0.9, 0.8]]] * 2
    assert [curve.get_label() for curve in curves] == ["T = 1: ECE 10.0 %", "T = 1.50: ECE 10.0 %"]


# --- colours, centres, insets -----------------------------------------------------------------------------------------

# What a reader without one kind of cone sees of linear RGB (Machado, Oliveira & Fernandes 2009, severity 1).
COLOUR_VISION = {
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


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_class_colours_differ_for_every_reader(vision):
    n_classes = max(dataset.n_classes for dataset in DATASETS.values())
    rgb = np.array([colors.to_rgb(colour) for colour in class_colours(n_classes)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    perceived = lab(linear @ np.transpose(COLOUR_VISION[vision]))
    distances = np.linalg.norm(perceived[:, None] - perceived, axis=2)[np.triu_indices(n_classes, 1)]
    assert n_classes == 10 and distances.min() > 15, "CIELAB units; about 2 can just be told apart"


def test_colours_are_repeated_where_there_are_more_classes_than_colours():
    colours = class_colours(12)
    assert len(set(colours)) == 10 and colours[10:] == colours[:2]


def test_class_centres_are_medians_and_nan_for_a_missing_class():
    codes = np.array([[0, 0], [1, 1], [90, 2], [5, 5.0]])
    centres = class_centres(codes, np.array([0, 0, 0, 2], np.uint8), n_classes=3)
    assert centres[[0, 2]].tolist() == [[1, 1], [5, 5]] and np.isnan(centres[1]).all()


def test_the_image_of_a_posterior_hides_neither_the_density_nor_the_gaussian():
    x = y = np.linspace(0, 1, 40)
    density = np.ones((40, 40)) * 1e-6
    density[30:, :10] = 1  # at high z2 and low z1: the upper left corner
    mean, std = np.array([0.85, 0.85]), np.array([0.05, 0.05])
    assert emptiest_corner(x, y, density, mean, std) == (0.02, 0.02)

"""The explorer in headless Chromium: models with known answers, models that are trained here on MNIST's digits, and
those of the report on published data (`./run report`)."""

import os

import numpy as np
import pytest
import torch
from builders import COLOUR, MNIST, block_images, model_spec
from packed import unpack_model
from pages import (
    canvas_colours,
    canvas_pixels,
    choose,
    choose_model,
    draw_with_mouse,
    wait_until,
    wait_until_idle,
    wait_until_ready,
    write_explorer,
)
from PIL import Image
from projects import ROOT
from ways import Keyboard, Mouse, Pen, Touch

from latentlab.data.fetch import fetch_dataset
from latentlab.data.splits import load_split
from latentlab.metrics.classification import map_over_labels
from latentlab.metrics.latents import encode_splits
from latentlab.metrics.posteriors import posterior_masses
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.families import build_model
from latentlab.models.inference import decode_latents
from latentlab.models.inputs import to_pixels, to_tensors
from latentlab.models.quadrature import LatentGrid, quadrature_log_likelihood
from latentlab.models.train import train_model
from latentlab.records.data import DataRecord

RESULTS = ROOT / "results"
EXPLORER = RESULTS / "explorer.html"
REPORT_MODELS = {"Autoencoder": "lab8-ae-hidden", "VAE": "lab8-vae", "CVAE": "summary-cvae"}  # in the order of the page
WIDE = Mouse.options
SEVEN = [(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)]  # a drawing, as shares of the sides of the pad
MASSES = """() => {
  const { model, inference } = explorer.panels[0];
  const table = explorer.panels[0].tableOf(explorer.state.label);
  return { masses: inference.posterior.masses(), centres: table.centres, step: table.step,
           logLikelihood: inference.posterior.logLikelihood };
}"""
pytestmark = pytest.mark.long


@pytest.fixture
def open_explorer(open_page):
    """Opens a page, by default that of the report."""

    def open_explorer(path=EXPLORER, fragment="", **options):
        page = open_page(path, fragment, **options)
        wait_until_ready(page)
        return page

    return open_explorer


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A CVAE and a VAE of MNIST after short trainings, and their explorer: models, path, test images and labels."""
    folder = tmp_path_factory.mktemp("digits")
    record = fetch_dataset(MNIST, folder / "resources", "local", os.environ["LATENTLAB_DATA"], 5000, 30000)
    splits = {name: to_tensors(*load_split(record, name)) for name in ("train", "validation", "test")}
    few = tuple(part[:1] for part in splits["validation"])
    models = {}
    for label, conditional in (("CVAE", True), ("VAE", False)):
        spec = model_spec(hidden=(256,), conditional=conditional, epochs=6, binarise=True, batch_size=128)
        models[label] = train_model(spec, splits["train"], few)[0]
    images, labels = (part.numpy() for part in splits["test"])
    codes = {label: (model, encode_splits(model, splits)) for label, model in models.items()}
    path = write_explorer(folder / "explorer.html", codes, images, labels)
    return models, path, images, labels


def load_model(name):
    return load_checkpoint(RESULTS / f"models/FashionMNIST/{name}/d2/seed0/weights.safetensors")


def report_images():
    return load_split(DataRecord.read(RESULTS / "data/FashionMNIST.json"), "test")


def planted_page(folder, model, images, labels, codes=None):
    codes = codes or {"test_codes": np.random.default_rng(0).normal(size=(len(images), 2)), "test_labels": labels}
    return write_explorer(folder / "explorer.html", {"Planted": (model, codes)}, images, labels)


# --- arithmetic, against torch and closed forms -----------------------------------------------------------------------


def test_networks_agree_with_torch(open_explorer):
    page, z = open_explorer(), torch.tensor([[0.0, 0.0], [1.5, -0.7], [-3.9, 3.9], [0.1, 2.2], [0.3, 0.4]])
    x = to_pixels(report_images()[0][:3])
    for index, name in enumerate(REPORT_MODELS.values()):
        model = load_model(name)
        for label in (0, 7):
            script = "([i, z, y]) => explorer.decode(explorer.models[i], z, y).map((pixels) => Array.from(pixels))"
            pixels = page.evaluate(script, [index, z.tolist(), label])
            assert np.abs(np.array(pixels) - decode_latents(model, z, label)).max() < 5e-3
            script = (
                "([i, x, y]) => x.map((pixels) => explorer.encode(explorer.models[i], Float32Array.from(pixels), y))"
            )
            codes = page.evaluate(script, [index, x.tolist(), label])
            with torch.no_grad():
                mean, log_var = model.encode(x, torch.full((3,), label))
            assert np.abs(np.array([code["mean"] for code in codes]) - mean.numpy()).max() < 0.05
            if log_var is not None:
                std = np.array([code["std"] for code in codes])
                assert std == pytest.approx((0.5 * log_var).exp().numpy(), rel=0.05)


@pytest.mark.parametrize("conditional", [False, True])
def test_a_decoder_with_fourier_features_agrees_with_torch(open_explorer, conditional, tmp_path):
    torch.manual_seed(0)
    settings = {"hidden": (16,), "fourier_features": 8, "fourier_scale": 3.0, "conditional": conditional}
    model = build_model(model_spec("exact", **settings))
    images, labels = (array.numpy() for array in block_images(60))
    page = open_explorer(planted_page(tmp_path, model, images, labels))
    z = torch.tensor([[0.0, 0.0], [1.5, -0.7], [-2.9, 2.9]])
    script = "([z, y]) => explorer.decode(explorer.models[0], z, y).map((pixels) => Array.from(pixels))"
    pixels = np.array(page.evaluate(script, [z.tolist(), 7]))
    assert page.locator("#modes-note").is_visible() and page.locator("#density-note").is_hidden()
    assert np.abs(pixels - decode_latents(model, z, 7)).max() < 5e-3


def test_the_posterior_of_a_linear_gaussian_model_is_that_in_closed_form(open_explorer, tmp_path):
    """The decoder paints z on the pixels: p(z|x) is a Gaussian whose moments are known, and so is p(x)."""
    torch.manual_seed(0)
    spec = model_spec("exact", hidden=(), likelihood="gaussian", output="linear", sigma=0.3, image_shape=(2, 3))
    model = build_model(spec)
    with torch.no_grad():
        model.decoder[0].weight.copy_(
            torch.tensor([[0.3, 0.0], [0.0, 0.3], [0.2, 0.2], [0.0, 0.0], [0.1, -0.3], [0, 0]])
        )
        model.decoder[0].bias.copy_(torch.tensor([0.5, 0.5, 0.4, 0.1, 0.5, 0.9]))
        w, bias = model.decoder[0].weight.double(), model.decoder[0].bias.double()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (60, 2, 3), dtype=np.uint8)
    page = open_explorer(planted_page(tmp_path, model, images, np.arange(60) % 10))
    for index in (0, 7):
        page.evaluate("index => explorer.takeTestImage(index)", index)
        wait_until_idle(page)
        found = page.evaluate(MASSES)
        x = torch.tensor(images[index]).flatten().double() / 255
        covariance = torch.linalg.inv(torch.eye(2) + w.T @ w / 0.09)
        mean = covariance @ w.T @ (x - bias) / 0.09
        masses = np.array([found["masses"][str(i)] for i in range(len(found["centres"]))])
        assert masses.sum() == pytest.approx(1) and masses @ np.array(found["centres"]) == pytest.approx(mean, abs=5e-3)
        marginal = torch.distributions.MultivariateNormal(bias, w @ w.T + 0.09 * torch.eye(6))
        assert found["logLikelihood"] == pytest.approx(marginal.log_prob(x).item(), abs=0.01)


def test_colour_images_keep_their_colours_their_shape_and_their_posteriors(open_explorer, tmp_path):
    """Of 20 by 32 pixels: as they are shown, as what is decoded, and as what is inferred of them."""
    torch.manual_seed(0)
    model = build_model(model_spec("exact", hidden=(16,), image_shape=COLOUR.image_shape, n_classes=3))
    with torch.no_grad():
        model.decoder[-1].weight *= 6
    images = np.random.default_rng(0).integers(0, 256, (60, *COLOUR.image_shape), dtype=np.uint8)
    page = open_explorer(planted_page(tmp_path, model, images, np.arange(60) % 3), **WIDE)
    page.evaluate("explorer.takeTestImage(4)")
    wait_until_idle(page)
    assert (canvas_colours(page, "#seen") == np.moveaxis(images[4], 0, -1)).all()
    z = page.evaluate("explorer.panels[0].z")
    decoded = decode_latents(model, torch.tensor([z]).float()).reshape(COLOUR.image_shape)
    assert canvas_colours(page, ".decoded") == pytest.approx(np.moveaxis(decoded, 0, -1) * 255, abs=2)
    x = to_pixels(images[4:5])
    expected = quadrature_log_likelihood(model, x, None, LatentGrid(0.0125, 7.0))
    assert page.evaluate(MASSES)["logLikelihood"] == pytest.approx(expected.item(), abs=0.1)
    assert page.locator("label:has(#centred)").is_hidden()
    box = page.locator("#pad").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(32 / 20, rel=0.02)
    draw_with_mouse(page, [(16.5 / 32, 4.5 / 20), (16.6 / 32, 4.5 / 20)])
    wait_until_idle(page)
    assert (canvas_colours(page, "#seen")[4, 16] == 255).all() and (canvas_colours(page, "#seen")[4, 25] < 255).any()


def test_sharp_posteriors_are_found_between_the_centres_of_cells(open_explorer, tmp_path):
    """A decoder whose pixels change over short distances, so that an image has several narrow modes."""
    torch.manual_seed(0)
    model = build_model(model_spec("exact", hidden=(64,), fourier_features=32, fourier_scale=3.0))
    with torch.no_grad():
        model.decoder[-1].weight *= 20
        z = torch.tensor([[0.613, -0.417], [-1.234, 0.777], [2.05, 1.151]])
        images = (torch.rand(60, 784) < torch.sigmoid(model.decode(z.repeat(20, 1)))).to(torch.uint8).view(
            -1, 28, 28
        ) * 255
    images[1, 10:] = 0  # and one of which a part is hidden
    page = open_explorer(planted_page(tmp_path, model, images.numpy(), np.arange(60) % 10))
    for index in range(3):
        page.evaluate("index => explorer.takeTestImage(index)", index)
        wait_until_idle(page)
        found = page.evaluate(MASSES)
        x = to_pixels(images[index : index + 1])[0]
        positions, masses, _ = posterior_masses(model, x, None, LatentGrid(0.00625, 7.0))
        assert max(found["masses"].values()) > 0.2  # most of it lies in a few cells
        assert total_variation(found, positions, masses) < 1e-2


def test_updates_of_a_few_pixels_add_up(open_explorer, digits):
    models, path, images, _ = digits
    page = open_explorer(path)
    script = """async (images) => {
      const table = new explorer.LogLikelihoods(explorer.models[1], 0);
      for (const _ of table.decodePlane());
      images.forEach((pixels) => table.update(Float32Array.from(pixels)));
      return { centres: table.centres, values: Array.from(table.values) };
    }"""
    steps = [to_pixels(images[:1])[0]]
    for row in range(0, 28, 3):  # wiped out in strips
        steps.append(steps[-1].clone())
        steps[-1].view(28, 28)[row : row + 3] = 0.5
    found = page.evaluate(script, [step.tolist() for step in steps])
    z, model = torch.tensor(found["centres"]), models["VAE"]
    with torch.no_grad():
        expected = model.likelihood.log_prob(steps[-1].expand(len(z), -1), model.decode(z)).numpy()
    assert np.array(found["values"]) == pytest.approx(expected, rel=3e-4)  # the error of the packing alone


def test_drawings_are_scaled_and_centred_as_digits_are(open_explorer, digits):
    _, path, images, _ = digits
    page = open_explorer(path)
    script = "pixels => Array.from(explorer.centreAndScale(Uint8Array.from(pixels), [28, 28]))"
    drawing = np.zeros((28, 28), np.uint8)
    drawing[1:27, 2:6] = 255  # a bar of 26 by 4 pixels becomes one of 20 by 3
    scaled = np.array(page.evaluate(script, drawing.flatten().tolist())).reshape(28, 28)
    rows, columns = np.flatnonzero(scaled.any(axis=1)), np.flatnonzero(scaled.any(axis=0))
    assert len(rows) == 20 and len(columns) == 3 and scaled[rows[2], columns[1]] == 255
    assert rows.mean() == pytest.approx(14, abs=0.5) and columns.mean() == pytest.approx(14, abs=0.5)
    assert not any(page.evaluate(script, [0] * 784))
    for image in images[:20]:  # which were scaled already
        again = np.array(page.evaluate(script, image.flatten().tolist()))
        assert np.abs(again - image.flatten()).mean() < 12


# --- what is inferred, on real data -----------------------------------------------------------------------------------


def total_variation(found, z, masses):
    """Between the masses of the page's cells and those of `posterior_masses`, counted in the same cells."""
    counted = {}
    for cell, mass in zip(map(tuple, np.floor(z.numpy() / found["step"]).astype(int)), masses.tolist(), strict=True):
        counted[cell] = counted.get(cell, 0.0) + mass
    cells = map(tuple, np.floor(np.array(found["centres"]) / found["step"]).astype(int))
    own = {cell: found["masses"].get(str(i), 0.0) for i, cell in enumerate(cells)}
    return sum(abs(own.get(cell, 0.0) - counted.get(cell, 0.0)) for cell in own | counted) / 2


@pytest.mark.parametrize("name", ["VAE", "CVAE"])
def test_posteriors_of_whole_and_half_occluded_images_are_those_of_the_library(open_explorer, name):
    page, model = open_explorer(**WIDE), load_model(REPORT_MODELS[name])
    images, labels = report_images()
    choose_model(page, name)
    for index, is_occluded in ((0, False), (0, True), (12, True), (23, True)):
        page.locator("#index").fill(str(index + 1))
        page.locator("#index").press("Enter")
        image = images[index].copy()
        if is_occluded:
            choose(page, "black")
            choose(page, "wide")
            page.locator("#pad").scroll_into_view_if_needed()
            for y in np.linspace(0.64, 0.96, 4):
                draw_with_mouse(page, [(0.02, y), (0.98, y)])
            image = np.array(page.evaluate("Array.from(explorer.drawing.pixels)"), np.uint8).reshape(28, 28)
            assert (image[:13] == images[index][:13]).all() and not image[16:].any()
        if model.conditional:
            page.locator("#panel-0 .labels input").nth(labels[index]).check(force=True)
        wait_until_idle(page)
        found = page.evaluate(MASSES)
        x, y = to_pixels(image[None])[0], torch.tensor(int(labels[index]))
        z, masses, log_likelihood = posterior_masses(model, x, y, LatentGrid(0.0125, 5.0))
        assert total_variation(found, z, masses) < 1e-2
        assert found["logLikelihood"] == pytest.approx(log_likelihood.item(), abs=0.1)


def test_log_likelihoods_are_those_of_the_library(open_explorer, digits):
    models, path, images, _ = digits
    page, model = open_explorer(path), models["VAE"]
    choose_model(page, "VAE")
    differences = []
    for index in range(12):
        page.evaluate("index => explorer.takeTestImage(index)", index)
        wait_until_idle(page)
        found = page.evaluate(MASSES)["logLikelihood"]
        x = to_pixels(images[index : index + 1])
        differences.append(found - quadrature_log_likelihood(model, x, None, LatentGrid(0.0125, 7.0)).item())
    assert np.abs(differences).max() < 0.01 + 0.01  # of the packing, and of the page's integration


def sums_over_the_plane(model, x, y):
    """log p(x|y) but for a constant, by one sum for all images, so that models are compared on the same positions."""
    z, totals = torch.cartesian_prod(*[torch.linspace(-5, 5, 201)] * 2), torch.zeros(len(x))
    with torch.no_grad():
        for label in range(10):
            output = model.decode(z, torch.full((len(z),), label))
            log_joint = (
                model.likelihood.log_prob_matrix(x[y == label], model.likelihood.position_terms(output))
                - z.square().sum(1) / 2
            )
            totals[y == label] = log_joint.logsumexp(dim=1)
    return totals


@pytest.mark.parametrize("name", ["VAE", "CVAE"])
def test_the_packing_changes_log_p_of_no_image_by_a_hundredth(digits, name):
    models, path, images, labels = digits
    x, y = to_pixels(images[:300]), torch.tensor(labels[:300])
    occluded = x.clone()
    occluded[:, 14 * 28 :] = 0
    x, y = torch.cat([x, occluded]), y.repeat(2)
    packed = unpack_model(models[name], path)
    change = (sums_over_the_plane(packed, x, y) - sums_over_the_plane(models[name], x, y)).abs()
    assert 0 < change.max() < 0.01


# --- everything by mouse, by pen, by touch and by keyboard alone ------------------------------------------------------


@pytest.fixture(params=[Mouse, Pen, Touch, Keyboard], ids=lambda way: way.__name__.lower())
def way(request, open_explorer, digits):
    return request.param(open_explorer(digits[1], **request.param.options))


def pad_pixels(page):
    return np.array(page.evaluate("Array.from(explorer.drawing.pixels)")).reshape(28, 28)


def test_a_drawn_7_is_a_7_by_bayes_rule(way, digits):
    page, models = way.page, digits[0]
    way.press("#clear")
    assert page.evaluate("explorer.drawing.isEmpty") and page.locator("#centred").is_checked()
    way.draw(SEVEN)
    wait_until_idle(page)
    probabilities = page.evaluate("explorer.panels[0].inference.probabilities")
    assert np.argmax(probabilities) == 7 and page.evaluate("explorer.state.label") == 7
    x = torch.tensor([page.evaluate("Array.from(explorer.pixels())")])
    grid = LatentGrid(0.025, 7.0)
    log_joint = map_over_labels(lambda x, y: quadrature_log_likelihood(models["CVAE"], x, y, grid), x, 10)[0]
    assert probabilities == pytest.approx(torch.softmax(log_joint, 0).tolist(), abs=0.01)
    assert "Most probable label: 7" in page.locator("#panel-0 .inference").inner_text()


def test_what_is_drawn_is_erased_undone_and_cleared(way, digits):
    page, whole = way.page, digits[2][0]
    way.press("input[name=tool][value=eraser]")
    way.draw([(0.1, 0.6), (0.9, 0.6)])
    erased = pad_pixels(page)
    assert erased.sum() < whole.sum() and not page.locator("#centred").is_checked()
    way.press("#clear")
    assert page.evaluate("explorer.drawing.isEmpty")
    wait_until(page, "() => explorer.pixels() === null && explorer.panels[0].inference === null")
    way.press("#undo")
    assert (pad_pixels(page) == erased).all()
    way.press("#undo")
    assert (pad_pixels(page) == whole).all() and page.evaluate("explorer.state.image") == 0
    way.press("input[name=tool][value=pen]")
    way.draw([(0.1, 0.1), (0.2, 0.1)])
    assert pad_pixels(page).sum() > whole.sum()
    way.press("#centred")
    wait_until(
        page, "() => explorer.drawing.pixels.some((value, i) => value !== Math.round(255 * explorer.pixels()[i]))"
    )


def test_half_of_a_test_image_is_occluded(way, digits):
    page, (models, _, images, _) = way.page, digits
    way.take_test_image()
    index = page.evaluate("explorer.state.image")
    assert index > 0 and (pad_pixels(page) == images[index]).all()
    way.press("input[name=tool][value=eraser]")
    way.press("input[name=width][value=wide]")
    for y in np.linspace(0.64, 0.96, 4):
        way.draw([(0.02, y), (0.98, y)])
    occluded = pad_pixels(page)
    assert (occluded[:13] == images[index][:13]).all() and not occluded[16:].any() and images[index][16:].any()
    wait_until_idle(page)
    found, label = page.evaluate(MASSES), torch.tensor(page.evaluate("explorer.state.label"))
    x = to_pixels(occluded.astype(np.uint8)[None])[0]
    z, masses, _ = posterior_masses(models["CVAE"], x, label, LatentGrid(0.0125, 7.0))
    assert total_variation(found, z, masses) < 1e-2


def test_planes_models_labels_and_positions_are_chosen(way):
    page = way.page
    way.press("input[name=planes][value='2']")
    assert page.locator("#panel-1").is_visible()
    way.choose_model("CVAE", panel=1)
    way.choose_model("VAE", panel=0)
    assert page.evaluate("explorer.panels.map(({ model }) => model.label)") == ["VAE", "CVAE"]
    wait_until_idle(page)
    likely = page.evaluate("explorer.state.label")
    other = (likely + 1) % 10
    way.press(f"#panel-1 .labels input[value='{other}']")
    assert page.evaluate("explorer.state.label") == other and not page.locator("#follow").is_checked()
    way.press("#follow")
    wait_until(page, "label => explorer.state.label === label", likely)
    before = page.evaluate("explorer.panels.map(({ z }) => z)")
    way.move(panel=0)
    after = page.evaluate("explorer.panels.map(({ z }) => z)")
    assert after[0][0] > before[0][0] and after[0][1] > before[0][1] and after[1] != before[1]
    way.press("input[name=planes][value='1']")
    assert page.locator("#panel-1").is_hidden()


def test_a_path_is_drawn_in_both_planes_beside_the_fade(way):
    page = way.page
    way.press("input[name=planes][value='2']")
    way.draw_line(panel=0)
    assert page.evaluate("explorer.panels.every(({ line }) => line.length === 2)")
    for canvas in ("#steps-0", "#steps-1", "#fade"):
        assert page.locator(canvas).is_visible() and canvas_pixels(page, canvas).max() > 100
    plays = page.evaluate("explorer.state.playing")
    assert plays is not isinstance(way, Keyboard)  # where motion is reduced, it plays only if asked to
    way.press("#play")
    assert page.evaluate("explorer.state.playing") is not plays
    way.press("#clear-line")
    assert page.locator("#line").is_hidden() and not page.evaluate("explorer.state.playing")


def test_a_view_is_linked_to_and_saved(way, open_explorer, digits, tmp_path):
    page = way.page
    way.press("#clear")
    way.draw(SEVEN)
    wait_until_idle(page)
    way.press("#link")
    wait_until(page, "() => location.hash.length > 1")
    other = open_explorer(digits[1], page.evaluate("location.hash"), **way.options)
    wait_until_idle(other)
    assert (pad_pixels(other) == pad_pixels(page)).all() and other.evaluate("explorer.state.label") == 7
    with page.expect_download() as download:
        way.press("#save")
    download.value.save_as(tmp_path / "saved.png")
    picture = np.array(Image.open(tmp_path / "saved.png").convert("RGB"))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500


# --- moving, lines and two planes -------------------------------------------------------------------------------------


def test_moving_the_mouse_decodes_the_position_below_it(open_explorer):
    page = open_explorer(**WIDE)
    choose_model(page, "VAE")
    box = page.locator("#panel-0 .marks").bounding_box()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    wait_until(page, "() => explorer.panels[0].z[0] > 0.5 && explorer.panels[0].z[1] > 0.5")
    wait_until_idle(page)
    z = page.evaluate("explorer.panels[0].z")
    expected = decode_latents(load_model("lab8-vae"), torch.tensor([z]))[0] * 255
    assert np.abs(canvas_pixels(page, "#panel-0 .decoded") - expected).max() < 1.5


def test_the_nearest_dot_shows_its_test_image_and_puts_it_on_the_pad(open_explorer):
    page = open_explorer()
    images, labels = report_images()
    page.evaluate("explorer.moveTo(explorer.models[0].codes[123])")
    wait_until_idle(page)
    index = int(page.locator("#nearest").inner_text().split(",")[0].split()[-1]) - 1
    assert canvas_pixels(page, "#nearest-image").tolist() == images[index].flatten().tolist()
    assert page.evaluate("explorer.models[0].labels[123]") == labels[123]
    page.get_by_role("button", name="Take the nearest test image").click()
    assert page.evaluate("Array.from(explorer.drawing.pixels)") == images[index].flatten().tolist()
    assert page.locator("#index").input_value() == str(index + 1)


def test_a_dragged_line_plays_between_two_test_images(open_explorer):
    page = open_explorer(**WIDE)
    draw_with_mouse(page, [(0.4, 0.4), (0.6, 0.6)], "#panel-0 .marks")
    before = page.evaluate("explorer.panels[0].z")
    assert page.locator("#line").is_visible() and canvas_pixels(page, "#steps-0").max() > 100
    wait_until(page, "z => explorer.panels[0].z[0] !== z[0]", before)  # it plays
    page.get_by_role("button", name="Stop").click()
    page.locator("#clear-line").click()
    assert not page.locator("#line").is_visible()


def test_a_line_in_two_planes_has_the_same_ends_as_the_fade_of_the_pixels(open_explorer):
    page = open_explorer(**WIDE)
    images, _ = report_images()
    choose(page, "two")
    choose_model(page, "VAE", panel=1)
    page.evaluate("explorer.setLine([3, 8])")
    wait_until_idle(page)
    codes = page.evaluate("explorer.panels.map(({ model }) => [model.codes[3], model.codes[8]])")
    assert page.evaluate("explorer.panels.map(({ line }) => line)") == codes
    fade = canvas_pixels(page, "#fade").reshape(28, 9, 28).swapaxes(0, 1)
    assert (fade[0] == images[3]).all() and (fade[-1] == images[8]).all()
    assert np.abs(fade[4] - (images[3] / 2 + images[8] / 2)).max() <= 1
    for panel, name in enumerate(["lab8-ae-hidden", "lab8-vae"]):
        steps = canvas_pixels(page, f"#steps-{panel}").reshape(28, 9, 28).swapaxes(0, 1).reshape(9, -1)
        z = np.linspace(*codes[panel], 9, dtype=np.float32)
        assert np.abs(steps - 255 * decode_latents(load_model(name), z)).max() < 2
        assert page.locator(f"#row-name-{panel}").inner_text().endswith(["Autoencoder", "VAE"][panel])


def test_the_other_plane_follows_to_the_code_of_what_is_decoded(open_explorer):
    page = open_explorer(**WIDE)
    choose_model(page, "VAE")  # which the second plane shows, too, once it is shown
    choose_model(page, "Autoencoder")
    choose(page, "two")
    page.evaluate("explorer.moveTo([3, -2], explorer.panels[0])")
    wait_until_idle(page)
    model = load_model("lab8-vae")
    x = torch.tensor(decode_latents(load_model("lab8-ae-hidden"), torch.tensor([[3.0, -2.0]])))
    with torch.no_grad():
        mean = model.encode(x)[0][0].numpy()
    assert page.evaluate("explorer.panels[1].z") == pytest.approx(mean, abs=0.05)


def test_with_reduced_motion_a_line_does_not_play(open_explorer):
    page = open_explorer(reduced_motion="reduce")
    draw_with_mouse(page, [(0.4, 0.4), (0.5, 0.5)], "#panel-0 .marks")
    assert page.locator("#line").is_visible() and not page.evaluate("explorer.state.playing")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_everything_works_with_the_keyboard(open_explorer):
    page = open_explorer()
    reached = []
    for _ in range(40):  # every control, one after the other
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.className || document.activeElement.name"
            )
        )
    controls = {"link", "save", "model-0", "marks saved", "pad", "undo", "clear", "index", "centred", "use-nearest"}
    assert controls <= set(reached)
    page.locator("input[name=planes]").first.focus()
    press(page, "ArrowRight")
    assert page.locator("#panel-1").is_visible()
    page.locator("#model-0").focus()
    press(page, "ArrowDown", "ArrowDown")
    assert page.evaluate("explorer.panels[0].model.conditional")
    page.locator("#panel-0 .marks").focus()
    press(page, "Enter", "ArrowRight", "ArrowUp", "Shift+ArrowUp")
    x, y = page.evaluate("explorer.panels[0].z")
    assert 0 < x < y / 5
    press(page, "Enter")
    assert page.locator("#line").is_visible()
    press(page, "Escape")
    assert not page.locator("#line").is_visible()
    press(page, "7", "n")
    wait_until(page, "() => document.getElementById('status').textContent.includes('decoded as sneaker')")
    assert "sneaker" in page.locator("#nearest").inner_text()
    index = int(page.locator("#nearest").get_attribute("data-index"))
    press(page, "i")
    assert page.evaluate("explorer.state.image") == index
    page.locator("#pad").focus()
    before = page.evaluate("Array.from(explorer.drawing.pixels)")
    press(page, "e", "w", "Space", "Shift+ArrowRight", "Space")  # black and wide
    assert sum(page.evaluate("Array.from(explorer.drawing.pixels)")) < sum(before)
    press(page, "Control+z")
    assert page.evaluate("Array.from(explorer.drawing.pixels)") == before
    page.locator("#link").focus()
    press(page, "Enter")
    wait_until(page, "() => location.hash.length > 1")


def test_a_conditional_model_shows_all_labels_at_one_position(open_explorer):
    page = open_explorer()
    choose_model(page, "CVAE")
    wait_until_idle(page)
    pictures = [canvas_pixels(page, f"#panel-0 .labels label:nth-of-type({i + 1}) canvas") for i in range(10)]
    assert len({tuple(picture) for picture in pictures}) == 10
    page.locator("#panel-0 .labels label").filter(has_text="bag").click()
    wait_until_idle(page)
    assert (canvas_pixels(page, "#panel-0 .decoded") == pictures[8]).all()
    assert not page.locator("#follow").is_checked()


def test_a_finger_moves_and_draws_a_line_on_a_narrow_screen(open_explorer):
    page = open_explorer(**Touch.options)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    before = page.evaluate("explorer.panels[0].z")
    Touch(page).trace("#panel-0 .marks", [(0.3, 0.3), (0.7, 0.7)])
    assert page.evaluate("explorer.panels[0].z") != before and not page.locator("#line").is_visible()
    page.locator("#draw").check(force=True)
    Touch(page).trace("#panel-0 .marks", [(0.3, 0.3), (0.7, 0.7)])
    assert page.locator("#line").is_visible()
    choose(page, "two")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


# --- links and files --------------------------------------------------------------------------------------------------

VIEW = """() => {
  const { panels, state, drawing } = explorer;
  return [panels.filter((panel) => panel.isShown).map(({ model, z, line }) => [model.label, z, line]), state.label,
          state.image, Array.from(drawing.pixels), document.getElementById("centred").checked,
          panels.indexOf(state.active)];
}"""


def test_a_link_restores_the_view(open_explorer):
    page = open_explorer(**WIDE)
    choose(page, "two")
    choose_model(page, "VAE")
    choose_model(page, "CVAE", panel=1)
    page.evaluate("explorer.setLine([5, [0.5, -1.25]])")
    page.locator("#clear").click()
    draw_with_mouse(page, SEVEN)
    page.locator("#panel-1 .labels label").filter(has_text="coat").click()
    page.evaluate("explorer.moveTo([0.25, -0.5], explorer.panels[0])")
    wait_until_idle(page)
    page.locator("#link").click()
    wait_until(page, "() => location.hash.length > 1")
    fragment, view = page.evaluate("location.hash"), page.evaluate(VIEW)
    assert len(fragment) < 1000
    other = open_explorer(fragment=fragment, **WIDE)
    wait_until_idle(other)
    restored = other.evaluate(VIEW)
    assert restored[1:] == view[1:]
    for (name, z, line), (other_name, other_z, other_line) in zip(view[0], restored[0], strict=True):
        assert name == other_name and other_z == pytest.approx(z, abs=1e-3)
        assert np.array(other_line) == pytest.approx(np.array(line), abs=1e-3)


@pytest.mark.parametrize(
    "fragment",
    [
        "#",
        "#model=<script>alert(1)</script>&z=1;alert(1)&label=99&image=0&end=1&centred",
        "#drawing=%00&plane=7&z=NaN,Infinity&label=-1&end=1,2&end=x",
        "#drawing=" + "A" * 5000,
        "#drawing=AAAA&image=2001&model=VAE&model=VAE&model=VAE&plane=2",
        "#%E0%A4%A",
    ],
)
def test_malformed_links_are_ignored(open_explorer, fragment):
    page = open_explorer(fragment=fragment, **WIDE)
    wait_until_idle(page)
    assert page.evaluate("explorer.state.image") == 0 and not page.locator("#line").is_visible()
    assert all(np.isfinite(page.evaluate("explorer.panels[0].z")))


def test_the_view_is_saved_as_a_picture(open_explorer, tmp_path):
    page = open_explorer(**WIDE)
    choose(page, "two")
    page.evaluate("explorer.setLine([3, 8])")
    wait_until_idle(page)
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "latent-planes.png"
    download.value.save_as(tmp_path / "saved.png")
    picture = np.array(Image.open(tmp_path / "saved.png").convert("RGB"))
    assert picture.shape[1] > 2000 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 500


def test_the_page_is_one_small_file():
    assert EXPLORER.stat().st_size < 6_000_000

"""The report and its explorer on published data (`./run report`), in headless Chromium."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from builders import block_images, model_spec
from PIL import Image
from projects import CHROMIUM, ROOT

from latentlab.data.splits import load_split
from latentlab.explorer.export import describe_model, render_explorer
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.families import build_model
from latentlab.models.inference import decode_latents
from latentlab.records.data import DataRecord

RESULTS = ROOT / "results"
EXPLORER = RESULTS / "explorer.html"
MODELS = ["lab8-ae-hidden", "lab8-vae", "summary-cvae"]  # model configs of assignment summary, in the order of the page
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("name", ["report.html", "explorer.html"])
def test_axe_finds_nothing(browser, name, width, scheme):
    """The rules of axe-core for everyone: names, roles, landmarks, contrast. It is put into the page, whose content
    security policy would forbid that."""
    viewport = {"width": width, "height": 900}
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport=viewport)
    page = context.new_page()
    page.goto((RESULTS / name).as_uri())
    if name == "explorer.html":
        wait_until(page, "() => Boolean(globalThis.explorer)")
    found = Axe().run(page).response["violations"]
    context.close()
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


@pytest.fixture
def open_explorer(browser):
    """Opens the page. Any request, message in the console or error fails the test."""
    events, contexts = [], []

    def open_explorer(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: events.append(message.text))
        page.on("pageerror", lambda error: events.append(str(error)))
        page.on("request", lambda request: request.url.startswith("data:") or events.append(request.url))
        page.goto(EXPLORER.as_uri())
        wait_until(page, "() => Boolean(globalThis.explorer)")
        return page

    yield open_explorer
    for context in contexts:
        context.close()
    assert set(events) <= {EXPLORER.as_uri()}


def wait_until(page, script, *arguments):
    """Wait until `script` returns a true value. Playwright's own function evaluates a string inside the page, which the
    content security policy of the page forbids."""
    for _ in range(200):
        if page.evaluate(script, *arguments):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {script}")


def choose(page, name):
    page.get_by_role("radio", name=name, exact=True).check(force=True)


def canvas_pixels(page, canvas):
    """The pixels of a canvas, 0 to 255, (n,)."""
    url = page.evaluate("id => document.getElementById(id).toDataURL()", canvas)
    return np.array(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("L")).flatten().astype(int)


def drag_mouse(page, start, end, steps=1):
    """Drag the mouse over the plane, between two positions in CSS pixels from its top left corner."""
    box = page.locator("#marks").bounding_box()
    page.mouse.move(box["x"] + start, box["y"] + start)
    page.mouse.down()
    page.mouse.move(box["x"] + end, box["y"] + end, steps=steps)
    page.mouse.up()


def load_model(name):
    return load_checkpoint(RESULTS / f"models/FashionMNIST/{name}/d2/seed0/weights.safetensors")


def test_the_page_is_small_and_the_report_links_to_it():
    assert EXPLORER.stat().st_size < 6_000_000
    assert 'href="explorer.html"' in (RESULTS / "report.html").read_text()


def test_the_browser_accepts_the_fonts_of_the_report(browser):
    page, messages = browser.new_page(), []
    page.on("console", lambda message: messages.append(message.text))
    page.goto((RESULTS / "report.html").as_uri())
    script = "async () => { await document.fonts.ready; return [...document.fonts].map((font) => font.status) }"
    statuses = set(page.evaluate(script))
    assert "loaded" in statuses and statuses <= {"loaded", "unloaded"} and not messages
    page.close()


def test_the_decoders_agree_with_torch(open_explorer):
    page, z = open_explorer(), torch.tensor([[0.0, 0.0], [1.5, -0.7], [-3.9, 3.9], [0.1, 2.2]])
    for index, name in enumerate(MODELS):
        model = load_model(name)
        for label in (0, 7):
            script = "([i, z, y]) => z.map((point) => Array.from(explorer.decode(explorer.models[i], point, y)))"
            pixels = page.evaluate(script, [index, z.tolist(), label])
            assert np.abs(np.array(pixels) - decode_latents(model, z, label)).max() < 1e-3


@pytest.mark.parametrize("conditional", [False, True])
def test_a_decoder_with_fourier_features_agrees_with_torch(browser, conditional, tmp_path):
    torch.manual_seed(0)
    settings = {"hidden": (16,), "fourier_features": 8, "fourier_scale": 3.0, "conditional": conditional}
    model = build_model(model_spec("exact", **settings))
    images, labels = (array.numpy() for array in block_images(60))
    codes = {"test_codes": np.random.default_rng(0).normal(size=(60, 2)), "test_labels": labels}
    described = describe_model(model, "Exact", codes, weights="0" * 64)
    about = {
        "title": "",
        "dataset": "MNIST",
        "synthetic": True,
        "preview": False,
        "data": "",
        "version": "",
        "commit": "",
    }
    page_file, classes = tmp_path / "explorer.html", [str(label) for label in range(10)]
    style, folder = ROOT / "matplotlibrc", ROOT / "templates/explorer"
    page_file.write_text(render_explorer(folder, [described], images, labels, classes, style, about))
    page = browser.new_page()
    page.goto(page_file.as_uri())
    wait_until(page, "() => Boolean(globalThis.explorer)")
    z = torch.tensor([[0.0, 0.0], [1.5, -0.7], [-2.9, 2.9]])
    script = "([z, y]) => z.map((point) => Array.from(explorer.decode(explorer.models[0], point, y)))"
    pixels = np.array(page.evaluate(script, [z.tolist(), 7]))
    assert page.locator("#modes-note").is_visible() and page.locator("#density-note").is_hidden()
    page.close()
    assert np.abs(pixels - decode_latents(model, z, 7)).max() < 1e-3


def test_moving_the_mouse_decodes_the_position_below_it(open_explorer):
    page = open_explorer(viewport={"width": 1280, "height": 900})
    choose(page, "VAE")
    box = page.locator("#marks").bounding_box()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    wait_until(page, "() => explorer.state.z[0] > 0.5 && explorer.state.z[1] > 0.5")
    wait_until(page, "() => explorer.idle()")
    z = page.evaluate("explorer.state.z")
    expected = decode_latents(load_model("lab8-vae"), torch.tensor([z]))[0] * 255
    assert np.abs(canvas_pixels(page, "decoded") - expected).max() < 1.5


def test_the_nearest_dot_shows_its_test_image(open_explorer):
    page = open_explorer()
    images, labels = load_split(DataRecord.read(RESULTS / "data/FashionMNIST.json"), "test")
    page.evaluate("explorer.moveTo(explorer.models[0].codes[123])")
    wait_until(page, "() => explorer.idle()")
    index = int(page.locator("#nearest").inner_text().split(",")[0].split()[-1]) - 1
    assert canvas_pixels(page, "image").tolist() == images[index].flatten().tolist()
    assert page.evaluate("explorer.models[0].labels[123]") == labels[123]


def test_a_dragged_line_plays_between_two_test_images(open_explorer):
    page = open_explorer(viewport={"width": 1280, "height": 900})
    drag_mouse(page, 200, 300, steps=4)
    before = page.evaluate("explorer.state.z")
    assert page.locator("#line").is_visible() and canvas_pixels(page, "steps").max() > 100
    wait_until(page, "z => explorer.state.z[0] !== z[0]", before)  # it plays
    page.get_by_role("button", name="Stop").click()
    page.locator("#clear").click()
    assert not page.locator("#line").is_visible()


def test_with_reduced_motion_a_line_does_not_play(open_explorer):
    page = open_explorer(reduced_motion="reduce")
    drag_mouse(page, 200, 250)
    assert page.locator("#line").is_visible() and not page.evaluate("explorer.state.playing")


def test_everything_works_with_the_keyboard(open_explorer):
    page = open_explorer()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("explorer.state.model.conditional")
    for _ in range(3):
        if page.evaluate("document.activeElement.id") != "marks":
            page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    x, y = page.evaluate("explorer.state.z")
    assert 0 < x < y / 5
    page.keyboard.press("Enter")
    assert page.locator("#line").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#line").is_visible()
    page.keyboard.press("7")
    page.keyboard.press("n")
    wait_until(page, "() => document.getElementById('status').textContent.includes('decoded as sneaker')")
    assert "sneaker" in page.locator("#nearest").inner_text()


def test_a_conditional_model_shows_all_labels_at_one_position(open_explorer):
    page = open_explorer()
    choose(page, "CVAE")
    wait_until(page, "() => explorer.idle()")
    assert len({tuple(canvas_pixels(page, f"label-{label}")) for label in range(10)}) == 10
    choose(page, "bag")
    wait_until(page, "() => explorer.idle()")
    assert (canvas_pixels(page, "decoded") == canvas_pixels(page, "label-8")).all()


def test_a_finger_moves_and_draws_on_a_narrow_screen(open_explorer):
    page = open_explorer(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("#marks").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(event, x, y):
        points = [] if event == "touchEnd" else [{"x": box["x"] + x, "y": box["y"] + y}]
        session.send("Input.dispatchTouchEvent", {"type": event, "touchPoints": points})

    def swipe():
        touch("touchStart", 100, 100)
        for step in range(1, 6):
            touch("touchMove", 100 + 30 * step, 100 + 30 * step)
        touch("touchEnd", 250, 250)

    before = page.evaluate("explorer.state.z")
    swipe()
    assert page.evaluate("explorer.state.z") != before and not page.locator("#line").is_visible()
    page.locator("#draw").check(force=True)
    swipe()
    assert page.locator("#line").is_visible()


# --- the report -------------------------------------------------------------------------------------------------------

CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  const luminance = (colour) => channels(colour).reduce((sum, c, i) => sum + [0.2126, 0.7152, 0.0722][i] * c, 0);
  const background = luminance(getComputedStyle(document.body).backgroundColor);
  return ["h1", "h2", "p", "figcaption", "footer span"].map((selector) => {
    const text = luminance(getComputedStyle(document.querySelector(selector)).color);
    return (Math.max(text, background) + 0.05) / (Math.min(text, background) + 0.05);
  });
}"""


@pytest.fixture
def open_report(browser):
    contexts = []

    def open_report(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.goto((RESULTS / "report.html").as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()


def test_on_a_phone_the_figures_of_the_report_have_one_width_and_stand_in_order(open_report):
    page = open_report(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = page.evaluate(
        "[...document.querySelectorAll('figure')].map(figure => {"
        " const box = figure.querySelector('img').getBoundingClientRect();"
        " return [figure.querySelector('b').textContent, box.left, box.right, box.top]; })"
    )
    assert [name for name, *_ in sorted(boxes, key=lambda box: box[3])] == [
        f"Fig. {i}" for i in range(1, len(boxes) + 1)
    ]
    assert len({(round(left), round(right)) for _, left, right, _ in boxes}) == 1
    footer = page.evaluate(
        "[...document.querySelectorAll('footer span')].map(span => {"
        " const box = span.getBoundingClientRect(); return [box.left, box.right]; })"
    )
    assert footer and all(0 <= left < right <= 390 for left, right in footer)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_text_of_the_report_stands_out_from_its_background(open_report, scheme):
    page = open_report(viewport={"width": 1000, "height": 800}, color_scheme=scheme)
    assert min(page.evaluate(CONTRAST)) >= 4.5
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 150) == (scheme == "dark")
    assert page.evaluate("getComputedStyle(document.querySelector('figure img')).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )

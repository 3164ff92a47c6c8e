"""The explorer of the report on the published data (`./run report`), in headless Chromium."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from elsewhere import CHROMIUM
from PIL import Image

from latentlab import training

RESULTS = Path(__file__).parents[2] / "results"
PAGE = RESULTS / "explorer.html"
ENTRIES = ["lab8-ae", "lab8-vae", "summary-cvae"]  # of hand-in summary
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Opens the page; whatever it asks for or complains of fails the test."""
    heard, contexts = [], []

    def opened(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: request.url.startswith("data:") or heard.append(request.url))
        page.goto(PAGE.as_uri())
        until(page, "() => Boolean(globalThis.explorer)")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert set(heard) <= {PAGE.as_uri()}


def until(page, script, *words):
    """Wait for what playwright's own waiting may not ask for: it evaluates a text, which the page forbids."""
    for _ in range(200):
        if page.evaluate(script, *words):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {script}")


def choose(page, name):
    page.get_by_role("radio", name=name, exact=True).check(force=True)


def picture(page, canvas):
    """The pixels that a canvas shows, 0 to 255."""
    url = page.evaluate("id => document.getElementById(id).toDataURL()", canvas)
    return np.array(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("L")).flatten().astype(int)


def test_the_page_is_small_and_linked():
    assert PAGE.stat().st_size < 4_000_000
    assert 'href="explorer.html"' in (RESULTS / "report.html").read_text()


def test_the_browser_takes_the_report_s_fonts(browser):
    page, heard = browser.new_page(), []
    page.on("console", lambda message: heard.append(message.text))
    page.goto((RESULTS / "report.html").as_uri())
    script = "async () => { await document.fonts.ready; return [...document.fonts].map((font) => font.status) }"
    assert set(page.evaluate(script)) <= {"loaded", "unloaded"} and not heard
    page.close()


def test_its_decoders_agree_with_torch(opened):
    page, z = opened(), torch.tensor([[0.0, 0.0], [1.5, -0.7], [-3.9, 3.9], [0.1, 2.2]])
    for i, entry in enumerate(ENTRIES):
        model, described = training.load(RESULTS / f"models/FashionMNIST/{entry}/d2/seed0/weights.safetensors")
        for label in (0, 7):
            script = "([i, z, y]) => z.map((one) => Array.from(explorer.decode(explorer.models[i], one, y)))"
            found = page.evaluate(script, [i, z.tolist(), label])
            assert np.abs(np.array(found) - training.decode(model, described["settings"], z, label)).max() < 1e-3


def test_moving_the_mouse_decodes_what_is_below_it(opened):
    page = opened(viewport={"width": 1280, "height": 900})
    choose(page, "VAE")
    box = page.locator("#marks").bounding_box()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    until(page, "() => explorer.state.z[0] > 0.5 && explorer.state.z[1] > 0.5")
    until(page, "() => explorer.idle()")
    z = page.evaluate("explorer.state.z")
    weights = RESULTS / "models/FashionMNIST/lab8-vae/d2/seed0/weights.safetensors"
    model, described = training.load(weights)
    truth = training.decode(model, described["settings"], torch.tensor([z]))[0] * 255
    assert np.abs(picture(page, "decoded") - truth).max() < 1.5


def test_the_nearest_dot_shows_its_test_image(opened):
    from latentlab import data

    page = opened()
    images, labels = data.load(RESULTS / "data/FashionMNIST.json", "test")
    page.evaluate("explorer.moveTo(explorer.models[0].codes[123])")
    until(page, "() => explorer.idle()")
    number = int(page.locator("#nearest").inner_text().split(",")[0].split()[-1]) - 1
    assert picture(page, "image").tolist() == images[number].flatten().tolist()
    assert page.evaluate("explorer.models[0].labels[123]") == labels[123]


def test_a_dragged_line_plays_between_two_test_images(opened):
    page = opened(viewport={"width": 1280, "height": 900})
    box = page.locator("#marks").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 300, steps=4)
    page.mouse.up()
    before = page.evaluate("explorer.state.z")
    assert page.locator("#line").is_visible() and picture(page, "steps").max() > 100
    until(page, "z => explorer.state.z[0] !== z[0]", before)  # it plays
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Take the line away").click()
    assert not page.locator("#line").is_visible()


def test_with_reduced_motion_a_line_does_not_play(opened):
    page = opened(reduced_motion="reduce")
    box = page.locator("#marks").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 250)
    page.mouse.up()
    assert page.locator("#line").is_visible() and not page.evaluate("explorer.state.playing")


def test_all_of_it_works_by_keyboard(opened):
    page = opened()
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
    until(page, "() => document.getElementById('told').textContent.includes('decoded as sneaker')")
    assert "sneaker" in page.locator("#nearest").inner_text()


def test_a_conditional_model_shows_all_labels_at_one_position(opened):
    page = opened()
    choose(page, "CVAE")
    until(page, "() => explorer.idle()")
    assert len({tuple(picture(page, f"label-{label}")) for label in range(10)}) == 10
    choose(page, "bag")
    until(page, "() => explorer.idle()")
    assert (picture(page, "decoded") == picture(page, "label-8")).all()


def test_a_finger_moves_and_draws_on_a_narrow_screen(opened):
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("#marks").bounding_box()
    touch = page.context.new_cdp_session(page)

    def drag(kind, x, y):
        points = [] if kind == "touchEnd" else [{"x": box["x"] + x, "y": box["y"] + y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def stroke():
        drag("touchStart", 100, 100)
        for step in range(1, 6):
            drag("touchMove", 100 + 30 * step, 100 + 30 * step)
        drag("touchEnd", 250, 250)

    before = page.evaluate("explorer.state.z")
    stroke()
    assert page.evaluate("explorer.state.z") != before and not page.locator("#line").is_visible()
    page.get_by_role("radio", name="draws a line").check(force=True)
    stroke()
    assert page.locator("#line").is_visible()

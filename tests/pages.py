"""Explorers for tests, and how tests look at pages in the browser."""

import base64
import io

import numpy as np
from PIL import Image
from projects import ROOT

from latentlab.explorer.export import describe_model, render_explorer

ABOUT = {
    "title": "T",
    "dataset": "MNIST",
    "synthetic": False,
    "preview": False,
    "data": "d" * 64,
    "version": "1",
    "commit": "c",
}


def write_explorer(path, models, images, labels):
    """Write the explorer of models: label → (model, arrays of its codes.npz)."""
    described = [describe_model(model, label, codes, "0" * 64) for label, (model, codes) in models.items()]
    classes = [str(label) for label in range(max(model.spec.n_classes for model, _ in models.values()))]
    folder, style = ROOT / "templates/explorer", ROOT / "matplotlibrc"
    path.write_text(render_explorer(folder, described, images, labels, classes, style, ABOUT))
    return path


def wait_until(page, script, *arguments, seconds=60):
    """Wait until `script` returns a true value. Playwright's own function evaluates a string inside the page, which the
    content security policy of the page forbids."""
    for _ in range(20 * seconds):
        if page.evaluate(script, *arguments):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {script}")


def wait_until_ready(page):
    wait_until(page, "() => Boolean(globalThis.explorer)")


def wait_until_idle(page):
    """Until everything is decoded, drawn and refined."""
    wait_until(page, "() => explorer.idle()", seconds=240)


def canvas_pixels(page, selector):
    """The grey pixels of a canvas, 0 to 255, (n,)."""
    return np.array(_canvas_image(page, selector).convert("L")).flatten().astype(int)


def canvas_colours(page, selector):
    """The colours of a canvas, 0 to 255, (rows, columns, 3)."""
    return np.array(_canvas_image(page, selector).convert("RGB")).astype(int)


def _canvas_image(page, selector):
    url = page.evaluate("selector => document.querySelector(selector).toDataURL()", selector)
    return Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))


def choose_model(page, name, panel=0):
    page.locator(f"#model-{panel}").select_option(label=name)


def choose(page, name):
    page.get_by_role("radio", name=name, exact=True).first.check(force=True)


def draw_with_mouse(page, points, selector="#pad"):
    """Draw lines between points, given as shares of the sides of a canvas."""
    box = page.locator(selector).bounding_box()
    for i, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
        if i == 0:
            page.mouse.down()
    page.mouse.up()

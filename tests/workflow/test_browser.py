"""The report on published data (`./run report`) in headless Chromium, and axe-core on it and on its explorer."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import wait_until_ready
from projects import ROOT

RESULTS = ROOT / "results"
pytestmark = pytest.mark.long


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
        wait_until_ready(page)
        page.get_by_role("radio", name="two", exact=True).check(force=True)
        page.locator("#model-1").select_option(label="CVAE")
        page.evaluate("explorer.setLine([0, 1])")
    found = Axe().run(page).response["violations"]
    context.close()
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


def test_the_report_links_to_the_explorer():
    assert 'href="explorer.html"' in (RESULTS / "report.html").read_text()


def test_the_browser_accepts_the_fonts_of_the_report(browser):
    page, messages = browser.new_page(), []
    page.on("console", lambda message: messages.append(message.text))
    page.goto((RESULTS / "report.html").as_uri())
    script = "async () => { await document.fonts.ready; return [...document.fonts].map((font) => font.status) }"
    statuses = set(page.evaluate(script))
    assert "loaded" in statuses and statuses <= {"loaded", "unloaded"} and not messages
    page.close()


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

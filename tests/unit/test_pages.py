"""What the pages of the shipped hand-ins say, on planted measurements: a claim is there when its figure supports it,
turns when the figure does, and carries the figure."""

import re

import planted
import pytest

from latentlab import fonts, handins, report


def said(handin, folder, changes):
    """The discussion as words, on planted measurements of which `changes` (dotted name → value) differ."""
    measured = planted.metrics(handin)
    for name, value in changes.items():
        *path, last = name.split(".")
        part = measured
        for key in path:
            part = part[key]
        key = int(last) if isinstance(part, list) else last
        assert isinstance(part, list) or key in part, f"{name} is not measured"
        part[key] = value
    return planted.words(report.discussed(planted.html(handin, folder, measured)))


# hand-in, figures one way, what is then said; figures the other way, what is then said. Each is said in its case only.
CLAIMS = [
    (
        "lab8", {"vae.map.grid.near": 0.62, "ae.map.grid.near": 0.05}, "more often than the autoencoder’s (62 %",
        {"vae.map.grid.near": 0.05, "ae.map.grid.near": 0.62}, "less often than the autoencoder’s (5 %",
    ),
    (
        "lab8", {"vae.map.grid.near": 0.62}, "pulls these distributions towards the prior, so that 97 %",
        {"vae.map.grid.near": 0.05}, "here that does not explain it",
    ),
    (
        "lab8", {"vae.map.grid.near": 0.5}, "is mostly clothing: 50 %",
        {"vae.map.grid.near": 0.49}, "only partly clothing: 49 %",
    ),
    (
        "lab8", {"ae.map.within_grid": 0.31}, "Only 31 % of the test codes lie within",
        {"ae.map.within_grid": 0.95}, "95 % of the test codes lie within the range of Fig. 2. Of",
    ),
    (
        "lab8", {"ae.map.lines.jump": 1.5}, "1.50 for the autoencoder , so the VAE fades more evenly",
        {"ae.map.lines.jump": 1.1}, "1.10 for the autoencoder , so the VAE’s transitions are the more sudden",
    ),
    (
        "lab8", {"vae.map.grid.class_share.9": 0.03}, "All ten classes have a place",
        {"vae.map.grid.class_share.9": 0.0}, "9 of the ten classes have a place",
    ),
    ("lab8", {"ae.settings.hidden": []}, "differ in depth", {"ae.settings.hidden": [512]}, None),
    (
        "exercise4", {"cvae.test.negative_elbo": 260.0}, "is 6.80 nats lower than the VAE’s",
        {"cvae.test.negative_elbo": 270.0}, "is 3.20 nats higher than the VAE’s",
    ),
    (
        "exercise4", {"sweep.saturates": 4}, "rises by no more than 0.30 nats",
        {"sweep.saturates": 8}, "The bound still rises at 8 dimensions, where 6 units are active",
    ),
    (
        "exercise4", {"vae.failures.share.far": 0.37}, "37 % of the pictures are farther",
        {"vae.failures.found": []}, "No failure was found",
    ),
    (
        "exercise4", {"cvae.code.neighbour_accuracy": 0.12}, "holds 1.20 nats about the digit",
        {"cvae.code.neighbour_accuracy": 0.6}, "has not taken the digit out of this code",
    ),
    (
        "exercise4", {"cvae.style.slant.1": -0.7}, "z 2 goes most with slant ( −0.70)",
        {"cvae.style.width.1": 0.9}, "z 2 goes most with width ( 0.90)",
    ),
    (
        "exercise4", {"cvae.classifier.methods.exact.temperature": 3.0}, "too sure of itself (calibration error 15.0 %",
        {"cvae.classifier.methods.exact.temperature": 0.5}, "less sure than it could be (calibration error 15.0 %)",
    ),
    (
        "exercise4", {"cvae.classifier.methods.exact.auroc": 0.951}, "with an AUROC of 0.951",
        {"cvae.classifier.methods.exact.auroc": 0.249}, "gets the higher one (AUROC 0.249)",
    ),
    (
        "lab8", {"ae.map.within_grid": 0.31}, "so that 97 % of the codes lie in the square",
        {"ae.map.within_grid": 1.0}, "lie there and 100 % of the autoencoder’s: here that does not",
    ),
    (
        "summary", {"vae.map.grid.near": 0.62, "ae.map.grid.near": 0.05}, "more often than the autoencoder’s (62 %",
        {"vae.map.grid.near": 0.05, "ae.map.grid.near": 0.62}, "less often than the autoencoder’s (5 %",
    ),
    (
        "summary", {"ae.map.within_grid": 0.31}, "97 % of the VAE’s test codes lie in that square, 31 %",
        {"ae.map.within_grid": 0.98}, "brings no such advantage ( 97 % of the codes lie there, 98 %",
    ),
    (
        "summary", {"sweep.squared_error.mean.2": 0.0311}, "falls from 0.0410 to 0.0311",
        {"sweep.squared_error.mean.2": 0.0511}, "rises from 0.0410 to 0.0511",
    ),
    (
        "summary", {"sweep.saturates": 4}, "as good at 4 as at any more: of 8 units 6 are active",
        {"sweep.saturates": 8}, "still improves at 8, where 6 units are active",
    ),
    (
        "summary", {"sweep.saturates": 4, "sweep.active_units.mean.2": 6.0}, "of 8 units 6 are active",
        {"sweep.saturates": 4, "sweep.active_units.mean.2": 8.0}, "though all 8 units are active",
    ),
    (
        "summary", {"sweep.pca.2": 0.021}, "is worse at 2 (0.0460) and better at 8 (0.0210)",
        {"sweep.pca.2": 0.041}, "PCA is worse at 2 (0.0460) and still worse at 8 (0.0410)",
    ),
    (
        "summary", {"cvae.classifier.methods.exact.accuracy": 0.857}, "85.7 % of the test images, more than logistic",
        {"cvae.classifier.methods.exact.accuracy": 0.803}, "80.3 % of the test images, fewer than logistic",
    ),
    (
        "summary", {"cvae.classifier.methods.exact.confused": [[2, 4, 0.33]]}, "takes pullover for coat (33 %, Fig. 5)",
        {"cvae.classifier.methods.exact.confused": []}, None,
    ),
    (
        "summary", {"cvae.classifier.methods.exact.temperature": 3.0}, "too sure of itself, for it counts",
        {"cvae.classifier.methods.exact.temperature": 1.0}, "well calibrated (error 15.0 %)",
    ),
    (
        "summary", {"cvae.classifier.methods.exact.accuracy": 0.95}, "more than a small CNN",
        {"cvae.classifier.methods.exact.accuracy": 0.85}, "fewer than a small CNN",
    ),
    (
        "summary", {"cvae.classifier.methods.exact.auroc": 0.95}, "its data should have it (AUROC 0.95)",
        {"cvae.classifier.methods.exact.auroc": 0.25}, "its data should not have it (AUROC 0.25)",
    ),
    (
        "summary", {"vae.likelihood.normalised": False}, "is a loss and no normalised likelihood",
        {"vae.likelihood.normalised": True, "vae.likelihood.gap": 3.25}, "gives away 3.2 nats",
    ),
]  # fmt: skip


@pytest.fixture
def no_fonts(monkeypatch):
    """They take most of a page's time, and none of its words."""
    monkeypatch.setattr(fonts, "font_faces", lambda html: "")


@pytest.mark.parametrize(("handin", "one", "then", "other", "otherwise"), CLAIMS, ids=lambda value: None)
def test_a_claim_follows_its_figure(handin, one, then, other, otherwise, tmp_path, no_fonts):
    first, second = (squeeze(said(handin, tmp_path, changes)) for changes in (one, other))
    assert squeeze(then) in first and squeeze(then) not in second
    assert otherwise is None or (squeeze(otherwise) in second and squeeze(otherwise) not in first)


def squeeze(text):
    """Without the spaces that tags and thin spaces leave."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("handin", ["lab8", "exercise4", "summary"])
def test_questions_are_answered_in_the_sheet_s_order(handin, tmp_path, no_fonts):
    text = planted.html(handin, tmp_path)
    spec = handins.load(planted.TEMPLATES, handin, planted.ROOT / "workflow/schemas/handin.schema.yaml")
    headings = re.findall(r"<h2>(.*?)</h2>", report.discussed(text))
    assert headings == [f"{number} {heading}" for number, heading in spec["sections"].items()]


@pytest.mark.parametrize("handin", ["lab8", "exercise4", "summary"])
def test_pages_fit_with_room_for_the_stand_in_notice(handin, tmp_path):
    html = tmp_path / "page.html"
    html.write_text(planted.html(handin, tmp_path, source="stand-in"))
    assert report.print_pdf(html, tmp_path / "page.pdf") >= 8.5


@pytest.mark.parametrize("handin", ["lab8", "exercise4", "summary"])
def test_every_figure_has_words_for_those_who_do_not_see_it(handin, tmp_path, no_fonts):
    measured = planted.metrics(handin)
    alts = re.findall(r'<img src="[^"]*" alt="([^"]*)"', planted.html(handin, tmp_path, measured))
    assert alts and all(len(alt) > 30 for alt in alts) and len(set(alts)) == len(alts)
    assert all(re.search(r"\d", alt) for alt in alts), "composed from the data"


def test_a_student_s_section_takes_the_place_of_one_and_the_others_stay(tmp_path, no_fonts):
    mine = tmp_path / "mine.md"
    mine.write_text("## 2.2\n\nMy *own* words: {{ vae.test.kl }}.\n")
    text = report.discussed(planted.html("lab8", tmp_path, discussion=mine))
    assert "<h2>2.2 What differs, and why</h2>" in text and "<p>My <em>own</em> words: 6.7.</p>" in text
    assert "Coverage" not in text and "reaches a negated ELBO" in text and "loses 260.1 nats" in text


def test_a_student_s_text_without_such_headings_replaces_all(tmp_path, no_fonts):
    mine = tmp_path / "mine.md"
    mine.write_text("## Everything\n\nin one.\n")
    text = report.discussed(planted.html("lab8", tmp_path, discussion=mine))
    assert planted.words(text) == "Everything in one."


def test_provenance_is_in_the_footer(tmp_path, no_fonts):
    measured = planted.metrics("summary")
    one = planted.html("summary", tmp_path, measured)
    measured["vae"]["weights"] = "2" * 64
    other = planted.html("summary", tmp_path, measured)
    footers = [re.search(r"<footer>(.*?)</footer>", text, re.DOTALL)[1] for text in (one, other)]
    assert all(re.search(rf"{word} [0-9a-f]{{8}}", footers[0]) for word in ("config", "FashionMNIST", "weights"))
    assert "commit" in footers[0] and "torch" in footers[0] and "seed 0" in planted.words(footers[0])
    assert footers[0] != footers[1], "other weights, another hash"

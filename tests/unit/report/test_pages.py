"""The pages of the shipped assignments on planted metrics: each claim depends on its metrics and quotes them."""

import re

import planted
import pytest

from latentlab.report import render
from latentlab.report.pdf import print_pdf
from latentlab.report.text import extract_discussion
from latentlab.runtime.errors import UserError

# Assignment, changed metrics, what the discussion then claims; the opposite change, and what it then claims instead.
CLAIMS = [
    (
        "lab8", {"vae.plane.grid.near": 0.62, "ae.plane.grid.near": 0.05}, "more often than the autoencoder’s (62 %",
        {"vae.plane.grid.near": 0.05, "ae.plane.grid.near": 0.62}, "less often than the autoencoder’s (5 %",
    ),
    (
        "lab8", {"vae.plane.grid.near": 0.62}, "pulls these distributions towards the prior, so that 97 %",
        {"vae.plane.grid.near": 0.05}, "here that does not explain it",
    ),
    (
        "lab8", {"vae.plane.grid.near": 0.5}, "is mostly clothing: 50 %",
        {"vae.plane.grid.near": 0.49}, "only partly clothing: 49 %",
    ),
    (
        "lab8", {"ae.plane.within_grid": 0.31}, "Only 31 % of the test codes lie within",
        {"ae.plane.within_grid": 0.95}, "95 % of the test codes lie within the range of Fig. 2. Of",
    ),
    (
        "lab8", {"ae.plane.interpolations.max_step_ratio": 1.5},
        "1.50 for the autoencoder , so the VAE fades more evenly",
        {"ae.plane.interpolations.max_step_ratio": 1.1},
        "1.10 for the autoencoder , so the VAE’s transitions are the more sudden",
    ),
    (
        "lab8", {"vae.plane.grid.class_share.9": 0.03}, "All ten classes have a place",
        {"vae.plane.grid.class_share.9": 0.0}, "9 of the ten classes have a place",
    ),
    ("lab8", {"ae.settings.hidden": []}, "differ in depth", {"ae.settings.hidden": [512]}, None),
    (
        "exercise4", {"cvae.test.negative_elbo": 260.0}, "is 6.80 nats lower than the VAE’s",
        {"cvae.test.negative_elbo": 270.0}, "is 3.20 nats higher than the VAE’s",
    ),
    (
        "exercise4", {"sweep.saturation_dim": 4}, "rises by no more than 0.30 nats",
        {"sweep.saturation_dim": 8}, "The bound still rises at 8 dimensions, where 6 units are active",
    ),
    (
        "exercise4", {"vae.failures.share.far": 0.37}, "37 % of the pictures are farther",
        {"vae.failures.failures": []}, "No failure was found",
    ),
    (
        "exercise4", {"cvae.latents.neighbour_accuracy": 0.12}, "holds 1.20 nats about the digit",
        {"cvae.latents.neighbour_accuracy": 0.6}, "has not taken the digit out of this code",
    ),
    (
        "exercise4", {"cvae.shape_correlations.slant.1": -0.7}, "z 2 goes most with slant ( −0.70)",
        {"cvae.shape_correlations.width.1": 0.9}, "z 2 goes most with width ( 0.90)",
    ),
    (
        "exercise4", {"cvae.classifier.methods.quadrature.temperature": 3.0},
        "too sure of itself (calibration error 15.0 %",
        {"cvae.classifier.methods.quadrature.temperature": 0.5},
        "less sure than it could be (calibration error 15.0 %)",
    ),
    (
        "exercise4", {"cvae.classifier.methods.quadrature.auroc": 0.951}, "with an AUROC of 0.951",
        {"cvae.classifier.methods.quadrature.auroc": 0.249}, "gets the higher one (AUROC 0.249)",
    ),
    (
        "lab8", {"ae.plane.within_grid": 0.31}, "so that 97 % of the codes lie in the square",
        {"ae.plane.within_grid": 1.0}, "lie there and 100 % of the autoencoder’s: here that does not",
    ),
    (
        "summary", {"vae.plane.grid.near": 0.62, "ae.plane.grid.near": 0.05},
        "more often than the autoencoder’s (62 %",
        {"vae.plane.grid.near": 0.05, "ae.plane.grid.near": 0.62}, "less often than the autoencoder’s (5 %",
    ),
    (
        "summary", {"ae.plane.within_grid": 0.31}, "97 % of the VAE’s test codes lie in that square, 31 %",
        {"ae.plane.within_grid": 0.98}, "brings no such advantage ( 97 % of the codes lie there, 98 %",
    ),
    (
        "summary", {"sweep.squared_error.mean.2": 0.0311}, "falls from 0.0410 to 0.0311",
        {"sweep.squared_error.mean.2": 0.0511}, "rises from 0.0410 to 0.0511",
    ),
    (
        "summary", {"sweep.saturation_dim": 4}, "as good at 4 as at any more: of 8 units 6 are active",
        {"sweep.saturation_dim": 8}, "still improves at 8, where 6 units are active",
    ),
    (
        "summary", {"sweep.saturation_dim": 4, "sweep.active_units.mean.2": 6.0}, "of 8 units 6 are active",
        {"sweep.saturation_dim": 4, "sweep.active_units.mean.2": 8.0}, "though all 8 units are active",
    ),
    (
        "summary", {"sweep.pca.2": 0.021}, "is worse at 2 (0.0460) and better at 8 (0.0210)",
        {"sweep.pca.2": 0.041}, "PCA is worse at 2 (0.0460) and still worse at 8 (0.0410)",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.accuracy": 0.857},
        "85.7 % of the test images, more than logistic",
        {"cvae.classifier.methods.quadrature.accuracy": 0.803}, "80.3 % of the test images, fewer than logistic",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.most_confused": [[2, 4, 0.33]]},
        "takes pullover for coat (33 %, Fig. 5)",
        {"cvae.classifier.methods.quadrature.most_confused": []}, None,
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.temperature": 3.0}, "too sure of itself, for it counts",
        {"cvae.classifier.methods.quadrature.temperature": 1.0}, "well calibrated (error 15.0 %)",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.accuracy": 0.95}, "more than a small CNN",
        {"cvae.classifier.methods.quadrature.accuracy": 0.85}, "fewer than a small CNN",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.auroc": 0.95}, "its data should have it (AUROC 0.95)",
        {"cvae.classifier.methods.quadrature.auroc": 0.25}, "its data should not have it (AUROC 0.25)",
    ),
    (
        "summary", {"vae.likelihood.normalised": False}, "is a loss and no normalised likelihood",
        {"vae.likelihood.normalised": True, "vae.likelihood.gap": 3.25}, "gives away 3.2 nats",
    ),
    (
        "lab8-pca", {"cvae.augmentation.gain.mean.0": 0.04}, "the CVAE’s add 4.0",
        {"cvae.augmentation.gain.mean.0": -0.03}, "the CVAE’s cost 3.0",
    ),
    (
        "lab8-pca", {"vae.training.converged_epoch": 6}, "From epoch 6 on, less than 1 %",
        {"vae.training.converged_epoch": 8}, None,
    ),
    (
        "lab10", {"cnn.training.best_epoch": 8}, "lowest after epoch 8 and higher later",
        {"cnn.training.best_epoch": 10}, "lowest after the last epoch",
    ),
]  # fmt: skip


@pytest.fixture
def no_fonts(monkeypatch):
    """Leave out the fonts, which take most of the time and add no text."""
    monkeypatch.setattr(render, "font_faces", lambda html: "")


@pytest.mark.parametrize(("name", "changes", "claim", "opposite_changes", "opposite_claim"), CLAIMS)
def test_a_claim_follows_its_metrics(name, changes, claim, opposite_changes, opposite_claim, tmp_path, no_fonts):
    text, opposite_text = (discussion_text(name, tmp_path, values) for values in (changes, opposite_changes))
    assert without_spaces(claim) in text and without_spaces(claim) not in opposite_text
    if opposite_claim is not None:
        assert without_spaces(opposite_claim) in opposite_text and without_spaces(opposite_claim) not in text


def discussion_text(name, folder, changes):
    return without_spaces(planted.plain_text(extract_discussion(planted.html(name, folder, changes))))


def without_spaces(text):
    """Text without the spaces that tags and thin spaces leave."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("name", planted.ASSIGNMENTS)
def test_questions_are_answered_in_the_order_of_the_assignment(name, tmp_path, no_fonts):
    headings = re.findall(r"<h2>(.*?)</h2>", extract_discussion(planted.html(name, tmp_path)))
    assert headings == [f"{number} {heading}" for number, heading in planted.load(name).sections.items()]


@pytest.mark.parametrize("name", planted.ASSIGNMENTS)
def test_pages_have_room_for_the_notice_of_synthetic_data(name, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(planted.html(name, tmp_path, source="synthetic"))
    assert "SYNTHETIC DATA" in path.read_text() and "(on synthetic data)</title>" in path.read_text()
    assert print_pdf(path, tmp_path / "page.pdf") >= 8.5


@pytest.mark.parametrize("name", ["lab8", "exercise4", "summary"])
def test_every_figure_is_described_with_measured_numbers(name, tmp_path, no_fonts):
    alts = re.findall(r'<img src="[^"]*" alt="([^"]*)"', planted.html(name, tmp_path))
    assert alts and all(len(alt) > 30 for alt in alts) and len(set(alts)) == len(alts)
    assert all(re.search(r"\d", alt) for alt in alts)


def test_a_students_section_replaces_one_section_and_the_others_stay(tmp_path, no_fonts):
    path = tmp_path / "mine.md"
    path.write_text("## 2.2\n\nMy *own* words: {{ vae.test.kl }}.\n")
    text = extract_discussion(planted.html("lab8", tmp_path, discussion=path))
    assert "<h2>2.2 What differs, and why</h2>" in text and "<p>My <em>own</em> words: 6.7.</p>" in text
    assert "Coverage" not in text and "reaches a negated ELBO" in text and "loses 260.1 nats" in text


def test_a_students_text_without_section_headings_replaces_all_sections(tmp_path, no_fonts):
    path = tmp_path / "mine.md"
    path.write_text("## Everything\n\nin one.\n")
    text = extract_discussion(planted.html("lab8", tmp_path, discussion=path))
    assert planted.plain_text(text) == "Everything in one."


def test_provenance_is_in_the_footer(tmp_path, no_fonts):
    pages = [planted.html("summary", tmp_path, changes) for changes in ({}, {"vae.weights": "2" * 64})]
    footer, other_footer = (re.search(r"<footer>(.*?)</footer>", page, re.DOTALL)[1] for page in pages)
    assert all(re.search(rf"{word} [0-9a-f]{{8}}", footer) for word in ("config", "FashionMNIST", "weights"))
    assert "commit" in footer and "torch" in footer and "seed 0" in planted.plain_text(footer)
    assert footer != other_footer, "other weights, another hash"


def test_a_collapsed_model_is_named(tmp_path, no_fonts):
    assert "Collapsed: planted." in planted.html("lab8", tmp_path, {"vae.latents.active_units": 0})
    assert "Collapsed" not in planted.html("lab8", tmp_path, {"ae.latents.active_units": 0})


def test_a_metric_that_a_model_lacks_is_an_error_and_never_printed(tmp_path, no_fonts):
    assignment = planted.load("lab8")
    metrics = planted.metrics(assignment, tmp_path)
    metrics["vae"] = metrics["ae"]
    with pytest.raises(UserError, match=r"lab8/page\.html\.j2, line \d+: it uses a metric that was not measured"):
        render.render_page(
            planted.TEMPLATES / "lab8/page.html.j2",
            planted.page(assignment, tmp_path),
            metrics,
            planted.provenance(metrics),
        )

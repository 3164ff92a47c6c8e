"""The pages of the shipped assignments on planted metrics: each claim depends on its metrics and quotes them."""

import re

import pdfplumber
import planted
import pytest

from latentlab.report import render
from latentlab.report.conformance import violations
from latentlab.report.pdf import print_pdf
from latentlab.report.text import extract_discussion
from latentlab.runtime.errors import UserError

# Assignment, changed metrics, what the discussion then claims; the opposite change, and what it then claims instead.
CLAIMS = [
    (
        "lab8", {"control.plane.grid.precision": 0.62, "vae.plane.grid.precision": 0.05}, "more often than the VAE’s",
        {"control.plane.grid.precision": 0.05, "vae.plane.grid.precision": 0.62}, "less often than the VAE’s",
    ),
    (
        "lab8", {"control.plane.within_grid": 0.31}, "97 % of the VAE’s codes lie in the square, 31 % of the control’s",
        {"control.plane.within_grid": 0.95}, "95 % of the control’s: here that does not explain a difference",
    ),
    (
        "lab8", {"control.settings.hidden": [512]}, "differs from the VAE by noise and KL term alone",
        {"control.settings.hidden": [16]}, "The control is trained in another way too",
    ),
    (
        "lab8", {"ae.settings.hidden": []}, "All that it can draw is two templates",
        {"ae.settings.hidden": [512]}, None,
    ),
    (
        "lab8", {"ae.plane.within_grid": 0.31}, "Only 31 % of its test codes lie within",
        {"ae.plane.within_grid": 0.95}, "(Fig. 3). 95 % of its test codes lie within",
    ),
    (
        "lab8", {"ae.plane.reconstructions": 0.3}, "even at the codes of real images fewer pass",
        {"ae.plane.reconstructions": 0.87}, "at the codes of real images about as many pass",
    ),
    (
        "lab8", {"control.plane.interpolations.max_step_ratio_interval": [1.5, 1.7]}, "so the VAE fades more evenly",
        {"control.plane.interpolations.max_step_ratio_interval": [1.0, 1.1]}, "transitions are the more sudden",
    ),
    (
        "lab8", {"control.plane.interpolations.max_step_ratio_interval": [1.3, 1.7]}, "which cannot be told apart",
        {"control.plane.interpolations.max_step_ratio_interval": [1.5, 1.7]}, None,
    ),
    (
        "lab8", {"control.latents.neighbour_accuracy": 0.4}, "is raised by noise and KL term",
        {"control.latents.neighbour_accuracy": 0.9},
        "is lowered by noise and KL term and raised by the hidden layer",
    ),
    (
        "lab8", {"vae.plane.grid.class_share.9": 0.03}, "All 10 classes appear in Fig. 1, by the nearest",
        {"vae.plane.grid.class_share.9": 0.0}, "9 of the 10 classes appear in Fig. 1",
    ),
    (
        "exercise4", {"cvae.notebook.negative_elbo": 733.6}, "is 6.80 nats lower than the VAE’s",
        {"cvae.notebook.negative_elbo": 743.6}, "is 3.20 nats higher than the VAE’s",
    ),
    (
        "exercise4", {"sweep.saturation_dim": 4},
        "lowest at 8; that at 4 cannot be distinguished from it (difference −0.1 to 0.5 nats",
        {"sweep.saturation_dim": 8}, "lowest at 8, and higher at every smaller",
    ),
    (
        "exercise4", {"sweep.saturation_dim": 8, "sweep.seeds": 1}, "lowest at 8 (one seed)",
        {"sweep.saturation_dim": 8, "sweep.seeds": 3}, "lowest at 8, and higher",
    ),
    (
        "exercise4", {"vae.failures.share.unrealistic": 0.37},
        "37 % of the pictures do not pass as real (test images: 11 %)",
        {"vae.failures.failures": []}, "No failure was found",
    ),
    (
        "exercise4", {"cvae.notebook.neighbour_accuracy": 0.12}, "the code is left for style",
        {"cvae.notebook.neighbour_accuracy": 0.72}, "has not taken the digit out of this code",
    ),
    (
        "exercise4", {"cvae.notebook.slant.mean.1": -0.7}, "z 2 encodes slant (ρ = −0.70)",
        {"cvae.notebook.width.mean.1": 0.9}, "z 2 encodes width (ρ = 0.90)",
    ),
    (
        "exercise4", {"cvae.classifier.methods.quadrature.temperature": 3.0},
        "Its over-confident probabilities have a calibration error of 15.0 %",
        {"cvae.classifier.methods.quadrature.temperature": 0.5},
        "Its under-confident probabilities",
    ),
    (
        "summary", {"vae.plane.grid.precision": 0.62, "ae.plane.grid.precision": 0.05},
        "more than of the autoencoder’s.",
        {"vae.plane.grid.precision": 0.05, "ae.plane.grid.precision": 0.62}, "fewer than of the autoencoder’s.",
    ),
    (
        "summary", {"ae.settings.hidden": [512]}, "Both are the same network",
        {"ae.settings.hidden": []}, "They are trained in another way too",
    ),
    (
        "summary", {"ae.plane.within_grid": 0.31}, "The KL term holds the codes near the prior (Fig. 3)",
        {"ae.plane.within_grid": 0.98}, "The KL term makes no difference to where the codes lie",
    ),
    (
        "summary", {"vae.latents.neighbour_accuracy": 0.65, "ae.latents.neighbour_accuracy": 0.66},
        "about as often as in the autoencoder’s code (65.0 % and 66.0 %)",
        {"vae.latents.neighbour_accuracy": 0.65, "ae.latents.neighbour_accuracy": 0.45},
        "more often than in the autoencoder’s code (65.0 % and 45.0 %)",
    ),
    (
        "summary", {"sweep.saturation_dim": 4},
        "but that at 4 cannot be distinguished from it (difference −0.1 to 0.5 nats",
        {"sweep.saturation_dim": 8}, "lowest at 8, and higher at every smaller",
    ),
    (
        "summary", {"sweep.saturation_dim": 8, "sweep.seeds": 1}, "lowest at 8 (one seed)",
        {"sweep.saturation_dim": 8, "sweep.seeds": 3}, "lowest at 8, and higher",
    ),
    (
        "summary", {"sweep.pca.2": 0.021}, "is worse at 2 and better at 8 (0.0210)",
        {"sweep.pca.2": 0.041}, "PCA is worse at 2 (0.0460) and still worse at 8 (0.0410)",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.accuracy": 0.857},
        "It is right more often than logistic",
        {"cvae.classifier.methods.quadrature.accuracy": 0.803}, "It is right less often than logistic",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.temperature": 3.0},
        "Its over-confident probabilities have a calibration error of 15.0 %; a temperature of 3.0",
        {"cvae.classifier.methods.quadrature.temperature": 1.0}, "Its probabilities have a calibration error of 15.0 %",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.temperature": 0.5}, "Its under-confident",
        {"cvae.classifier.methods.quadrature.temperature": 3.0}, "Its over-confident",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.accuracy": 0.95}, "and more often than a small CNN",
        {"cvae.classifier.methods.quadrature.accuracy": 0.85}, "and less often than a small CNN",
    ),
    (
        "summary", {"cvae.ood.auroc": 0.95}, "log p ( x ) is lower for MNIST (AUROC 0.95)",
        {"cvae.ood.auroc": 0.25}, "log p ( x ) is higher for MNIST (AUROC 0.25)",
    ),
    (
        "summary", {"cvae.likelihood.normalised": False}, "(on grey pixels a score, not a probability)",
        {"cvae.likelihood.normalised": True}, None,
    ),
    (
        "summary", {"vae.likelihood.normalised": False}, "is no normalised likelihood",
        {"vae.likelihood.normalised": True, "vae.likelihood.gap": 3.25}, "ELBO lies 3.2 nats below",
    ),
    (
        "lab8-pca", {"linear.error.0": 0.0461, "linear.angle.0": 1.5}, "it learns the same subspace",
        {"linear.angle.0": 20.0}, "it has not come to the same subspace yet",
    ),
    (
        "lab8-pca", {"linear.angle.1": 30.0, "linear.next_variance.1": 0.95}, "component 33 explains 95 %",
        {"linear.angle.1": 10.0}, None,
    ),
    (
        "lab8-pca", {"hidden.error.0": 0.04}, "lowers the error at 2 dimensions to 0.04000",
        {"hidden.error.0": 0.05}, "raises the error at 2 dimensions to 0.05000",
    ),
    (
        "lab8-pca", {"linear.noise.2": 0.05}, "it copies what it is shown",
        {"linear.noise.2": 0.5}, None,
    ),
    (
        "lab8-pca", {"vae.training.best_epoch": 10}, "lowest after the last epoch",
        {"vae.training.best_epoch": 8}, "no longer improves after epoch 8",
    ),
    (
        "lab8-pca", {"vae.test.squared_error": 0.05}, "above the autoencoder’s 0.0412",
        {"vae.test.squared_error": 0.03}, "below the autoencoder’s 0.0412",
    ),
    (
        "lab8-pca", {"vae.latents.neighbour_accuracy": 0.9, "vae.latents.separation.silhouette.mean": 0.5},
        "So the VAE’s separates them better",
        {"vae.latents.neighbour_accuracy": 0.1, "vae.latents.separation.silhouette.mean": 0.1},
        "So the autoencoder’s separates them better",
    ),
    (
        "lab8-pca", {"vae.latents.neighbour_accuracy": 0.9, "vae.latents.separation.silhouette.mean": 0.1},
        "The two measures disagree",
        {"vae.latents.neighbour_accuracy": 0.65, "ae.latents.neighbour_accuracy": 0.65},
        "So neither separates them better",
    ),
    (
        "lab8-pca", {"digits.latents.neighbour_accuracy": 0.9}, "Fashion-MNIST separates less",
        {"digits.latents.neighbour_accuracy": 0.1}, "Fashion-MNIST separates more",
    ),
    (
        "lab8-pca", {"cvae.augmentation.gain.mean.0": 0.04}, "the CVAE’s add 4.0",
        {"cvae.augmentation.gain.mean.0": -0.03}, "the CVAE’s cost 3.0",
    ),
    (
        "lab10", {"cnn.training.best_epoch": 8}, "lowest after epoch 8 and higher later",
        {"cnn.training.best_epoch": 10}, "lowest after the last epoch",
    ),
    (
        "lab10", {"cnn.test.ink_error": 0.0812, "cnn.test.background_error": 0.0005}, "the background stays clean",
        {"cnn.test.ink_error": 0.02, "cnn.test.background_error": 0.01}, "the background is not clean either",
    ),
    (
        "lab10", {"cnn.projections.codes.plane.silhouette.mean": 0.5}, "better than the pixels’ (silhouette 0.500",
        {"cnn.projections.codes.plane.silhouette.mean": 0.1}, "less well than the pixels’ (silhouette 0.100",
    ),
    (
        "lab10", {"cnn.projections.codes.full.neighbour_accuracy.mean": 0.9}, "comes from projecting 576 dimensions",
        {"cnn.projections.codes.full.neighbour_accuracy.mean": 0.3}, "the plane loses little",
    ),
    (
        "lab8", {"vae.plane.grid.class_share.9": 0.03}, "All 10 classes appear in Fig. 1, by the nearest",
        {f"vae.plane.grid.class_share.{i}": 0.0 for i in range(10)}, "No class appears in Fig. 1",
    ),
    (
        "lab8", {"vae.settings.likelihood": "bernoulli"}, "189.9, the entropy of the grey pixels",
        {"vae.settings.likelihood": "gaussian"}, None,
    ),
    (
        "exercise4", {"vae.settings.likelihood": "gaussian"}, "how many depends on σ",
        {"vae.settings.likelihood": "bernoulli"}, None,
    ),
    (
        "exercise4", {"best.settings.augment": True}, "augmented images",
        {"best.settings.augment": False}, None,
    ),
    (
        "exercise4", {"cvae.classifier.methods.quadrature.temperature": 0.5}, "under-confident",
        {"cvae.classifier.methods.quadrature.temperature": 1.0}, "Its probabilities have",
    ),
    (
        "lab8-pca", {"linear.rank": 784}, "At 32 dimensions the errors are 0.01620 and 0.01600",
        {"linear.rank": 10}, None,
    ),
    (
        "lab8-pca", {"hidden.error.1": 0.01}, "and lowers it at 32 to 0.01000",
        {"hidden.error.1": 0.02}, "and raises it at 32 to 0.02000",
    ),
    (
        "lab8-pca", {"linear.error.2": 0.0101}, "the linear autoencoder’s error is 0.01010",
        {"linear.error.2": 0.00002}, "the linear autoencoder’s error is 2 · 10 −5",
    ),
    (
        "lab8-pca", {"linear.dims.2": 1024}, "With 1024 numbers for pixels of rank 784",
        {
            "linear.dims.2": 500, "linear.angle.2": 30.0, "linear.median_angle.2": 4.0, "linear.next_variance.2": 0.9,
        }, None,
    ),
    (
        "lab8-pca", {"vae.settings.likelihood": "gaussian"}, "summed over pixels, divided by 2σ² = 2.00, plus KL",
        {"vae.settings.likelihood": "bernoulli"}, "the loss is the reconstruction plus KL",
    ),
    (
        "lab8-pca", {"vae.augmentation.gain.mean.0": 0.04}, "of these images, add 4.0",
        {"vae.augmentation.gain.mean.0": -0.03}, "of these images, cost 3.0",
    ),
    (
        "lab8-pca", {"vae.augmentation.sizes": [100, 1000]}, "with 1000 it is +1.0 and +1.0",
        {"vae.augmentation.sizes": [100]}, None,
    ),
    (
        "summary", {"sweep.pca.0": 0.03, "sweep.pca.2": 0.05}, "PCA is better at 2 (0.0300) and worse at 8 (0.0500)",
        {"sweep.pca.0": 0.03, "sweep.pca.2": 0.02}, "PCA is better at 2 (0.0300) and still better at 8",
    ),
    (
        "summary", {"cvae.settings.likelihood": "bernoulli"}, "Relative to the most that any decoder could reach",
        {"cvae.settings.likelihood": "gaussian"}, None,
    ),
    (
        "exercise4", {"sweep.best_dim": 2, "sweep.saturation_dim": 2}, "lowest at 2.",
        {"sweep.saturation_dim": 8}, "higher at every smaller number of them",
    ),
    (
        "exercise4", {"vae.failures.share.ambiguous": 0.4}, "between two digits it draws neither",
        {"vae.failures.share.ambiguous": 0.06}, None,
    ),
    (
        "summary", {"sweep.best_dim": 2, "sweep.saturation_dim": 2}, "lowest at 2.",
        {"sweep.saturation_dim": 8}, "higher at every smaller number of them",
    ),
    (
        "summary", {"cvae.classifier.methods.quadrature.temperature_scaled.ece": 0.3}, "raises it to 30.0 %",
        {"cvae.classifier.methods.quadrature.temperature_scaled.ece": 0.02}, "lowers it to 2.0 %",
    ),
    (
        "lab8", {"vae.plane.grid.inner": 0.8, "vae.plane.grid.outer": 0.5},
        "beyond three 50 %: less often at the rim.",
        {"vae.plane.grid.inner": 0.6, "vae.plane.grid.outer": 0.6}, "60 % pass, beyond three 60 %.",
    ),
    (
        "lab8", {"vae.plane.grid.inner": 0.5, "vae.plane.grid.outer": 0.7},
        "50 % pass, beyond three 70 %: less often in the middle",
        {"vae.plane.grid.inner": None}, None,
    ),
    (
        "lab8-pca", {"vae.training.kl": [3.0, 6.0]}, "its KL term rises from 3.0 to 6.0: the codes come to say more",
        {"vae.training.kl": [6.0, 3.0]}, "its KL term falls from 6.0 to 3.0.",
    ),
    (
        "lab8-pca", {"vae.training.reconstruction": [280.0, 260.0]}, "reconstruction term falls from 280.0 to 260.0",
        {"vae.training.reconstruction": [260.0, 280.0]}, "reconstruction term rises from 260.0 to 280.0",
    ),
    (
        "lab8-pca", {"vae.training.kl": [3.0, 6.0]}, "From the first epoch to the last",
        {"vae.training.kl": None}, None,
    ),
    (
        "exercise4", {"vae.settings.sigma": 1.0, "vae.settings.likelihood": "gaussian"}, "½‖x − x̂‖²",
        {"vae.settings.sigma": 0.5, "vae.settings.likelihood": "gaussian"}, None,
    ),
    (
        "exercise4", {"cvae.notebook.neighbour_accuracy": 0.12}, "name the digit of only 12 %",
        {"cvae.notebook.neighbour_accuracy": 0.72}, None,
    ),
    (
        "summary", {"ae.settings.hidden": [256]}, "(the autoencoder: hidden layer of 256 units)",
        {"ae.settings.hidden": [512]}, None,
    ),
    (
        "lab8", {"ae.plane.grid.precision": 0.05, "ae.plane.reconstructions": 0.3}, "but more than in between.",
        {"ae.plane.grid.precision": 0.3, "ae.plane.reconstructions": 0.3}, "gaps between the codes do not explain it.",
    ),
    (
        "lab8", {"control.settings.hidden": [512], "ae.settings.hidden": []}, "the control has the VAE’s",
        {"control.settings.hidden": [512], "ae.settings.hidden": [512]}, None,
    ),
    (
        "lab8", {"control.plane.grid.precision": 0.6, "ae.plane.grid.precision": 0.3},
        "pass more often (60 % against 30 %)",
        {"control.plane.grid.precision": 0.3, "ae.plane.grid.precision": 0.6}, "pass less often (30 % against 60 %)",
    ),
    (
        "lab10", {"cnn.projections.codes.between_classes": 0.3}, "less than in the pixels’ (40 %)",
        {"cnn.projections.codes.between_classes": 0.5}, "more than in the pixels’ (40 %)",
    ),
    (
        "lab10", {"cnn.projections.codes.explained": [0.1, 0.1]}, "two directions hold less of the codes’ variance",
        {"cnn.projections.codes.explained": [0.3, 0.3]}, None,
    ),
    (
        "summary", {"sweep.seeds": 3}, "units, on average", {"sweep.seeds": 1}, None,
    ),
    (
        "lab8", {"control.settings.epochs": 10}, "differs from the VAE by noise and KL term alone",
        {"control.settings.epochs": 20}, "The control is trained in another way too",
    ),
    (
        "plane", {"exact.settings.epochs": 10},
        "The first four have the same hidden layers of 512 and 512 units, data, epochs and seed",
        {"exact.settings.epochs": 20}, "The first four are not trained alike",
    ),
    (
        "plane", {"exact.likelihood.log_likelihood": -255.0, "vae_fourier.likelihood.log_likelihood": -258.0,
                  "exact_fourier.likelihood.log_likelihood": -240.0},
        "change the VAE’s by +2.0 (0.0), both together by +20.0 (0.0): on MNIST more than the sum of the two, 7.0.",
        {"exact_fourier.likelihood.log_likelihood": -262.0}, "by −2.0 (0.0): on MNIST less than the sum of the two, ",
    ),
    (
        "plane", {"large.likelihood.log_likelihood": -111.9}, "(Davidson et al. 2018), both below ours; with five",
        {"large.likelihood.log_likelihood": -140.0}, "(Davidson et al. 2018); ours is not above both;",
    ),
    (
        "plane", {"exact_fourier.latents.neighbour_accuracy": 0.95},
        "classify 95.0 % of the test images correctly in the plane of Fig. 2, more than in the VAE’s (65.0 %)",
        {"exact_fourier.latents.neighbour_accuracy": 0.5}, "fewer than in the VAE’s (65.0 %)",
    ),
    (
        "plane", {"exact_fourier.plane.change_per_unit": 20.0},
        "The price is a steeper map: ‖∂x/∂z‖ (Frobenius, mean over the prior) is 20.0",
        {"exact_fourier.plane.change_per_unit": 4.0},
        "The slope of its map, ‖∂x/∂z‖ (Frobenius, mean over the prior) is 4.0",
    ),
    (
        "plane", {"exact_fourier.plane.samples": 0.9}, "Still more samples pass as real (90 %; VAE:",
        {"exact_fourier.plane.samples": 0.3}, "Of its samples fewer pass as real (30 %; VAE:",
    ),
    (
        "plane", {"conditional.classifier.methods.quadrature.accuracy": 0.97},
        "exact training is right more often than the CVAE and more often than a CNN",
        {"conditional.classifier.methods.quadrature.accuracy": 0.5},
        "exact training is right less often than the CVAE and less often than a CNN",
    ),
    (
        "plane", {"cvae.settings.epochs": 10}, "With the same decoder (hidden layers of 1024 and 1024 units), images",
        {"cvae.settings.fourier_features": 64}, "The two differ in more than their training; the exact model is right",
    ),
]  # fmt: skip


SIDES = {
    (0.1, -0.2): "in the middle", (2, 0.1): "on the right", (-2, -0.5): "on the left", (0.3, 2): "at the top",
    (-0.3, -2): "at the bottom", (1, 1): "at the top right", (-1, -2): "at the bottom left",
}  # fmt: skip


@pytest.fixture
def no_fonts(monkeypatch):
    """Leave out the fonts, which take most of the time and add no text."""
    monkeypatch.setattr(render, "font_faces", lambda html: "")


@pytest.mark.parametrize(("name", "changes", "claim", "opposite_changes", "opposite_claim"), CLAIMS)
def test_a_claim_follows_its_metrics(name, changes, claim, opposite_changes, opposite_claim, tmp_path, no_fonts):
    text, opposite_text = (page_text(name, tmp_path, values) for values in (changes, opposite_changes))
    assert without_spaces(claim) in text and without_spaces(claim) not in opposite_text
    if opposite_claim is not None:
        assert without_spaces(opposite_claim) in opposite_text and without_spaces(opposite_claim) not in text


def page_text(name, folder, changes):
    """All text of a page but its title and footer: captions claim something, too."""
    main = re.search(r"<header>.*</main>", planted.html(name, folder, changes), re.DOTALL)
    return without_spaces(planted.plain_text(main[0]))


def without_spaces(text):
    """Text without the spaces that tags and thin spaces leave."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(("centre", "side"), SIDES.items())
def test_the_side_of_a_plane_is_named(centre, side, tmp_path, no_fonts):
    far = {f"vae.latents.centres.{i}": [0.01 * i, 0.0] for i in range(10)}
    text = page_text("lab8", tmp_path, far | {"vae.latents.centres.0": [50 * z for z in centre]})
    expected = side if side != "in the middle" else "at the bottom right"  # 50 times as far, no middle is left
    assert without_spaces(f"median codes (Fig. 4) are those of T-shirt {expected},") in text


@pytest.mark.parametrize(
    ("correlation", "words"),
    [(0.83, "encodes width (ρ = 0.83)"), (-0.41, "weakly encodes width (ρ = −0.41)"), (0.25, "width comes closest")],
)
def test_a_style_is_named_as_strongly_as_it_was_measured(correlation, words, tmp_path, no_fonts):
    changes = {f"cvae.notebook.{name}.mean.0": 0.1 for name in ("slant", "thickness")}
    text = page_text("exercise4", tmp_path, changes | {"cvae.notebook.width.mean.0": correlation})
    assert without_spaces(words) in text
    assert ("weakly" in text) == (abs(correlation) == 0.41)


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
    assert list(violations(tmp_path / "page.pdf")) == []


def test_a_preview_is_marked_across_the_page_and_says_what_it_is(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(planted.html("summary", tmp_path, preview=True))
    print_pdf(path, tmp_path / "page.pdf")
    with pdfplumber.open(tmp_path / "page.pdf") as pdf:
        text, stamp = pdf.pages[0].extract_text(), [char for char in pdf.pages[0].chars if char["matrix"][1]]
    assert "A first look, from short trainings on few images: not to be handed in" in text
    assert "".join(char["text"] for char in stamp) == "PREVIEW" and pdf.metadata["Title"].endswith(" (preview)")
    assert min(char["size"] for char in stamp) > 50


@pytest.mark.parametrize("name", ["lab8", "exercise4", "summary"])
def test_every_figure_is_described_with_measured_numbers(name, tmp_path, no_fonts):
    alts = re.findall(r'<img src="[^"]*" alt="([^"]*)"', planted.html(name, tmp_path))
    assert alts and all(len(alt) > 30 for alt in alts) and len(set(alts)) == len(alts)
    assert all(re.search(r"\d", alt) for alt in alts)


@pytest.mark.parametrize("name", planted.ASSIGNMENTS)
def test_figures_and_tables_are_numbered_in_the_order_of_the_page_and_each_number_that_is_named_exists(
    name, tmp_path, no_fonts
):
    html = planted.html(name, tmp_path)
    for kind in ("Fig", "Table"):
        numbers = [int(number) for number in re.findall(rf"<b>{kind}\.? (\d+)</b>", html)]
        assert numbers == list(range(1, len(numbers) + 1))
    named = re.findall(r"Figs?\.(?:\s|&nbsp;|\xa0)(\d+)(?: and (\d+))?", planted.plain_text(html))
    assert {int(number) for pair in named for number in pair if number} <= set(range(1, html.count("<figure") + 1))


def test_a_students_section_replaces_one_section_and_the_others_stay(tmp_path, no_fonts):
    path = tmp_path / "mine.md"
    path.write_text("## 2.2\n\nMy *own* words: {{ vae.test.kl }}.\n")
    text = extract_discussion(planted.html("lab8", tmp_path, discussion=path))
    assert "<h2>2.2 What differs, and why</h2>" in text and "<p>My <em>own</em> words: 6.7.</p>" in text
    assert "Coverage" not in text and "reaches a negated ELBO" in text and "reconstruction loss of 260.1 nats" in text


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

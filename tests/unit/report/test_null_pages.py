"""Pages on models between which there is no difference, or that have learned nothing: they may claim neither."""

import re

import msgspec
import planted
import pytest
from test_pages import page_text, without_spaces

from latentlab.report import render
from latentlab.report.text import extract_discussion

DIFFERENCES = ("more", "fewer", "less", "better", "worse", "raises", "lowers", "higher", "lower", "above", "below")
CHANCE = 0.1


@pytest.fixture(autouse=True)
def no_fonts(monkeypatch):
    monkeypatch.setattr(render, "font_faces", lambda html: "")


def text_of_equal_models(assignment_name, folder, names):
    """The discussion if the models `names` are one and the same."""
    assignment = planted.load(assignment_name)
    metrics = planted.metrics(assignment, folder)
    first, *others = (metrics[name] for name in names)
    for other in others:
        for key in ("test", "plane", "latents", "settings"):
            if hasattr(first, key):
                setattr(other, key, getattr(first, key))
        if hasattr(first, "notebook"):  # the classifier is the conditional model's alone
            other.notebook = msgspec.structs.replace(first.notebook, classifier=other.notebook.classifier)
    template = planted.TEMPLATES / assignment_name / "page.html.j2"
    html = render.render_page(template, planted.page(assignment, folder), metrics, planted.provenance(metrics))
    return planted.plain_text(extract_discussion(html))


@pytest.mark.parametrize(
    ("name", "models", "claims"),
    [
        (
            "lab8",
            ("vae", "control", "ae"),
            (
                "about as often as the VAE’s",
                "here that does not explain a difference",
                "which cannot be told apart",
                "is hardly changed by noise and KL term and hardly changed by the hidden layer",
            ),
        ),
        (
            "summary",
            ("vae", "ae"),
            (
                "about as many as of the autoencoder’s",
                "makes no difference to where the codes lie",
                "about as often as in the autoencoder’s code",
            ),
        ),
        (
            "exercise4",
            ("vae", "cvae"),
            ("is about that of the VAE’s", "has not taken the digit out of this code"),
        ),
        (
            "plane",
            ("vae", "vae_fourier", "exact", "exact_fourier"),
            (
                "changes log p ( x ) by 0.0 nats",
                "both together by 0.0 (0.0): on MNIST about the sum of the two, 0.0",
                "about as many as in the VAE’s (",
                "Of its samples about as many pass as real (",
            ),
        ),
        ("lab8-pca", ("vae", "ae"), ("So neither separates them better", "close to the autoencoder’s")),
    ],
)
def test_the_same_model_twice_shows_no_difference(name, models, claims, tmp_path):
    text = text_of_equal_models(name, tmp_path, models)
    assert [claim for claim in claims if without_spaces(claim) not in without_spaces(text)] == []


def test_two_equal_models_of_lab_8_are_compared_without_a_word_of_difference(tmp_path):
    text = text_of_equal_models("lab8", tmp_path, ("vae", "control", "ae"))
    comparison = text[text.index("Coverage.") :]
    assert [word for word in DIFFERENCES if re.search(rf"\b{word}\b", comparison)] == []


def test_a_blank_decoder_is_not_said_to_draw_anything(tmp_path):
    blank = {f"vae.plane.grid.class_share.{i}": 0.0 for i in range(10)}
    blank |= {
        f"{model}.plane.{key}": 0.0
        for model in ("ae", "control", "vae")
        for key in ("grid.precision", "reconstructions")
    }
    text = page_text("lab8", tmp_path, blank)
    assert without_spaces("0 % of the pictures pass as real") in text
    assert without_spaces("No class appears in Fig. 1") in text
    assert without_spaces("even at the codes of real images fewer pass") in text


@pytest.mark.parametrize("name", ["lab8", "summary"])
def test_codes_with_shuffled_labels_separate_no_classes(name, tmp_path):
    """Accuracies at chance: neither model is said to be better, and the share is printed as it is."""
    models = {"lab8": ("ae", "control", "vae"), "summary": ("ae", "vae")}[name]
    text = page_text(name, tmp_path, {f"{model}.latents.neighbour_accuracy": CHANCE for model in models})
    accuracy = {"lab8": "5-neighbour accuracy 10.0 %", "summary": "(10.0 % and 10.0 %)"}
    alike = {"lab8": "is hardly changed by noise and KL term", "summary": "about as often as in the autoencoder’s code"}
    assert without_spaces(accuracy[name]) in text and without_spaces(alike[name]) in text


def test_a_plane_without_clusters_is_not_said_to_have_them(tmp_path):
    flat = {
        f"cnn.projections.{part}.plane.silhouette.classes.{i}": -0.05 for part in ("codes", "pixels") for i in range(10)
    }
    text = page_text("lab10", tmp_path, flat)
    assert without_spaces("in the codes’ plane, no class, and in the pixels’ no class") in text
    assert without_spaces("for 10 of the ten digits among the codes and 10 among the pixels") in text


def test_a_classifier_at_chance_is_not_said_to_succeed(tmp_path):
    key = "cvae.classifier.methods.quadrature"
    changes = {f"{key}.accuracy": CHANCE, "cvae.ood.auroc": 0.5, f"{key}.temperature": 1.0}
    text = page_text("summary", tmp_path, changes)
    for claim in ("less often than logistic regression", "less often than a small CNN", "is about as high for MNIST"):
        assert without_spaces(claim) in text

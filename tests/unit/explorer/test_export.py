import json
import re
from html.parser import HTMLParser

import msgspec
import numpy as np
import planted
import pytest
import torch
from packed import unpack
from pages import ABOUT
from scipy.stats import multivariate_normal

from latentlab.explorer import export
from latentlab.models.families import build_model
from latentlab.records.datasets import get_dataset
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings

MNIST = get_dataset("MNIST")
IMAGES = np.zeros((30, 28, 28), np.uint8)


def build(family="vae", dataset=MNIST, **settings):
    return build_model(ModelSpec.of(ModelSettings(family=family, **settings), dataset))


def describe(model, label="VAE", n=30):
    rng = np.random.default_rng(0)
    codes = {"test_codes": rng.normal(size=(n, 2)), "test_labels": np.arange(n) % model.spec.n_classes}
    if model.generative:
        codes["test_log_var"] = rng.normal(size=(n, 2)) - 2
    return export.describe_model(model, label, codes, "0" * 64)


def render(models, images=IMAGES, n_classes=10, **about):
    labels, classes = np.arange(len(images)) % n_classes, [f"class {i}" for i in range(n_classes)]
    folder = planted.TEMPLATES / "explorer"
    return export.render_explorer(folder, models, images, labels, classes, planted.ROOT / "matplotlibrc", ABOUT | about)


def test_colours_are_repeated_where_there_are_more_classes_than_colours():
    style = planted.ROOT / "matplotlibrc"
    few, many = export.class_colours(style, 3), export.class_colours(style, 100)
    assert len(few) == len(set(few)) == 3 and few == many[:3]
    assert len(many) == 100 and set(many) == set(many[:10]) and many[:10] == many[10:20]
    assert "class 11" in render([describe(build())], n_classes=12)


def test_the_density_of_one_gaussian_is_that_gaussian_with_the_highest_z2_in_the_first_row():
    x, y = np.linspace(-2, 2, 5), np.linspace(-3, 3, 7)
    mean, log_var = np.array([[0.5, 1.0]]), np.log(np.array([[0.25, 2.0]]))
    density = export.mixture_density(x, y, mean, log_var)
    truth = multivariate_normal(mean[0], np.diag([0.25, 2.0]))
    assert density.shape == (7, 5)
    assert density[0, 1] == pytest.approx(truth.pdf([-1, 3])) and density[6, 4] == pytest.approx(truth.pdf([2, -3]))


def test_a_density_integrates_to_one():
    axis = np.linspace(-12, 12, 400)
    rng = np.random.default_rng(0)
    density = export.mixture_density(axis, axis, rng.normal(size=(50, 2)), rng.normal(size=(50, 2)))
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("settings", "n_densities"), [({"family": "autoencoder"}, 0), ({}, 1), ({"conditional": True}, 10)]
)
def test_a_model_has_no_density_one_or_one_for_each_label(settings, n_densities):
    densities = describe(build(**settings)).densities
    assert len(densities) == n_densities
    for density in densities:
        assert unpack(density, "u1").max() == 255 and unpack(density, "u1").size == export.DENSITY_SIZE**2


def test_the_plane_holds_all_points_and_is_square_around_the_prior():
    codes = np.array([[-1.0, 4.0], [3.0, 2.0]])
    low, high = export.view_range(codes, generative=True)
    assert low == (-high[0], -high[1]) and high[0] == high[1] > 4
    low, high = export.view_range(codes, generative=False)
    assert low == pytest.approx((-1.2, 1.9)) and high == pytest.approx((3.2, 4.1))


def test_models_that_cannot_be_decoded_or_do_not_fit_are_named():
    softplus = build()
    softplus.decoder.append(torch.nn.Softplus())
    convolutional = describe(build("convolutional"), "convolutional")  # its linear layers are not all of its decoder
    assert convolutional.decoder is None and convolutional.encoder is None
    small, large = describe(build(), "small"), describe(build(hidden=(512,)), "large")
    selected, omitted = export.select_models([describe(softplus, "softplus"), large, small], 60_000)
    assert [model.label for model in selected] == ["small"] and omitted == ["softplus", "large"]
    assert "Not here" in render([describe(softplus, "softplus"), small]) and "Not here" not in render([small])


def test_one_model_of_each_kind_comes_before_second_ones():
    models = [describe(build(hidden=(64,)), name) for name in ("first", "second")]
    models += [describe(build("autoencoder", hidden=(64,)), "autoencoder"), describe(build("exact"), "exact")]
    two = sum(len(json.dumps(model.to_dict())) for model in (models[0], *models[2:]))
    selected, omitted = export.select_models(models, two)
    assert [model.label for model in selected] == ["first", "autoencoder", "exact"] and omitted == ["second"]


def test_a_model_that_infers_labels_comes_before_all_others():
    models = [describe(build(hidden=(64,)), "VAE"), describe(build("exact", hidden=(64,)), "exact")]
    models += [describe(build(hidden=(512,), conditional=True), "large")]
    models += [describe(build("exact", hidden=(64,), conditional=True), name) for name in ("conditional", "second")]
    sizes = [len(json.dumps(model.to_dict())) for model in models]
    for max_bytes, labels in (
        (sizes[3], ["conditional"]),  # the first of those that infer labels that fits at all
        (sizes[3] + sizes[1], ["exact", "conditional"]),
        (sizes[3] + sizes[1] + sizes[0], ["VAE", "exact", "conditional"]),  # none of these is a second one of its kind
        (sum(sizes) - 1, ["VAE", "exact", "large", "conditional"]),
        (min(sizes) - 1, []),
    ):
        selected, omitted = export.select_models(models, max_bytes)
        assert [model.label for model in selected] == labels
        assert {*labels, *omitted} == {model.label for model in models}


def test_posteriors_are_computed_as_far_as_those_of_quadrature():
    codes = {"test_codes": np.array([[3.0, 4.0], [0.0, 0.0]]), "test_log_var": np.log([[4.0, 1.0], [1.0, 1.0]])}
    assert export.posterior_reach(codes) == pytest.approx(5 + 5 * 2)
    assert export.posterior_reach({"test_codes": codes["test_codes"]}) == 7


@pytest.mark.parametrize(("size", "fills"), [(20, True), (27, False)])
def test_drawings_are_scaled_if_the_images_are(size, fills):
    images = np.zeros((5, 28, 28), np.uint8)
    images[:, :size, 3:9] = 200
    assert export.fills_box(images) is fills and export.fills_box(np.zeros((2, 28, 28), np.uint8))


def test_a_page_without_a_model_only_names_what_is_missing():
    html = render([describe(build("convolutional"), "conv")])
    assert "conv" in html and not any(tag in html for tag in ("<script", "<canvas", "<input"))


@pytest.mark.parametrize("generative", [True, False])
def test_a_plane_whose_points_coincide_has_a_range(generative):
    low, high = export.view_range(np.full((5, 2), 1e-5), generative)
    assert low[0] < high[0] and low[1] < high[1] and (high[0] > 2 or not generative)


class PageParser(HTMLParser):
    """Collects the text of each script and style, every attribute that would load something, and the policy."""

    def __init__(self, html):
        super().__init__()
        self.element, self.texts, self.sources, self.policy = None, {}, [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.element = (tag, attrs.get("type")) if tag in ("script", "style") else None
        self.sources += [attrs[key] for key in ("src", "href") if key in attrs]
        self.policy = attrs["content"] if attrs.get("http-equiv") == "Content-Security-Policy" else self.policy

    def handle_data(self, data):
        if self.element:
            self.texts[self.element] = self.texts.get(self.element, "") + data

    def handle_endtag(self, tag):
        self.element = None


def page_data(html):
    return json.loads(PageParser(html).texts["script", "application/json"])


def test_the_page_allows_its_own_script_and_nothing_else():
    parser = PageParser(render([describe(build())]))
    assert parser.sources and all(source.startswith("data:image/png;") for source in parser.sources)
    assert "default-src 'none'" in parser.policy and "unsafe" not in parser.policy
    for element in (("script", "module"), ("style", None)):
        assert export.content_hash(parser.texts[element]) in parser.policy
    assert not re.search(r"^(import|export)\b", parser.texts["script", "module"], re.MULTILINE)


def test_names_cannot_end_the_script():
    label = "</script><script>alert(1)</script>"
    html = render([describe(build(), label)], title=label)
    assert "<script>alert" not in html
    assert page_data(html)["models"][0]["label"] == label


def test_a_preview_says_so():
    html = render([describe(build())], preview=True)
    assert "A first look" in html and "(preview)</title>" in html


def test_a_page_on_synthetic_data_says_so():
    html = render([describe(build())], synthetic=True)
    assert "not to be handed in" in html and "(on synthetic data)</title>" in html
    assert "not to be handed in" not in render([describe(build())])


def test_the_page_takes_shapes_and_classes_from_its_models_and_images():
    dataset = msgspec.structs.replace(MNIST, image_shape=(12, 20), classes=("a", "b", "c"))
    model = describe(build(dataset=dataset, conditional=True))
    assert len(model.densities) == 3 and unpack(model.decoder[-1].bias, "<f4").shape == (240,)
    html = render([model], np.zeros((30, 12, 20), np.uint8))
    assert page_data(html)["image_shape"] == [12, 20]
    assert '<canvas class="decoded saved" width="20" height="12"' in html
    assert '<canvas id="fade" class="steps saved" width="180" height="12"' in html

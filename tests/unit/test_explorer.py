import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from latentlab import explorer, models

ROOT = Path(__file__).parents[2]
ABOUT = {"title": "T", "dataset": "MNIST", "stand_in": False, "data": "d" * 64, "version": "1", "commit": "c"}


def unpack(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def described(model, label="VAE", n=30, output="sigmoid"):
    rng = np.random.default_rng(0)
    codes = {"test_mean": rng.normal(size=(n, 2)), "test_labels": np.arange(n) % 10}
    if isinstance(model, models.VAE):
        codes["test_log_var"] = rng.normal(size=(n, 2)) - 2
    found = explorer.describe(model, {"settings": {"output": output}}, label, codes)
    return found | {"weights": "0" * 64}


def page(found, **about):
    images, labels = np.zeros((30, 28, 28), np.uint8), np.arange(30) % 10
    classes = [f"class {i}" for i in range(10)]
    folder = ROOT / "templates/explorer"
    return explorer.render(folder, found, images, labels, classes, ROOT / "matplotlibrc", ABOUT | about)


def test_the_packed_layers_are_the_decoder():
    torch.manual_seed(0)
    model = models.VAE(2, [16, 8])
    z = torch.randn(5, 2)
    values = z.numpy()
    for layer in explorer.pack_layers(model.decoder):
        scales = unpack(layer["scales"], "<f4")
        weights = unpack(layer["weights"], "<i2").reshape(len(scales), -1) * scales[:, None]
        values = values @ weights.T + unpack(layer["bias"], "<f4")
        if layer["activation"] == "ReLU":
            values = np.maximum(values, 0)
    assert values == pytest.approx(model.decode(z).detach().numpy(), abs=1e-4)


def test_the_density_of_one_gaussian_is_that_gaussian_with_the_highest_z2_in_the_first_row():
    x, y = np.linspace(-2, 2, 5), np.linspace(-3, 3, 7)
    mean, log_var = np.array([[0.5, 1.0]]), np.log(np.array([[0.25, 2.0]]))
    found = explorer.mixture(x, y, mean, log_var)
    truth = multivariate_normal(mean[0], np.diag([0.25, 2.0]))
    assert found[0, 1] == pytest.approx(truth.pdf([-1, 3])) and found[6, 4] == pytest.approx(truth.pdf([2, -3]))


def test_a_density_holds_one_unit_of_probability():
    steps = np.linspace(-12, 12, 400)
    rng = np.random.default_rng(0)
    found = explorer.mixture(steps, steps, rng.normal(size=(50, 2)), rng.normal(size=(50, 2)))
    assert found.sum() * (steps[1] - steps[0]) ** 2 == pytest.approx(1, abs=1e-3)


def test_a_point_code_has_no_density_and_a_conditional_one_a_density_for_each_label():
    counts = [
        len(described(model)["densities"])
        for model in (models.Autoencoder(2), models.VAE(2), models.VAE(2, conditional=True))
    ]
    assert counts == [0, 1, 10]


def test_the_plane_holds_all_points_and_is_square_around_the_prior():
    codes = {"test_mean": np.array([[-1.0, 4.0], [3.0, 2.0]])}
    low, high = explorer.view(codes, random=True)
    assert low == [-high[0], -high[1]] and high[0] == high[1] > 4
    low, high = explorer.view(codes, random=False)
    assert low == pytest.approx([-1.2, 1.9]) and high == pytest.approx([3.2, 4.1])


def test_what_cannot_be_decoded_or_does_not_fit_is_left_out_by_name():
    odd = models.VAE(2)
    odd.decoder.append(torch.nn.Softplus())
    pooled = described(models.Convolutional(2), "pooled")  # whose linear layer is not all
    assert pooled["layers"] is None
    small, large = described(models.VAE(2), "small"), described(models.VAE(2, [512]), "large")
    kept, left_out = explorer.fit([described(odd, "odd"), large, small], 60_000)
    assert [one["label"] for one in kept] == ["small"] and left_out == ["odd", "large"]
    assert "Not here" in page([described(odd, "odd"), small]) and "Not here" not in page([small])


def test_without_a_model_there_is_nothing_but_its_name():
    html = page([described(models.Convolutional(2), "pooled")])
    assert "pooled" in html and not any(tag in html for tag in ("<script", "<canvas", "<input"))


@pytest.mark.parametrize("random", [True, False])
def test_a_plane_of_one_point_can_be_drawn(random):
    low, high = explorer.view({"test_mean": np.full((5, 2), 1e-5)}, random)
    assert low[0] < high[0] and low[1] < high[1] and (high[0] > 2 or not random)


class Parts(HTMLParser):
    """The text of each script and style, and every attribute that would load something."""

    def __init__(self, html):
        super().__init__()
        self.inside, self.texts, self.loaded, self.policy = None, {}, [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.inside = (tag, attrs.get("type")) if tag in ("script", "style") else None
        self.loaded += [attrs[key] for key in ("src", "href") if key in attrs]
        self.policy = attrs["content"] if attrs.get("http-equiv") == "Content-Security-Policy" else self.policy

    def handle_data(self, text):
        if self.inside:
            self.texts[self.inside] = self.texts.get(self.inside, "") + text

    def handle_endtag(self, tag):
        self.inside = None


def test_the_page_lets_its_own_script_run_and_nothing_else():
    parts = Parts(page([described(models.VAE(2))]))
    assert all(source.startswith("data:image/png;") for source in parts.loaded)
    assert "default-src 'none'" in parts.policy and "unsafe" not in parts.policy
    for kind in (("script", "module"), ("style", None)):
        assert explorer.content_hash(parts.texts[kind]) in parts.policy
    assert not re.search(r"^(import|export)\b", parts.texts["script", "module"], re.MULTILINE)


def test_names_cannot_end_the_script():
    label = "</script><script>alert(1)</script>"
    html = page([described(models.VAE(2), label)], title=label)
    assert "<script>alert" not in html
    assert json.loads(Parts(html).texts["script", "application/json"])["models"][0]["label"] == label


def test_stand_in_pictures_are_named():
    assert "not to be handed in" in page([described(models.VAE(2))], stand_in=True)
    assert "not to be handed in" not in page([described(models.VAE(2))])

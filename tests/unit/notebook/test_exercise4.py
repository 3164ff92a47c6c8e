"""The cells of exercise 4's notebook on planted models."""

import ast
import re
from types import SimpleNamespace

import numpy as np
import planted
import pytest
import torch
import yaml
from matplotlib import pyplot as plt
from scipy.stats import spearmanr

from latentlab.models.families import build_model
from latentlab.models.objective import kl_to_prior
from latentlab.records.config import resolve_model
from latentlab.records.datasets import get_dataset
from latentlab.records.notebooks import GLOBAL_SETTINGS, SHARED_SETTINGS, cell_names, notebook_settings
from latentlab.records.runs import ModelSpec

PATH = planted.TEMPLATES / "exercise4/cvae.py"
CODE = PATH.read_text(encoding="utf-8")
CELLS = dict(zip(cell_names(CODE, "cvae.py"), re.split(r"^# %% \w+\n", CODE, flags=re.MULTILINE)[1:], strict=True))
CONFIG = yaml.safe_load((planted.ROOT / "config.yaml").read_text(encoding="utf-8"))
CONFIGS = {"VAE": "exercise4-notebook-vae", "CVAE": "exercise4-notebook-cvae"}


@pytest.fixture(autouse=True)
def no_windows(monkeypatch):
    """Figures are not shown, and gradients are computed again afterwards."""
    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    yield
    torch.set_grad_enabled(True)


def run(*cells, **names):
    """The names that cells define, run one after the other with `names` at hand."""
    namespace = dict(names)
    for cell in cells:
        exec(CELLS[cell], namespace)
    return SimpleNamespace(**{name: value for name, value in namespace.items() if not name.startswith("__")})


@pytest.fixture
def cells():
    return run("imports", "settings", "model", "objective")


def test_the_code_imports_nothing_of_this_project():
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(ast.parse(CODE))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported == {"itertools", "json", "math", "matplotlib", "numpy", "sklearn", "torch", "torchvision"}
    assert "latentlab" not in CODE and "results/" not in CODE


def test_its_own_settings_are_those_of_config_yaml(cells):
    values = notebook_settings(CONFIG, "exercise4/cvae", "MNIST")
    assert {key: getattr(cells, key) for key in values} == values
    assert set(values) == {"dataset", *SHARED_SETTINGS, *GLOBAL_SETTINGS}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_model_has_the_layers_and_names_of_the_library_s(cells, name):
    expected = build_model(ModelSpec.of(resolve_model(CONFIG, CONFIGS[name]), get_dataset("MNIST"))).state_dict()
    weights = getattr(cells, name)().state_dict()
    assert {key: value.shape for key, value in weights.items()} == {key: w.shape for key, w in expected.items()}
    widths = [weights[f"encoder.{i}.weight"].shape[0] for i in (0, 2, 4)]
    assert widths == [512, 256, 4] and weights["decoder.4.weight"].shape == (784, 512)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_negated_elbo_is_the_library_s_for_the_same_weights_and_noise(cells, name):
    model = getattr(cells, name)()
    library = build_model(ModelSpec.of(resolve_model(CONFIG, CONFIGS[name]), get_dataset("MNIST")))
    library.load_state_dict(model.state_dict())
    x, y = torch.rand(5, 784), torch.arange(5)
    with torch.no_grad():
        torch.manual_seed(1)
        reconstruction, kl = cells.negated_elbo(x, *model(x, y))
        torch.manual_seed(1)
        expected = library.evaluation_terms(x, y)
    torch.testing.assert_close(reconstruction, expected["reconstruction"])
    torch.testing.assert_close(kl, expected["kl"])


def test_the_kl_term_is_that_between_two_gaussians(cells):
    mean, log_var = torch.randn(4, 2), torch.randn(4, 2)
    kl = cells.negated_elbo(torch.zeros(4, 784), torch.zeros(4, 784), mean, log_var)[1]
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (log_var / 2).exp()), normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl, expected)
    torch.testing.assert_close(kl, kl_to_prior(mean, log_var))


def test_the_likelihood_has_the_standard_deviation_of_the_settings():
    cells = run("imports", "objective", sigma=0.5)
    x, x_hat = torch.rand(3, 784), torch.rand(3, 784)
    reconstruction = cells.negated_elbo(x, x_hat, torch.zeros(3, 2), torch.zeros(3, 2))[0]
    torch.testing.assert_close(reconstruction, -torch.distributions.Normal(x_hat, 0.5).log_prob(x).sum(1))


def test_a_grid_shows_z1_to_the_right_and_z2_upwards(cells):
    """A planted decoder writes z1 into the first pixel of each image and z2 into the second."""

    def decode(z):
        images = torch.zeros(len(z), 784)
        images[:, :2] = z
        return images

    shown = []
    ax = SimpleNamespace(imshow=lambda picture, **options: shown.append((picture, options)), set=lambda **labels: None)
    vae = SimpleNamespace(decode=decode)
    namespace = run("imports", "vae_grid", vae=vae, grid_min=-4.0, grid_max=4.0, grid_samples=3)
    namespace.decoder_grid(ax, decode, torch.tensor([-1.0, 0.0, 2.0]))
    picture, options = shown[0]
    assert picture[0, 0] == -1 and picture[0, 1] == 2, "top left: the smallest z1, the largest z2"
    assert picture[-28, -28] == 2 and picture[-28, -27] == -1, "bottom right: the largest z1, the smallest z2"
    assert options["extent"] == (-1.5, 2.5, -1.5, 2.5)


def test_bayes_rule_finds_the_label_that_explains_an_image(cells):
    """A planted decoder draws its label's prototype whatever z is, so that log p(x|y) is known in closed form."""
    prototypes = torch.rand(10, 784).round()
    cvae = SimpleNamespace(decode=lambda z, y: prototypes[y])
    y_test = torch.arange(10).repeat(3)
    x_test = prototypes[y_test]
    constant = 784 / 2 * np.log(2 * np.pi)
    measured = {"cvae": {}}
    namespace = run(
        *("imports", "classification", "confusion"),
        **{"cvae": cvae, "x_test": x_test, "y_test": y_test, "y_train": torch.arange(10), "measured": measured},
        **{"constant": constant, "sigma": 1.0, "decode_as": lambda digit: lambda z: prototypes[[digit] * len(z)]},
    )
    squares = (x_test[:, None] - prototypes).square().sum(2)
    expected = -squares / 2 - constant - np.log(10)
    torch.testing.assert_close(namespace.log_joint, expected.float(), atol=2e-3, rtol=0)
    classifier = measured["cvae"]["classifier"]
    assert classifier["accuracy"] == 1 and classifier["integration_error"] < 1e-3
    assert classifier["confusion"] == (3 * np.eye(10, dtype=int)).tolist()


@pytest.fixture
def shapes():
    """The functions that measure shapes."""
    names = {"x_test": torch.rand(20, 784), "y_test": torch.arange(20) % 10, "codes": {"cvae": torch.randn(20, 2)}}
    return run("imports", "styles", **names, models={}, measured={"cvae": {}})


def test_shapes_are_measured(shapes):
    def stroke(slope, width):
        """A stroke from bottom to top, whose upper end lies further to the right by `slope` pixels per row."""
        rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
        centre = 14 + slope * (14 - rows)
        return (((columns - centre).abs() < width / 2) & (rows - 14).abs().lt(9)).float().flatten()

    upright, slanted, thick = (stroke(*shape)[None] for shape in ((0, 3), (0.5, 3), (0, 6)))
    measures = [shapes.shape_measures(image) for image in (upright, slanted, thick)]
    slants, widths, thicknesses = ([m[name].item() for m in measures] for name in ("slant", "width", "thickness"))
    assert slants[0] == pytest.approx(0, abs=0.01) and slants[1] == pytest.approx(0.5, abs=0.05)
    assert widths[2] > 1.5 * widths[0] and widths[1] == pytest.approx(widths[0], rel=0.2), "slant is no width"
    assert thicknesses[2] > 1.4 * thicknesses[0]


def test_rank_correlations_are_spearman_s(shapes):
    a, b = torch.randn(50), torch.randn(50)
    assert shapes.rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-5)

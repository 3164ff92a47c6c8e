"""Models trained on log p(x) itself, against a decoder whose likelihood is known and against automatic differentiation
through the whole integral."""

import math

import pytest
import torch
from builders import LinearExact, block_images, linear_gaussian, model_spec

from latentlab.models import exact
from latentlab.models.checkpoint import load_checkpoint, save_checkpoint
from latentlab.models.exact import LATTICE_LIMIT, Exact, lattice
from latentlab.models.families import build_model
from latentlab.models.inference import encode_images
from latentlab.models.objective import log_normal
from latentlab.models.train import train_model
from latentlab.runtime.errors import UserError

IMAGES, LABELS = block_images(400)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_lattice_has_one_position_in_each_cell(latent_dim):
    z, _ = lattice(latent_dim, torch.rand(latent_dim, generator=torch.Generator().manual_seed(0)))
    assert z.shape == (exact.POSITIONS, latent_dim) and z.abs().max() <= LATTICE_LIMIT
    n = round(exact.POSITIONS ** (1 / latent_dim))
    cells = ((z / LATTICE_LIMIT + 1) / 2 * n).floor().long()
    assert len(cells.unique(dim=0)) == len(z)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_draws_are_those_of_the_true_posterior_and_the_likelihood_is_the_closed_form(latent_dim):
    model = linear_gaussian(latent_dim, model=LinearExact)
    x = model.sample(1).expand(4000, -1)
    y = torch.zeros(len(x), dtype=torch.int64)
    draws, estimates = zip(*(model.draw_posteriors(x, y) for _ in range(5)), strict=True)
    z, covariance = torch.cat(draws), model.precision().inverse()
    assert torch.allclose(z.mean(0), model.posterior_mean(x)[0], atol=0.02)
    assert torch.allclose(z.T.cov().view_as(covariance), covariance, atol=0.01)
    assert torch.allclose(torch.cat(estimates), model.log_prob(x[:1]), atol=0.05)
    torch.manual_seed(0)
    several = model.sample(100)  # without one whose z is close to the end of the lattice
    assert torch.allclose(model.lattice_log_likelihood(several, None), model.log_prob(several), atol=0.02)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("settings", [{}, {"likelihood": "gaussian", "sigma": 0.5}, {"fourier_features": 3}])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_expected_gradient_is_that_of_the_whole_integral(latent_dim, settings, conditional, monkeypatch):
    """Automatic differentiation through log Σ p(x|z) over a lattice, against the mean over draws of z."""
    monkeypatch.setattr(exact, "POSITIONS", 576)
    torch.manual_seed(0)
    spec = model_spec(
        "exact", latent_dim, image_shape=(2, 3), n_classes=3, hidden=(5,), conditional=conditional, **settings
    )
    model, x, y = build_model(spec), torch.rand(3, 6).round(), torch.tensor([0, 1, 2])
    shift = torch.full((latent_dim,), 0.5)
    monkeypatch.setattr(torch, "rand", lambda *size: shift)  # of the lattice; draws use rand_like
    z, _ = lattice(latent_dim, shift)
    outputs = [model.decode(z, torch.full((len(z),), label)) for label in y]
    log_joint = torch.stack(
        [model.likelihood.log_prob(image.expand(len(z), -1), output) for image, output in zip(x, outputs, strict=True)]
    )
    log_mass = log_normal(z) + latent_dim * math.log(2 * LATTICE_LIMIT) - math.log(len(z))
    log_likelihood = torch.logsumexp(log_joint + log_mass, dim=1)
    expected = torch.autograd.grad(-log_likelihood.sum(), list(model.parameters()))
    n_draws = 20_000
    (batch,) = (
        batch
        for batch in [
            tuple(
                torch.cat(parts)
                for parts in zip(*model.training_batches(x.repeat(n_draws, 1), y.repeat(n_draws)), strict=True)
            )
        ]
    )
    loss = model.loss(model.loss_terms(*batch)) / n_draws
    assert loss.sum().item() == pytest.approx(-log_likelihood.sum().item(), rel=1e-5), "its value is that of log p(x)"
    gradient = torch.autograd.grad(loss.sum(), list(model.parameters()))
    for value, true in zip(gradient, expected, strict=True):
        assert torch.allclose(value, true, atol=0.03 * max(1.0, true.abs().max().item()))
    assert max(true.abs().max() for true in expected) > 0.3, "or there would be nothing to compare"


def train(**settings):
    spec = model_spec("exact", hidden=(32,), epochs=3, batch_size=40, binarise=True, **settings)
    return train_model(spec, (IMAGES, LABELS), (IMAGES[:100], LABELS[:100]))


@pytest.mark.parametrize("conditional", [False, True])
def test_training_raises_the_likelihood_that_the_history_records(conditional, tmp_path):
    model, history = train(conditional=conditional)
    terms = ("loss", "negative_log_likelihood")
    for row in history:
        assert set(row) == {"epoch", *(f"{split}_{term}" for split in ("train", "validation") for term in terms)}
    assert history[-1]["validation_loss"] < history[0]["validation_loss"] - 50
    assert history[-1]["train_loss"] == pytest.approx(history[-1]["validation_loss"], rel=0.1)
    again, _ = train(conditional=conditional)
    for name in "ab":
        save_checkpoint(tmp_path / name, {"a": model, "b": again}[name])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert isinstance(load_checkpoint(tmp_path / "a"), Exact)


def test_the_codes_are_modes_beside_the_moments_of_the_posterior():
    model, _ = train()
    codes = encode_images(model, IMAGES[:50], LABELS[:50])
    assert {name: values.shape for name, values in codes.items()} == {
        "codes": (50, 2),
        "mean": (50, 2),
        "covariance": (50, 2, 2),
    }


def test_three_dimensions_are_refused():
    with pytest.raises(UserError, match="one or two latent dimensions, not 3; choose vae"):
        build_model(model_spec("exact", latent_dim=3))

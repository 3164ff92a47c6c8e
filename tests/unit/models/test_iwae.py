"""The importance-weighted objective, against a linear-Gaussian model whose log p(x) is known."""

import msgspec
import pytest
import torch
from builders import LinearDecoder, block_images, evaluate, linear_gaussian, model_spec
from torch.autograd import grad

from latentlab.models.families import build_model
from latentlab.models.iwae import IWAE
from latentlab.models.networks import VAE
from latentlab.models.train import train_model


class LinearIWAE(LinearDecoder, IWAE):
    """Its q(z|x) is near the prior and far from the posterior, so that the bounds differ much."""

    def encode(self, x, y=None):
        mean = torch.full((len(x), self.latent_dim), 0.3)
        return mean, torch.full_like(mean, 0.2)


def with_draws(count, latent_dim=2):
    model = linear_gaussian(latent_dim, model=LinearIWAE)
    settings = msgspec.structs.replace(model.spec.settings, family="iwae", importance_samples=count)
    model.spec = msgspec.structs.replace(model.spec, settings=settings)
    return model


def losses_of(model, x, seed=0):
    torch.manual_seed(seed)
    return model.loss(model.loss_terms(x))


def test_with_one_draw_the_bound_estimates_the_elbo():
    model = with_draws(1)
    x = model.sample(20_000)
    torch.manual_seed(0)
    terms = model.loss_terms(x)
    elbo = -(terms["reconstruction"] + terms["kl"])
    difference = -terms["negative_importance_weighted"] - elbo  # of the sampled and the exact KL
    error = difference.std() / len(x) ** 0.5
    assert abs(difference.mean()) < 4 * error and elbo.mean() < model.log_prob(x).mean() - 1


def test_the_bound_rises_with_the_draws_to_the_log_likelihood_and_never_above_it():
    x = with_draws(1).sample(4000)
    bounds = [-losses_of(with_draws(count), x).mean().item() for count in (1, 2, 5, 20, 2000)]
    log_likelihood = with_draws(1).log_prob(x).mean().item()
    assert bounds == sorted(bounds) and bounds[1] > bounds[0] + 1
    assert bounds[-2] < log_likelihood - 0.1 and bounds[-1] == pytest.approx(log_likelihood, abs=0.1)


def test_with_one_draw_its_gradient_is_that_of_the_negated_elbo_on_average():
    """The KL term of the VAE is known, that of the IWAE is sampled: many draws average out."""
    torch.manual_seed(0)
    x = torch.rand(3, 12)
    iwae, vae = (
        build_model(model_spec(family, hidden=(5,), image_shape=(3, 4), likelihood="gaussian"))
        for family in ("iwae", "vae")
    )
    vae.load_state_dict(iwae.state_dict())
    many = x.repeat(20_000, 1)
    gradients = [
        torch.cat([part.flatten() for part in grad(losses_of(model, many).mean(), list(model.parameters()))])
        for model in (iwae, vae)
    ]
    assert torch.allclose(*gradients, atol=0.02 * gradients[1].abs().max().item())


def test_it_has_the_network_of_a_vae_and_is_evaluated_by_the_same_bounds():
    images, labels = block_images(60)
    spec = model_spec("iwae", latent_dim=3, hidden=(8,), importance_samples=5)
    model, twin = build_model(spec), build_model(model_spec("vae", latent_dim=3, hidden=(8,)))
    twin.load_state_dict(model.state_dict())
    assert isinstance(model, VAE)
    assert evaluate(model, images, labels, samples=6) == evaluate(twin, images, labels, samples=6)


def test_training_lowers_the_negated_bound_and_records_the_terms_of_the_elbo():
    images, labels = block_images(200)
    split = images, labels
    model, history = train_model(model_spec("iwae", hidden=(16,), importance_samples=4, epochs=5), split, split)
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    for row in history:
        assert row["train_loss"] == row["train_negative_importance_weighted"]
        assert row["train_loss"] < row["train_reconstruction"] + row["train_kl"], "the bound lies above the ELBO"
    assert model.spec.settings.importance_samples == 4

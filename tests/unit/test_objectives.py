import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from latentlab import objectives

torch.manual_seed(0)
X, OUTPUT = torch.rand(7, 784), torch.randn(7, 784)


def test_bernoulli_is_the_distribution_summed_over_pixels():
    binary = (X > 0.5).float()
    expected = Independent(Bernoulli(logits=OUTPUT), 1).log_prob(binary)
    assert torch.allclose(objectives.Bernoulli().log_prob(binary, OUTPUT), expected, rtol=1e-5)


@pytest.mark.parametrize("sigma", [0.1, 0.5**0.5, 1.0])
def test_gaussian_has_its_constant(sigma):
    expected = Independent(Normal(torch.sigmoid(OUTPUT), sigma), 1).log_prob(X)
    assert torch.allclose(objectives.Gaussian(sigma).log_prob(X, OUTPUT), expected, rtol=1e-4)


def test_kl_is_summed_over_latents():
    mean, log_var = torch.randn(7, 5), torch.randn(7, 5)
    posterior, prior = Normal(mean, (0.5 * log_var).exp()), Normal(0.0, 1.0)
    assert torch.allclose(objectives.kl_to_prior(mean, log_var), kl_divergence(posterior, prior).sum(1), rtol=1e-5)


def test_the_loss_is_nats_per_image_and_weighs_the_kl():
    named = {"reconstruction": torch.tensor([100.0, 200.0]), "kl": torch.tensor([4.0, 8.0])}
    assert objectives.loss(named) == 156 and objectives.loss(named, beta=2) == 162
    assert objectives.loss({"reconstruction": named["reconstruction"]}) == 150

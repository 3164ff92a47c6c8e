import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from latentlab.models.objective import (
    importance_weighted_bound,
    kl_to_prior,
    log_importance_ratio,
    log_normal,
    log_sum_exp,
    sample_latent,
)

torch.manual_seed(0)
MEAN, LOG_VAR, Z = torch.randn(3, 7, 5)


def test_the_kl_is_summed_over_latent_dimensions():
    posterior, prior = Normal(MEAN, (0.5 * LOG_VAR).exp()), Normal(0.0, 1.0)
    assert torch.allclose(kl_to_prior(MEAN, LOG_VAR), kl_divergence(posterior, prior).sum(1), rtol=1e-5)


def test_densities_are_those_of_torch():
    posterior = Independent(Normal(MEAN, (0.5 * LOG_VAR).exp()), 1)
    prior = Independent(Normal(torch.zeros(7, 5), 1.0), 1)
    assert torch.allclose(log_normal(Z, MEAN, LOG_VAR), posterior.log_prob(Z), rtol=1e-5)
    assert torch.allclose(log_normal(Z), prior.log_prob(Z), rtol=1e-5)
    ratio = log_importance_ratio(Z, MEAN, LOG_VAR)
    assert torch.allclose(ratio, prior.log_prob(Z) - posterior.log_prob(Z), rtol=1e-4)


def test_samples_have_the_mean_and_the_variance_and_a_point_is_its_own_sample():
    mean, log_var = torch.full((50_000, 1), 3.0), torch.full((50_000, 1), math.log(0.25))
    z = sample_latent(mean, log_var)
    assert z.mean().item() == pytest.approx(3, abs=0.01) and z.std().item() == pytest.approx(0.5, rel=0.02)
    assert torch.equal(sample_latent(MEAN, LOG_VAR, torch.zeros_like(MEAN)), MEAN)
    assert sample_latent(MEAN, None) is MEAN


def test_the_importance_weighted_bound_is_the_log_of_the_mean_weight():
    log_prob, log_ratio = torch.log(torch.tensor([[1.0, 2.0], [3.0, 4.0]])), torch.zeros(2, 2)
    assert importance_weighted_bound(log_prob, log_ratio).exp().tolist() == pytest.approx([2, 3])
    assert importance_weighted_bound(log_prob[:1], log_ratio[:1] + 1).tolist() == pytest.approx([1, 1 + math.log(2)])


def test_the_logarithm_of_a_sum_of_exponentials_is_that_of_torch():
    values = 300 * torch.randn(50, 7, 4, generator=torch.Generator().manual_seed(0))
    values[0] = -math.inf
    values[1, 0, 0] = -math.inf
    for dim in (0, 1, 2):
        assert torch.allclose(log_sum_exp(values, dim), torch.logsumexp(values, dim))

import pytest
import torch
from builders import model_spec
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import Independent, Normal
from torch.nn import functional

from latentlab.models.likelihoods import Bernoulli, Gaussian, build_likelihood, sum_softplus

torch.manual_seed(0)
X, OUTPUT = torch.rand(7, 784), torch.randn(7, 784)


def test_bernoulli_is_the_distribution_summed_over_pixels():
    binary = (X > 0.5).float()
    expected = Independent(TorchBernoulli(logits=OUTPUT), 1).log_prob(binary)
    assert torch.allclose(Bernoulli().log_prob(binary, OUTPUT), expected, rtol=1e-5)


@pytest.mark.parametrize("sigma", [0.1, 0.5**0.5, 1.0])
@pytest.mark.parametrize("linear", [False, True])
def test_gaussian_includes_its_normalising_constant(sigma, linear):
    mean = OUTPUT if linear else torch.sigmoid(OUTPUT)
    expected = Independent(Normal(mean, sigma), 1).log_prob(X)
    assert torch.allclose(Gaussian(sigma, linear).log_prob(X, OUTPUT), expected, rtol=1e-4)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(0.7), Gaussian(0.7, linear=True)])
def test_the_matrix_has_the_same_likelihoods(likelihood):
    x, output = torch.rand(5, 784).round(), torch.randn(3, 784)
    matrix = likelihood.log_prob_matrix(x, likelihood.position_terms(output))
    assert matrix.shape == (5, 3)
    for g in range(3):
        assert torch.allclose(matrix[:, g], likelihood.log_prob(x, output[g].expand_as(x)), rtol=1e-4, atol=1e-2)


def test_the_gradient_of_bernoulli_pixels_is_that_of_the_cross_entropy():
    output, weights = (3 * torch.randn(7, 784)).requires_grad_(), torch.randn(7)
    (gradient,) = torch.autograd.grad(Bernoulli().log_prob(X, output) @ weights, output)
    cross_entropy = functional.binary_cross_entropy_with_logits(output, X, reduction="none").sum(1)
    (expected,) = torch.autograd.grad(-cross_entropy @ weights, output)
    assert torch.allclose(gradient, expected, atol=1e-5)


@pytest.mark.parametrize("n_pixels", [1, 15, 16, 784, 785])
def test_softplus_is_summed_over_any_number_of_pixels(n_pixels):
    logits = 30 * torch.randn(5, n_pixels)
    expected = functional.softplus(logits.double()).sum(1)
    assert torch.allclose(sum_softplus(logits).double(), expected, rtol=1e-6, atol=1e-5)


def test_pixels_are_the_mean():
    assert torch.equal(Bernoulli().pixels(OUTPUT), torch.sigmoid(OUTPUT))
    assert torch.equal(Gaussian(1).pixels(OUTPUT), torch.sigmoid(OUTPUT))
    assert torch.equal(Gaussian(1, linear=True).pixels(OUTPUT), OUTPUT)


def test_the_settings_choose_the_likelihood():
    assert isinstance(build_likelihood(model_spec().settings), Bernoulli)
    gaussian = build_likelihood(model_spec(likelihood="gaussian", sigma=0.3, output="linear").settings)
    assert isinstance(gaussian, Gaussian) and gaussian.sigma == 0.3 and gaussian.linear

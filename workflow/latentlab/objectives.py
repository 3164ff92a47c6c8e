"""Likelihoods and the negated ELBO. Every term is summed over pixels or latents: nats, one number an image."""

import math

import torch
from torch.nn import functional


class Bernoulli:
    """p(x|z) with pixel probabilities sigmoid(output).

    On grey pixels `-log_prob` is the cross-entropy: a fine loss, but not a normalised likelihood.
    """

    name = "bernoulli"

    def log_prob(self, x, output):
        """(B,) nats, for x and output (B, 784)."""
        return -functional.binary_cross_entropy_with_logits(output, x, reduction="none").sum(1)

    def log_prob_matrix(self, x, output):
        """(B, G) nats, for x (B, 784) and output (G, 784): every image under every position, in one product."""
        return x @ output.T - functional.softplus(output).sum(1)

    def pixels(self, output):
        return torch.sigmoid(output)


class Gaussian:
    """p(x|z) = N(x; m(output), σ²), with its normalising constant; m is the sigmoid, or the identity if `linear`."""

    name = "gaussian"

    def __init__(self, sigma, linear=False):
        self.sigma, self.linear = sigma, linear

    def log_prob(self, x, output):
        """(B,) nats, for x and output (B, 784)."""
        squares = (x - self.pixels(output)).square().sum(1)
        return -squares / (2 * self.sigma**2) - self.constant(x)

    def log_prob_matrix(self, x, output):
        """(B, G) nats, for x (B, 784) and output (G, 784): every image under every position, in one product."""
        mean = self.pixels(output)
        squares = x.square().sum(1)[:, None] - 2 * x @ mean.T + mean.square().sum(1)
        return -squares / (2 * self.sigma**2) - self.constant(x)

    def constant(self, x):
        return x.shape[1] / 2 * math.log(2 * math.pi * self.sigma**2)

    def pixels(self, output):
        return output if self.linear else torch.sigmoid(output)


def likelihood_of(settings):
    if settings["likelihood"] == "gaussian":
        return Gaussian(settings["sigma"], settings["output"] == "linear")
    return Bernoulli()


def kl_to_prior(mean, log_var):
    """KL(N(mean, exp log_var) ‖ N(0, I)) in nats, (B,); Kingma & Welling 2014, appendix B."""
    return 0.5 * (mean.square() + log_var.exp() - log_var - 1).sum(1)


def sample_code(mean, log_var, noise=None):
    """z ~ q(z|x) by reparametrisation; a point code is its own sample."""
    if log_var is None:
        return mean
    noise = torch.randn_like(mean) if noise is None else noise
    return mean + noise * (log_var / 2).exp()


def terms(model, likelihood, x, y=None):
    """The terms of the objective by name, each (B,) nats: `reconstruction`, and `kl` where the code is random.

    Their sum is the negated ELBO (for one sample of z), or the autoencoder's plain reconstruction loss.
    """
    mean, log_var = model.encode(x, y)
    output = model.decode(sample_code(mean, log_var), y)
    named = {"reconstruction": -likelihood.log_prob(x, output)}
    if log_var is not None:
        named["kl"] = kl_to_prior(mean, log_var)
    return named


def loss(named, beta=1.0):
    """Reconstruction + β · KL, averaged over the images, in nats per image."""
    return (named["reconstruction"] + beta * named.get("kl", 0.0)).mean()

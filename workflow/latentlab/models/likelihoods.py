"""Likelihoods p(x|z). Log-probabilities are summed over pixels, of a colour image over the channels of each: nats, one
number per image. Given z, pixels and channels are independent, each with the distribution that a grey pixel has."""

import math
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from latentlab.records.settings import ModelSettings

FACTORS = 16  # of each product in `sum_softplus`


class PositionTerms(NamedTuple):
    """What gives log p(x|z) of any image at G latent positions: x · weights + offset, plus a term of x alone. In an
    exponential family these are the natural parameters and minus the log-partition function."""

    weights: Tensor
    """(G, P)."""
    offset: Tensor
    """(G,) nats."""


class Likelihood(Protocol):
    """p(x|z), given by the decoder's output at z. B images, G latent positions, P pixels."""

    bfloat16_products: bool
    """Whether the product in `log_prob_matrix` may be one of bfloat16 where a nat more or less does not matter."""

    def log_prob(self, x: Tensor, output: Tensor) -> Tensor:
        """(B,) nats, for x and output (B, P)."""
        ...

    def position_terms(self, output: Tensor) -> PositionTerms:
        """For output (G, P)."""
        ...

    def log_prob_matrix(self, x: Tensor, terms: PositionTerms) -> Tensor:
        """(B, G) nats, for x (B, P): every image at every position, by one matrix product."""
        ...

    def max_log_prob(self, x: Tensor) -> Tensor:
        """(B,) nats: the highest `log_prob` of x (B, P) that any output gives."""
        ...

    def pixels(self, output: Tensor) -> Tensor:
        """The mean of p(x|z), of the shape of `output`."""
        ...


class Bernoulli:
    """Pixels are 1 with probability sigmoid(output).

    On grey pixels `-log_prob` is the cross-entropy: a good loss, but not a normalised log-likelihood.
    """

    bfloat16_products = True

    def log_prob(self, x: Tensor, output: Tensor) -> Tensor:
        return BernoulliLogProb.apply(x, output)

    def position_terms(self, output: Tensor) -> PositionTerms:
        return PositionTerms(output, -sum_softplus(output))

    def log_prob_matrix(self, x: Tensor, terms: PositionTerms) -> Tensor:
        return x @ terms.weights.T + terms.offset

    def max_log_prob(self, x: Tensor) -> Tensor:
        """Minus the entropy of the pixels, which is 0 only where they are 0 or 1."""
        return (torch.special.xlogy(x, x) + torch.special.xlogy(1 - x, 1 - x)).sum(1)

    def pixels(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)


class BernoulliLogProb(torch.autograd.Function):
    """log p(x|z) of Bernoulli pixels, (B,) nats, for x and output (B, P). It and its gradient with respect to the
    output take half of the time that functional.binary_cross_entropy_with_logits does."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, output: Tensor) -> Tensor:
        ctx.save_for_backward(x, output)
        return (x * output).sum(1) - sum_softplus(output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        (gradient,), (x, output) = gradients, ctx.saved_tensors
        return None, (x - output.sigmoid()).mul_(gradient[:, None])


def sum_softplus(values: Tensor) -> Tensor:
    """Σ log(1 + exp v) along the last axis of values (n, P), in half of the time that functional.softplus takes.

    log(1 + exp v) = max(v, 0) + log(1 + exp −|v|), and the logarithms of `FACTORS` terms 1 + exp −|v|, each between 1
    and 2, are taken at once, as that of their product.
    """
    terms = functional.pad(1 + (-values.abs()).exp(), (0, -values.shape[1] % FACTORS), value=1.0)
    return values.relu().sum(1) + terms.view(len(values), FACTORS, -1).prod(1).log().sum(1)


class Gaussian:
    """Pixels have the mean sigmoid(output), or `output` itself if `linear`, and the standard deviation sigma. The
    log-probability includes the normalising constant."""

    bfloat16_products = False  # the rounding errors of its squares are divided by σ²

    def __init__(self, sigma: float, linear: bool = False) -> None:
        self.sigma, self.linear = sigma, linear

    def log_prob(self, x: Tensor, output: Tensor) -> Tensor:
        squares = (x - self.pixels(output)).square().sum(1)
        return -squares / (2 * self.sigma**2) - self.log_normaliser(x)

    def position_terms(self, output: Tensor) -> PositionTerms:
        mean = self.pixels(output)
        return PositionTerms(mean / self.sigma**2, -mean.square().sum(1) / (2 * self.sigma**2))

    def log_prob_matrix(self, x: Tensor, terms: PositionTerms) -> Tensor:
        of_images = x.square().sum(1) / (2 * self.sigma**2) + self.log_normaliser(x)
        return x @ terms.weights.T + terms.offset - of_images[:, None]

    def max_log_prob(self, x: Tensor) -> Tensor:
        return x.new_full((len(x),), -self.log_normaliser(x))

    def log_normaliser(self, x: Tensor) -> float:
        """(P/2) log 2πσ² for x (B, P), nats."""
        return x.shape[1] / 2 * math.log(2 * math.pi * self.sigma**2)

    def pixels(self, output: Tensor) -> Tensor:
        return output if self.linear else torch.sigmoid(output)


def build_likelihood(settings: ModelSettings) -> Likelihood:
    """The likelihood of a model config."""
    if settings.likelihood == "gaussian":
        return Gaussian(settings.sigma, linear=settings.output == "linear")
    return Bernoulli()

"""A VAE that is trained on the importance-weighted bound in place of the ELBO."""

import torch
from torch import Tensor

from latentlab.models.networks import VAE, Scalar


class IWAE(VAE):
    """The importance-weighted autoencoder (Burda et al. 2016): the network of a VAE, trained on

        L_K = E[log (1/K) Σ p(x, z_k) / q(z_k|x)],  z_1, …, z_K drawn from q(z|x).

    K is the setting `importance_samples`. L_1 is the ELBO; L_K never lies above log p(x), does not decrease with K, and
    converges to log p(x). Whatever K was, the model is evaluated as a VAE is: by its ELBO, and by quadrature or by the
    importance-weighted bound of `likelihood_samples` draws. So models of different K, and VAEs, compare; the ELBO of a
    model with a large K may be low, because nothing in its training asks q(z|x) to be close to p(z|x) everywhere.
    """

    own_settings = ("importance_samples",)

    def loss_terms(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−L_K, which is the loss, and the two terms of the negated ELBO by the same draws; each (B,) nats."""
        noise = torch.randn(self.spec.settings.importance_samples, len(x), self.latent_dim, device=x.device)
        bounds = self.bounds(x, y, noise)
        return {
            "negative_importance_weighted": -bounds.importance_weighted,
            "reconstruction": bounds.reconstruction,
            "kl": bounds.kl,
        }

    def loss(self, terms: dict[str, Scalar]) -> Scalar:
        return terms["negative_importance_weighted"]

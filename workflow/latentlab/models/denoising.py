"""An autoencoder that is trained to restore corrupted images."""

import torch
from torch import Tensor

from latentlab.models.networks import Autoencoder


class Denoising(Autoencoder):
    """The denoising autoencoder (Vincent et al. 2008): it is given a corrupted image and has to reconstruct the clean
    one, so that it cannot succeed by copying its input, however many latent dimensions it has.

    In each training step an image is corrupted anew: a share of its pixels, the setting `masked_share`, become 0, and
    Gaussian noise of the standard deviation `noise_sigma` is added to all. With neither it is an autoencoder. Codes and
    reconstructions are those of clean images, as of every other model, while the loss in the history is that of
    corrupted ones; what it makes of those is in restorations.json. It has no prior, so there is no bound on log p(x).
    """

    denoising = True
    own_settings = ("masked_share", "noise_sigma")

    def corrupt(self, x: Tensor) -> Tensor:
        """Pixels (B, P) with noise, which may leave [0, 1]."""
        settings = self.spec.settings
        if settings.masked_share:
            x = x * (torch.rand_like(x) >= settings.masked_share)
        if settings.noise_sigma:
            x = x + settings.noise_sigma * torch.randn_like(x)
        return x

    def loss_terms(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−log p(x|z) of the clean images, z being the codes of the corrupted ones; (B,) nats."""
        mean, _ = self.encode(self.corrupt(x), y)
        return {"reconstruction": -self.likelihood.log_prob(x, self.decode(mean, y))}

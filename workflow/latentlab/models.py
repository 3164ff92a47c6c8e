"""Every network, on one page. B is the batch, d the latent dimension; images are flat, 28·28 = 784 pixels in [0, 1].

A model has `encode(x) -> (mean, log_var)`, both (B, d), where `log_var` is None for a point code, and
`decode(z) -> output`, (B, 784), which the likelihood (objectives.py) turns into pixels.
"""

import itertools

from torch import nn

PIXELS = 784


def mlp(*sizes):
    """Linear layers with ReLU between them, none after the last."""
    layers = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """Points: 784 → hidden → d → hidden mirrored → 784."""

    code_numbers = 1  # numbers the encoder gives for each latent dimension

    def __init__(self, latent_dim, hidden=()):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = mlp(PIXELS, *hidden, self.code_numbers * latent_dim)
        self.decoder = mlp(latent_dim, *reversed(hidden), PIXELS)

    def encode(self, x):
        return self.encoder(x), None

    def decode(self, z):
        return self.decoder(z)


class VAE(Autoencoder):
    """Distributions: the encoder gives the mean and the log variance of q(z|x) (Kingma & Welling 2014)."""

    code_numbers = 2

    def encode(self, x):
        mean, log_var = self.encoder(x).chunk(2, dim=1)
        return mean, log_var


FAMILIES = {"autoencoder": Autoencoder, "vae": VAE}


def build(settings, latent_dim):
    """The untrained network of a `models:` entry; its weights come from torch's global seed."""
    return FAMILIES[settings["family"]](latent_dim, tuple(settings["hidden"]))

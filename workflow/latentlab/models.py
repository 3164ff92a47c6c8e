"""Every network, on one page. B is the batch, d the latent dimension; images are flat, 28·28 = 784 pixels in [0, 1].

A model has `encode(x, y) -> (mean, log_var)`, both (B, d), where `log_var` is None for a point code, and
`decode(z, y) -> output`, (B, 784), which the likelihood (objectives.py) turns into pixels. The labels y, (B,), matter
to a conditional model only: it sees them one-hot in both directions (Sohn et al. 2015). Outputs are float32, whatever
the precision of the products.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

PIXELS, CLASSES = 784, 10


def mlp(*sizes):
    """Linear layers with ReLU between them, none after the last."""
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """Points: 784 → hidden → d → hidden mirrored → 784; conditional, 784 + 10 → … → d and d + 10 → … → 784."""

    code_numbers = 1  # numbers the encoder gives for each latent dimension

    def __init__(self, latent_dim, hidden=(), conditional=False):
        super().__init__()
        self.latent_dim, self.conditional = latent_dim, conditional
        label = CLASSES if conditional else 0
        self.encoder = mlp(PIXELS + label, *hidden, self.code_numbers * latent_dim)
        self.decoder = mlp(latent_dim + label, *reversed(hidden), PIXELS)

    def encode(self, x, y=None):
        return self.encoder(self.labelled(x, y)).float(), None

    def decode(self, z, y=None):
        return self.decoder(self.labelled(z, y)).float()

    def labelled(self, inputs, y):
        """`inputs`, (B, n), with the label one-hot behind them, (B, n + 10), if the model is conditional."""
        return torch.cat([inputs, functional.one_hot(y, CLASSES).float()], dim=1) if self.conditional else inputs


class VAE(Autoencoder):
    """Distributions: the encoder gives the mean and the log variance of q(z|x) (Kingma & Welling 2014)."""

    code_numbers = 2

    def encode(self, x, y=None):
        mean, log_var = self.encoder(self.labelled(x, y)).float().chunk(2, dim=1)
        return mean, log_var


FAMILIES = {"autoencoder": Autoencoder, "vae": VAE}


def build(settings, latent_dim):
    """The untrained network of a `models:` entry; its weights come from torch's global seed."""
    return FAMILIES[settings["family"]](latent_dim, tuple(settings["hidden"]), settings["conditional"])

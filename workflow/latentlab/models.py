"""Every network, on one page. B is the batch, d the latent dimension; images are flat, 28·28 = 784 pixels in [0, 1].

A model has `encode(x, y) -> (mean, log_var)`, both (B, d), where `log_var` is None for a point code, and
`decode(z, y) -> output`, (B, 784), which the likelihood (objectives.py) turns into pixels. The labels y, (B,), matter
to a conditional model only: it sees them one-hot in both directions (Sohn et al. 2015). Outputs are float32, whatever
the precision of the products.
"""

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

PIXELS, CLASSES = 784, 10


def mlp(*sizes, activation=nn.ReLU):
    """Linear layers with an activation between them, none after the last."""
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """Points: 784 → hidden → d → hidden mirrored → 784; conditional, 784 + 10 → … → d and d + 10 → … → 784."""

    inputs = PIXELS  # what the fully connected layers see and give back
    activation = nn.ReLU  # between the hidden layers
    code_numbers = 1  # numbers the encoder gives for each latent dimension

    def __init__(self, latent_dim, hidden=(), conditional=False):
        super().__init__()
        self.latent_dim, self.conditional = latent_dim, conditional
        label = CLASSES if conditional else 0
        self.encoder = mlp(self.inputs + label, *hidden, self.code_numbers * latent_dim, activation=self.activation)
        self.decoder = mlp(latent_dim + label, *reversed(hidden), self.inputs, activation=self.activation)

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


def start(layer):
    """Weights with which a layer's outputs vary as its inputs do (He et al. 2015, twice as much before a ReLU): torch's
    own let the signal fade over many layers, which costs epochs."""
    if isinstance(layer, nn.ConvTranspose2d):  # of whose kernel each output pixel meets one position in stride²
        fan_in = layer.weight[:, 0].numel() / math.prod(layer.stride)
    else:
        fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=math.sqrt((1 if isinstance(layer, nn.Linear) else 2) / fan_in))
    nn.init.zeros_(layer.bias)


class Convolutional(Autoencoder):
    """Points: 28² → 32 × 14² → 64 × 7² by 5×5 convolutions and 2×2 max pooling, then 64·7² → hidden → d; and back, by
    the same layers mirrored and two 4×4 transposed convolutions of stride 2. Weights start as in He et al. (2015)."""

    inputs = 64 * 7 * 7
    activation = nn.Identity  # ReLUs here, too: three epochs then end no lower than one does without

    def __init__(self, latent_dim, hidden=(), conditional=False):
        super().__init__(latent_dim, hidden, conditional)
        self.features = nn.Sequential(
            nn.Unflatten(1, (1, 28, 28)),
            *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Flatten(),
        )
        self.picture = nn.Sequential(
            nn.Unflatten(1, (64, 7, 7)),
            *(nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1), nn.ReLU()),
            nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1),
            nn.Flatten(),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                start(layer)
        self.to(memory_format=torch.channels_last)  # the convolutions are half as fast again with channels side by side

    def encode(self, x, y=None):
        return super().encode(self.features(x), y)

    def decode(self, z, y=None):
        return self.picture(super().decode(z, y)).float()


def layers(model):
    """The network as one image meets it, read from the model: a dictionary for each layer that has weights or changes
    the shape. `part` (encoder or decoder), `layer`, `shape` of its output for one image, `parameters`, and where it has
    them `kernel_size`, `stride`, `padding`."""
    rows = []

    def note(layer, inputs, output):
        shape, weights = tuple(output.shape[1:]), sum(weights.numel() for weights in layer.parameters())
        if weights or shape != inputs[0].shape[1:]:
            sizes = {
                name: getattr(layer, name) for name in ("kernel_size", "stride", "padding") if hasattr(layer, name)
            }
            sizes = {name: size[0] if isinstance(size, tuple) else size for name, size in sizes.items()}
            rows.append({"part": part, "layer": type(layer).__name__, "shape": shape, "parameters": weights} | sizes)

    hooks = [layer.register_forward_hook(note) for layer in model.modules() if not list(layer.children())]
    x, y = torch.zeros(1, PIXELS), torch.zeros(1, dtype=torch.int64)
    with torch.no_grad():
        part = "encoder"
        z, _ = model.encode(x, y)
        part = "decoder"
        model.decode(z, y)
    for hook in hooks:
        hook.remove()
    return rows


def build(settings, latent_dim):
    """The untrained network of a `models:` entry, whose `family` is the name of a class here in small letters; its
    weights come from torch's global seed."""
    families = {name.lower(): family for name, family in globals().items() if isinstance(family, type)}
    return families[settings["family"]](latent_dim, tuple(settings["hidden"]), settings["conditional"])

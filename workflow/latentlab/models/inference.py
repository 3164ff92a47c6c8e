"""What a trained model makes of images and of latent positions."""

import numpy as np
import torch
from torch import Tensor

from latentlab.models.inputs import EVALUATION_BATCH, split_batches, to_pixels
from latentlab.models.networks import Autoencoder


@torch.no_grad()
def encode_images(model: Autoencoder, images: Tensor, labels: Tensor) -> dict[str, np.ndarray]:
    """The codes of uint8 images (n, rows, columns): `mean` and, for a VAE, `log_var`, each (n, d)."""
    codes = [model.encode(to_pixels(batch), y) for batch, y in split_batches(EVALUATION_BATCH, images, labels)]
    arrays = {"mean": torch.cat([mean for mean, _ in codes]).numpy()}
    log_vars = [log_var for _, log_var in codes if log_var is not None]
    return arrays | ({"log_var": torch.cat(log_vars).numpy()} if log_vars else {})


@torch.no_grad()
def decode_latents(
    model: Autoencoder, z: np.ndarray | Tensor, label: int | np.ndarray | Tensor | None = None
) -> np.ndarray:
    """Pixels in [0, 1], (n, P), decoded at latent positions z (n, d).

    Args:
        label: for a conditional model, one label for all positions or one for each, (n,).
    """
    z = torch.as_tensor(z)
    y = torch.as_tensor(0 if label is None else label).expand(len(z))
    batches = split_batches(EVALUATION_BATCH, z, y)
    return torch.cat([model.likelihood.pixels(model.decode(*batch)) for batch in batches]).clamp(0, 1).numpy()


@torch.no_grad()
def axis_effects(model: Autoencoder, step: float = 0.1) -> dict[str, np.ndarray]:
    """What an unconditional decoder draws at z = 0, and what each latent dimension adds there.

    Args:
        step: of the central differences, units of z; of a linear decoder they are the weights, whatever the step.

    Returns:
        `origin`, pixels in [0, 1], `(P,)`; `effects`, change of the decoder's output, before a sigmoid, per unit of z,
        `(d, P)`.
    """
    steps = step * torch.eye(model.latent_dim)
    effects = (model.decode(steps) - model.decode(-steps)) / (2 * step)
    return {"origin": decode_latents(model, torch.zeros(1, model.latent_dim))[0], "effects": effects.numpy()}


@torch.no_grad()
def reconstruct(model: Autoencoder, pixels: Tensor, labels: Tensor) -> Tensor:
    """Reconstructions (n, P) of pixels (n, P) in [0, 1], decoded from the means of their codes. Those of a linear
    output may leave [0, 1]."""
    batches = split_batches(EVALUATION_BATCH, pixels, labels)
    return torch.cat([model.likelihood.pixels(model.decode(model.encode(x, y)[0], y)) for x, y in batches])


@torch.no_grad()
def reconstructions_and_samples(model: Autoencoder, images: Tensor, labels: Tensor, seed: int = 0) -> np.ndarray:
    """Pixels in [0, 1], (4 · classes, P), in four rows: the first image of each class, their reconstructions, and two
    rows of samples from the prior; those of a conditional model have the classes in order."""
    torch.manual_seed(seed)
    first = torch.stack([(labels == label).nonzero()[0, 0] for label in range(model.spec.n_classes)])
    x, y = to_pixels(images[first]), labels[first]
    rows = [x.numpy(), reconstruct(model, x, y).clamp(0, 1).numpy()]
    rows += [decode_latents(model, torch.randn(len(y), model.latent_dim), y) for _ in range(2)]
    return np.concatenate(rows)

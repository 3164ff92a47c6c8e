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

"""Which images a model reconstructs worst, and what it makes of corrupted ones."""

import torch
from torch import Tensor

from latentlab.models.denoising import Denoising
from latentlab.models.inference import first_of_each_class
from latentlab.models.inputs import map_batches, to_pixels
from latentlab.records.metrics import RestorationMetrics, WorstReconstruction

N_WORST = 5


def worst_reconstructions(
    images: Tensor, labels: Tensor, reconstructions: Tensor, count: int = N_WORST
) -> tuple[tuple[WorstReconstruction, ...], Tensor]:
    """The images with the largest squared errors, the largest first.

    Args:
        images, labels, reconstructions: uint8 (n, rows, columns), int64 (n,) and pixels (n, P).

    Returns:
        Their records; and three rows of pixels in [0, 1], (3 · count, P): the images, their reconstructions, and the
        absolute differences.
    """
    x = to_pixels(images)
    outputs = reconstructions.clamp(0, 1)
    errors = (x - outputs).square().mean(1)
    worst = errors.sort(descending=True, stable=True).indices[:count]
    records = tuple(
        WorstReconstruction(index=int(i), label=int(labels[i]), squared_error=float(errors[i])) for i in worst
    )
    return records, torch.cat([x[worst], outputs[worst], (x[worst] - outputs[worst]).abs()])


@torch.no_grad()
def restore_images(
    model: Denoising, images: Tensor, labels: Tensor, seed: int = 0
) -> tuple[RestorationMetrics, Tensor]:
    """How well a denoising autoencoder restores images that are corrupted as in its training.

    Args:
        images, labels: uint8 (n, *image_shape) and int64 (n,).

    Returns:
        The errors over all images; and of the first image of each class (`first_of_each_class`) three rows of pixels in
        [0, 1], (3 · n, P): as it is, corrupted, and restored.
    """
    torch.manual_seed(seed)
    x = to_pixels(images)
    corrupted = model.corrupt(x)
    restored = map_batches(
        lambda x, y: model.likelihood.pixels(model.decode(model.encode(x, y)[0], y)), corrupted, labels
    )
    errors = [float((pixels - x).square().mean()) for pixels in (corrupted, restored)]
    first = first_of_each_class(labels, model.spec.n_classes)
    rows = torch.cat([pixels[first].clamp(0, 1) for pixels in (x, corrupted, restored)])
    return RestorationMetrics(corrupted=errors[0], restored=errors[1]), rows

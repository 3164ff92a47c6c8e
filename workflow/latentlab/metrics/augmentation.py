"""What classifiers with few real images gain from samples of a model. The model itself was trained on all images."""

import numpy as np
import torch
from torch import Tensor

from latentlab.metrics.reference_classifier import class_probabilities, train_reference_classifier
from latentlab.metrics.sweep import mean_std
from latentlab.models.inference import decode_latents
from latentlab.models.inputs import to_pixels
from latentlab.models.networks import Autoencoder, LatentModel
from latentlab.models.objective import sample_latent
from latentlab.models.train import Split
from latentlab.records.datasets import Dataset
from latentlab.records.metrics import AugmentationMetrics
from latentlab.runtime.errors import UserError


@torch.no_grad()
def labelled_samples(
    model: LatentModel, images: Tensor, labels: Tensor, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """`count` samples, uint8 (count, rows, columns), with labels, int64 (count,), to augment labelled images with.

    A conditional model draws z from the prior and the label evenly. An unconditional one cannot label its samples: it
    draws z from q(z|x) of the given images, and keeps their labels.
    """
    if model.conditional:
        y = torch.randint(model.spec.n_classes, (count,), generator=generator)
        z = torch.randn(count, model.latent_dim, generator=generator)
    else:
        indices = torch.randint(len(images), (count,), generator=generator)
        y = labels[indices]
        assert isinstance(model, Autoencoder), "samples of no other models are labelled"
        mean, log_var = model.encode(to_pixels(images[indices]), y)
        z = sample_latent(mean, log_var, torch.randn(mean.shape, generator=generator))
    pixels = torch.as_tensor(decode_latents(model, z, y))
    return pixels.mul(255).round().to(torch.uint8).view(-1, *model.spec.image_shape), y


def augmentation_gain(
    name: str,
    dataset: Dataset,
    model: LatentModel,
    training: Split,
    test: Split,
    sizes: list[int],
    n_seeds: int,
    draws: int,
) -> AugmentationMetrics:
    """Test accuracy of classifiers trained with and without a model's samples.

    Args:
        name: of the model config.
        sizes: numbers of real images; which ones they are differs with the seed.
        draws: images that every classifier is trained on, drawn with replacement, so that all take equally many steps.

    Raises:
        UserError: there are fewer training images than a size.
    """
    if max(sizes) > len(training[0]):
        raise UserError(
            f"config: augmentation_sizes: {max(sizes)} is more than the {len(training[0])} training images; "
            "leave it out"
        )
    real, samples, gain = [], [], []
    for size in sizes:
        pairs = [_paired_accuracies(dataset, model, training, test, size, seed, draws) for seed in range(n_seeds)]
        without, with_samples = np.array(pairs).T
        real.append(without)
        samples.append(with_samples)
        gain.append(with_samples - without)
    return AugmentationMetrics(
        model=name,
        settings=model.spec.settings,
        latent_dim=model.latent_dim,
        seed=model.spec.seed,
        sizes=tuple(sizes),
        draws=draws,
        seeds=n_seeds,
        real=mean_std(real),
        samples=mean_std(samples),
        gain=mean_std(gain),
    )


def _paired_accuracies(
    dataset: Dataset, model: LatentModel, training: Split, test: Split, size: int, seed: int, draws: int
) -> tuple[float, float]:
    """Test accuracies without and with samples, for `size` real images chosen by `seed`."""
    generator = torch.Generator().manual_seed(seed)
    subset = torch.randperm(len(training[0]), generator=generator)[:size]
    images, labels = (values[subset] for values in training)
    indices = torch.randint(len(images), (draws,), generator=generator)
    sampled_images, sampled_labels = labelled_samples(model, images, labels, draws // 2, generator)
    half = indices[draws // 2 :]
    without = images[indices], labels[indices]
    with_samples = torch.cat([images[half], sampled_images]), torch.cat([labels[half], sampled_labels])
    test_pixels, test_labels = to_pixels(test[0]).numpy(), test[1].numpy()

    def accuracy(split: Split) -> float:
        classifier = train_reference_classifier(dataset, *split, epochs=1, seed=seed)
        return float((class_probabilities(classifier, test_pixels).argmax(axis=1) == test_labels).mean())

    return accuracy(without), accuracy(with_samples)

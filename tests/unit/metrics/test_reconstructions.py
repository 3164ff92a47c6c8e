import numpy as np
import pytest
import torch
from builders import block_images, model_spec

from latentlab.metrics.reconstructions import restore_images, worst_reconstructions
from latentlab.models.families import build_model


def test_the_worst_reconstructions_are_those_farthest_from_what_is_drawn():
    greys = [128, 5, 100, 255, 140, 200, 120]
    images = torch.tensor(greys, dtype=torch.uint8)[:, None, None].expand(-1, 28, 28)
    worst, pixels = worst_reconstructions(images, torch.arange(7), torch.full((7, 784), 0.5), count=3)
    assert [(image.index, image.label) for image in worst] == [(3, 3), (1, 1), (5, 5)]
    assert np.allclose(
        [image.squared_error for image in worst], [0.25, (0.5 - 5 / 255) ** 2, (200 / 255 - 0.5) ** 2], atol=0.003
    )
    assert np.allclose(
        pixels.mean(1), [1, 5 / 255, 200 / 255, 0.5, 0.5, 0.5, 0.5, 0.5 - 5 / 255, 200 / 255 - 0.5], atol=0.003
    )


def test_restorations_are_measured_against_clean_images():
    """Of a decoder that paints grey, whatever it is given."""
    model = build_model(model_spec("denoising", noise_sigma=0.2))
    model.decode = lambda z, y: torch.zeros(len(z), 784)  # a sigmoid makes 0.5 of it
    images, labels = block_images(300)
    x = images.flatten(1) / 255
    metrics, rows = restore_images(model, images, labels)
    assert metrics.corrupted == pytest.approx(0.2**2, rel=0.02)
    assert metrics.restored == pytest.approx((x - 0.5).square().mean().item(), rel=1e-4)
    first, corrupted, restored = rows.split(10)
    assert torch.equal(first, x[torch.stack([(labels == label).nonzero()[0, 0] for label in range(10)])])
    assert 0.01 < (corrupted - first).square().mean() < 0.2**2, "cut off at 0 and 1"
    assert (restored == 0.5).all() and (restore_images(model, images, labels)[0] == metrics)

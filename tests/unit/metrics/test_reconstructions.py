import numpy as np
import torch

from latentlab.metrics.reconstructions import worst_reconstructions


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

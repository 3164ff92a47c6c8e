import numpy as np
import torch
from builders import model_spec

from latentlab.metrics.reconstructions import worst_reconstructions
from latentlab.models.networks import build_model


def test_the_worst_reconstructions_are_those_farthest_from_what_is_drawn():
    """A decoder that draws a grey of 0.5 whatever it is given."""
    model = build_model(model_spec("autoencoder", latent_dim=2))
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
    greys = [128, 5, 100, 255, 140, 200, 120]
    images = torch.tensor(greys, dtype=torch.uint8)[:, None, None].expand(-1, 28, 28)
    worst, pixels = worst_reconstructions(model, images, torch.arange(7), count=3)
    assert [(image.index, image.label) for image in worst] == [(3, 3), (1, 1), (5, 5)]
    assert np.allclose(
        [image.squared_error for image in worst], [0.25, (0.5 - 5 / 255) ** 2, (200 / 255 - 0.5) ** 2], atol=0.003
    )
    assert np.allclose(
        pixels.mean(1), [1, 5 / 255, 200 / 255, 0.5, 0.5, 0.5, 0.5, 0.5 - 5 / 255, 200 / 255 - 0.5], atol=0.003
    )

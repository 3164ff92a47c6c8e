"""How probable a model finds images it has not seen; all figures in nats per image."""

import torch

from latentlab.objectives import likelihood_of
from latentlab.training import EVALUATION_BATCH, batches, term_sums

ELBO_SAMPLES = 10  # samples of each code: the test mean's own noise is then below 0.05 nats


def evaluate(model, settings, images, seed=0):
    """Means over `images`, uint8 `(n, 28, 28)`: `reconstruction` and, for a random code, `kl` and `negative_elbo`.

    The negated ELBO has β = 1 whatever β the model was trained with. `squared_error` is per pixel, of the
    reconstruction from the code's mean.
    """
    torch.manual_seed(seed)
    likelihood = likelihood_of(settings)
    passes = 1 if settings["family"] == "autoencoder" else ELBO_SAMPLES
    means = {name: float(total) / len(images) for name, total in term_sums(model, likelihood, images, passes).items()}
    if "kl" in means:
        means["negative_elbo"] = means["reconstruction"] + means["kl"]
    return means | {"squared_error": squared_error(model, likelihood, images)}


@torch.no_grad()
def squared_error(model, likelihood, images):
    """Mean over images and pixels of (x − x̂)², x̂ decoded from the code's mean."""
    total = 0.0
    for x in batches(images, EVALUATION_BATCH):
        mean, _ = model.encode(x)
        total += (likelihood.pixels(model.decode(mean)) - x).square().sum(dtype=torch.float64).item()
    return total / images[0].numel() / len(images)

"""How good a model's samples are, by a judge that knows only the data, and how many latent units it uses."""

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from torch import nn
from torch.nn import functional as F

from latentlab.files import whole
from latentlab.models import CLASSES
from latentlab.objectives import sample_code
from latentlab.training import EVALUATION_BATCH, Adam, decode, to_pixels

LEARNING_RATE = 1e-3
SAMPLES = 5000


def active_units(mean, threshold=0.01):
    """How many latent dimensions are in use: those whose posterior means `(n, d)` vary by more than `threshold`,
    Var over x of E_q[z] (Burda et al. 2016)."""
    return int((mean.var(axis=0) > threshold).sum())


class Judge(nn.Module):
    """A small convolutional classifier: 28² pixels in [0, 1] → 16 × 13² → 32 × 5² → 64 features → 10 logits."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Unflatten(1, (1, 28, 28)),
            *(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Flatten(),
            nn.Linear(32 * 5 * 5, 64),
        )
        self.head = nn.Linear(64, 10)

    def features(self, x):
        """(B, 784) to (B, 64), before the last ReLU: a rectified feature is far from Gaussian."""
        return self.body(x)

    def forward(self, x):
        """(B, 784) to logits (B, 10)."""
        return self.head(F.relu(self.features(x)))


def train_judge(images, labels, epochs, seed=0, batch_size=128):
    """A judge trained on uint8 tensors, images `(n, 28, 28)` and labels `(n,)`; for evaluation."""
    torch.manual_seed(seed)
    judge = Judge()
    optimiser = Adam(judge)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images)).split(batch_size):
            error = F.cross_entropy(judge(to_pixels(images[chosen])), labels[chosen].long())
            error.backward()
            optimiser.step(LEARNING_RATE)
    return judge.eval()


def save_judge(path, judge):
    with whole(path) as partial:
        save_model(judge, str(partial))


def load_judge(path):
    """The judge at `path`, for evaluation."""
    judge = Judge()
    load_model(judge, str(path))
    return judge.eval()


@torch.no_grad()
def probabilities(judge, pixels):
    """The judge's class probabilities, array `(n, 10)`, of pixels `(n, 784)` in [0, 1]."""
    batches = torch.as_tensor(pixels, dtype=torch.float32).split(EVALUATION_BATCH)
    return torch.cat([judge(x).softmax(1) for x in batches]).numpy()


def measure_samples(judge, model, settings, test_images, held_out, seed=0, count=SAMPLES):
    """Fréchet distances to random test images: `frechet` of decoded draws from the prior, and `frechet_real` of
    held-out real images, which is what perfect samples would have.

    Images are uint8 arrays `(n, 28, 28)`; of a conditional model the labels are drawn evenly.
    """
    rng = np.random.default_rng(seed)
    count = min(count, len(test_images), len(held_out))
    z = torch.tensor(rng.standard_normal((count, model.latent_dim)), dtype=torch.float32)
    labels = rng.integers(0, CLASSES, count) if model.conditional else None
    sampled = decode(model, settings, z, labels)
    real, other = (
        to_pixels(images[rng.permutation(len(images))[:count]]).numpy() for images in (test_images, held_out)
    )  # at random: the files' order is not
    return {
        "frechet": sample_distance(judge, real, sampled),
        "frechet_real": sample_distance(judge, real, other),
        "samples": count,
    }


@torch.no_grad()
def labelled_samples(model, settings, images, labels, count, generator):
    """`count` samples with labels, uint8 `(count, 28, 28)` and int64 `(count,)`, to augment labelled images with.

    A conditional model draws z from the prior and the label evenly. Another cannot name what it draws: it draws z from
    q(z|x) of the given images, and keeps their labels.
    """
    if model.conditional:
        y = torch.randint(CLASSES, (count,), generator=generator)
        z = torch.randn(count, model.latent_dim, generator=generator)
    else:
        chosen = torch.randint(len(images), (count,), generator=generator)
        y = labels[chosen]
        mean, log_var = model.encode(to_pixels(images[chosen]), y)
        z = sample_code(mean, log_var, torch.randn(mean.shape, generator=generator))
    pixels = torch.as_tensor(decode(model, settings, z, y))
    return pixels.mul(255).round().to(torch.uint8).view(-1, 28, 28), y


def augmentation(model, settings, training, test, sizes, seeds, draws):
    """What a judge gains from a model's samples where real images are few.

    Args:
        training, test: pairs of uint8 images `(n, 28, 28)` and int64 labels `(n,)`; tensors.
        sizes: numbers of real images; which ones, differs with the seed.

    Returns:
        `sizes`, `seeds`, and for each size `mean` and `std` over the seeds of the test accuracy of judges trained on
        the `real` images alone, on as many draws half of which are `samples`, and of the `gain` from one to the other.
        Every judge takes `draws` draws with replacement, so all make equally many steps.
    """
    found = {"real": [], "samples": [], "gain": []}
    for size in sizes:
        pairs = np.array([_taught_pair(model, settings, training, test, size, seed, draws) for seed in range(seeds)])
        for name, values in zip(found, (*pairs.T, pairs[:, 1] - pairs[:, 0]), strict=True):
            found[name].append(values)
    return {"sizes": list(sizes), "seeds": seeds} | {
        name: {"mean": [float(v.mean()) for v in values], "std": [float(v.std()) for v in values]}
        for name, values in found.items()
    }


def _taught_pair(model, settings, training, test, size, seed, draws):
    """Test accuracies without and with samples, for `size` real images chosen by `seed`."""
    generator = torch.Generator().manual_seed(seed)
    few = [values[torch.randperm(len(values), generator=generator.manual_seed(seed))[:size]] for values in training]
    real = torch.randint(len(few[0]), (draws,), generator=generator)
    sampled = labelled_samples(model, settings, *few, draws // 2, generator)
    half = real[draws // 2 :]
    shown = ([v[real] for v in few], [torch.cat([v[half], more]) for v, more in zip(few, sampled, strict=True)])
    x, labels = to_pixels(test[0]).numpy(), test[1].numpy()
    judges = [train_judge(*pair, epochs=1, seed=seed) for pair in shown]
    return [float((probabilities(judge, x).argmax(axis=1) == labels).mean()) for judge in judges]


def fit_gaussian(features):
    """Mean `(f,)` and covariance `(f, f)` of features `(n, f)`."""
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_distance(a, b):
    """Squared Fréchet distance |m1 - m2|² + Tr(C1 + C2 - 2 (C1 C2)^½) of two Gaussians (mean, covariance).

    The formula is that of Heusel et al. (2017), but the features are this project's judge's, not Inception's: it is
    NOT FID, and compares only samples of one size, judged by one judge.
    """
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    # With C = F Fᵀ, Tr (C1 C2)^½ is the sum of the singular values of F1ᵀ F2: real, and fine with singular C.
    cross = np.linalg.norm(_factor(cov_a).T @ _factor(cov_b), ord="nuc")
    distance = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross
    return float(max(0.0, distance))


def sample_distance(judge, real, sampled):
    """Fréchet distance (not FID, see above) between the judge's features of real and of sampled images, pixel arrays
    `(n, 784)` in [0, 1]."""
    return frechet_distance(*(fit_gaussian(_features(judge, pixels)) for pixels in (real, sampled)))


@torch.no_grad()
def _features(judge, pixels):
    batches = torch.as_tensor(pixels, dtype=torch.float32).split(EVALUATION_BATCH)
    return torch.cat([judge.features(x) for x in batches]).double().numpy()


def _factor(covariance):
    """F with F Fᵀ the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))

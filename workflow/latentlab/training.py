"""The one training loop, and weights that say what they are."""

import json
import math

import torch
from safetensors import safe_open
from safetensors.torch import load_model, save_model

from latentlab import models
from latentlab.errors import UserError
from latentlab.files import whole
from latentlab.objectives import likelihood_of, loss, terms

EVALUATION_BATCH = 2000


def to_pixels(images):
    """uint8 (n, 28, 28), array or tensor, to float32 (n, 784) in [0, 1]."""
    return torch.as_tensor(images).flatten(1).float().div_(255)


def batches(images, size):
    """Pixels in order, `size` images at a time."""
    return (to_pixels(images[start : start + size]) for start in range(0, len(images), size))


def train(settings, latent_dim, seed, images, validation, on_epoch=lambda row: None):
    """Train the model of a `models:` entry.

    Args:
        settings: the resolved entry (settings.py).
        images, validation: uint8 tensors `(n, 28, 28)`.
        on_epoch: called with each row of the history as it is made.

    Returns:
        The model, and the history: one dictionary an epoch, terms in nats per image; the training terms are the
        epoch's running means (each image once, as it was met), the validation terms are taken after the epoch.

    Raises:
        UserError: the loss is no longer a number.
    """
    torch.manual_seed(seed)
    model = models.build(settings, latent_dim)
    likelihood = likelihood_of(settings)
    optimiser = torch.optim.Adam(
        model.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"], fused=True
    )
    history = []
    for epoch in range(1, settings["epochs"] + 1):
        sums = {}
        for chosen in torch.randperm(len(images)).split(settings["batch_size"]):
            named = terms(model, likelihood, to_pixels(images[chosen]))
            optimiser.zero_grad()
            loss(named, settings["beta"]).backward()
            optimiser.step()
            _add(sums, named)
        row = {"epoch": epoch}
        row |= _row("train", sums, len(images), settings["beta"])
        row |= _row("validation", term_sums(model, likelihood, validation), len(validation), settings["beta"])
        if not math.isfinite(row["train_loss"]):
            raise UserError(
                f"epoch {epoch}: the loss is {row['train_loss']}, most likely because the steps are too large: "
                f"lower learning_rate (now {settings['learning_rate']:g})"
            )
        history.append(row)
        on_epoch(row)
    return model, history


@torch.no_grad()
def term_sums(model, likelihood, images, passes=1):
    """The objective's terms summed over `images`, averaged over `passes` samples of each code; nats."""
    sums = {}
    for _ in range(passes):
        for x in batches(images, EVALUATION_BATCH):
            _add(sums, terms(model, likelihood, x))
    return {name: total / passes for name, total in sums.items()}


def describe(row):
    """A row of the history in words."""
    terms = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in row.items() if name != "epoch")
    return f"epoch {row['epoch']}: {terms} nats per image"


@torch.no_grad()
def encode(model, images):
    """Codes of uint8 images `(n, 28, 28)`: arrays `mean` and, for a random code, `log_var`, each `(n, d)`."""
    parts = [model.encode(x) for x in batches(images, EVALUATION_BATCH)]
    named = {"mean": [mean for mean, _ in parts], "log_var": [log_var for _, log_var in parts]}
    return {name: torch.cat(values).numpy() for name, values in named.items() if values[0] is not None}


@torch.no_grad()
def decode(model, settings, z):
    """Pixels in [0, 1], array `(n, 784)`, of latent positions `(n, d)`."""
    likelihood = likelihood_of(settings)
    return torch.cat(
        [likelihood.pixels(model.decode(part)) for part in torch.as_tensor(z).split(EVALUATION_BATCH)]
    ).numpy()


def save(path, model, settings, seed):
    """safetensors whose metadata holds all that `load` needs, under one key: the order of several is not fixed."""
    described = {"settings": settings, "latent_dim": model.latent_dim, "seed": seed}
    with whole(path) as partial:
        save_model(model, str(partial), metadata={"latentlab": json.dumps(described, sort_keys=True)})


def load(path):
    """The model at `path`, for evaluation, and its description: `settings`, `latent_dim`, `seed`.

    Raises:
        UserError: the file is not weights of this project, or they do not fit the network it describes.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            described = json.loads(file.metadata()["latentlab"])
        model = models.build(described["settings"], described["latent_dim"])
        load_model(model, str(path))
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise UserError(f"{path}: not weights of this project ({reason}); delete it and run again") from error
    return model.eval(), described


def _add(sums, named):
    for name, values in named.items():
        sums[name] = sums.get(name, 0.0) + values.detach().sum(dtype=torch.float64)


def _row(split, sums, images, beta):
    """`{split}_loss` and the terms, as means over the images."""
    means = {name: float(total) / images for name, total in sums.items()}
    total = means["reconstruction"] + beta * means.get("kl", 0.0)
    return {f"{split}_loss": total} | {f"{split}_{name}": value for name, value in means.items()}

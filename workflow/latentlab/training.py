"""The one training loop, and weights that say what they are."""

import json
import math

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_model, save_model
from torch.nn import functional
from torch.optim.adam import adam

from latentlab import models
from latentlab.errors import UserError, in_words
from latentlab.files import whole
from latentlab.objectives import likelihood_of, loss, terms

EVALUATION_BATCH = 500  # the feature maps of more images do not stay in the cache
EXPLODED = 10  # times the loss of an untrained network
TURN, STRETCH, SHIFT = 10.0, 0.1, 1.0  # the most that `augment` does: degrees, share of the size, pixels


def to_pixels(images):
    """uint8 (n, 28, 28), array or tensor, to float32 (n, 784) in [0, 1]."""
    return torch.as_tensor(images).flatten(1).float().div_(255)


def observe(images, settings, training=False):
    """What a model is shown of uint8 images: their grey pixels, or with `binarise` a fresh 0 or 1 for each pixel,
    drawn with its grey as the probability (Salakhutdinov & Murray 2008). `binarise: training` draws while training
    only: the noise keeps a model of grey pixels from learning its images by heart."""
    x = to_pixels(images)
    drawn = settings["binarise"] is True or (training and settings["binarise"])
    return (torch.rand_like(x) < x).float() if drawn else x


def augmented(images):
    """uint8 images `(n, 28, 28)`, each turned, stretched and shifted at random, bilinearly, black coming in."""
    n = len(images)
    turn, wide, high, right, down = (torch.rand(5, n, device=images.device) * 2 - 1).unbind()
    turn, wide, high = turn * math.radians(TURN), 1 + STRETCH * wide, 1 + STRETCH * high
    right, down = (2 * SHIFT / images.shape[-1] * shift for shift in (right, down))
    cos, sin = turn.cos(), turn.sin()
    affine = torch.stack([wide * cos, -high * sin, right, wide * sin, high * cos, down], dim=1).view(n, 2, 3)
    where = functional.affine_grid(affine, [n, 1, *images.shape[1:]], align_corners=False)
    return functional.grid_sample(images[:, None].float(), where, align_corners=False)[:, 0].round().to(torch.uint8)


def batches(size, *tensors):
    """`size` rows at a time of each of `tensors`, in order."""
    return zip(*(tensor.split(size) for tensor in tensors), strict=True)


def device_of(knob):
    """The torch device that the knob `device` names; "auto" is the first of CUDA, MPS and the processor that is there.

    Raises:
        UserError: there is no such device here.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if knob == "auto":
        return next(name for name, found in there.items() if found)
    if not there[knob]:
        raise UserError(f"config: device: this machine has no {knob}; choose auto or cpu")
    return knob


def train(settings, latent_dim, seed, training, validation, on_epoch=lambda row: None, device="cpu"):
    """Train the model of a `models:` entry.

    Args:
        settings: the resolved entry (settings.py).
        training, validation: pairs of images, uint8 `(n, 28, 28)`, and labels, int64 `(n,)`; tensors.
        on_epoch: called with each row of the history as it is made.
        device: where it trains (torch's name); equal runs give equal bytes on the processor only.

    Returns:
        The model, on the processor, and the history: one dictionary an epoch, terms in nats per image; the training
        terms are the epoch's running means (each image once, as it was met), the validation terms are taken after it.

    Raises:
        UserError: the loss is no longer a number, or has exploded.
    """
    # Adam's moments of a pixel that is always black fade to denormal numbers, which halve the speed of every step.
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    model = models.build(settings, latent_dim).to(device)
    likelihood = likelihood_of(settings)
    optimiser = Adam(model, settings["weight_decay"])
    images, labels = (part.to(device) for part in training)
    validation = [part.to(device) for part in validation]
    history, untrained = [], math.nan  # the loss of the first batch, before anything is learnt
    for epoch in range(1, settings["epochs"] + 1):
        rate, sums = learning_rate(settings, epoch), {}
        for chosen in torch.randperm(len(images), device=device).split(settings["batch_size"]):
            shown = images.index_select(0, chosen)  # indexing would go pixel by pixel
            if settings["augment"]:  # half of a batch: the other half shows what real images look like
                half = len(shown) // 2
                shown = torch.cat([augmented(shown[:half]), shown[half:]])
            with products(settings["precision"], device):
                named = terms(model, likelihood, observe(shown, settings, training=True), labels[chosen])
            objective = loss(named, settings["beta"])
            untrained = objective.item() if math.isnan(untrained) else untrained
            objective.backward()
            optimiser.step(rate)
            _add(sums, named)
        row = {"epoch": epoch}
        row |= _row("train", sums, len(images), settings["beta"])
        held_out = term_sums(model, settings, *validation)
        row |= _row("validation", held_out, len(validation[0]), settings["beta"])
        if not (math.isfinite(row["train_loss"]) and row["train_loss"] <= EXPLODED * max(1.0, untrained)):
            raise UserError(
                f"epoch {epoch}: the loss is {row['train_loss']:.4g} where an untrained network has {untrained:.4g}, "
                f"most likely because the steps are too large: lower learning_rate (now {settings['learning_rate']:g})"
            )
        history.append(row)
        on_epoch(row)
    return model.cpu(), history


class Adam:
    """Kingma & Ba (2015), in torch's fused form. `torch.optim.Adam` does the same, but imports torch's compiler first,
    which takes longer than many a training."""

    def __init__(self, model, weight_decay=0.0):
        self.weights, self.weight_decay = list(model.parameters()), weight_decay
        self.means, self.squares = ([torch.zeros_like(weight) for weight in self.weights] for _ in range(2))
        self.steps = [torch.zeros((), device=weight.device) for weight in self.weights]

    @torch.no_grad()
    def step(self, learning_rate):
        """One step down the gradients, which are gone afterwards."""
        gradients = [weight.grad for weight in self.weights]
        state = gradients, self.means, self.squares, [], self.steps
        adam(
            self.weights,
            *state,
            fused=True,
            amsgrad=False,
            maximize=False,
            lr=learning_rate,
            weight_decay=self.weight_decay,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
        )
        for weight in self.weights:
            weight.grad = None


def products(precision, device="cpu"):
    """The context in which matrix products have this precision: bfloat16 on a processor only if that multiplies it in
    hardware (AMX), for else it is the slower one. Weights, sums and the optimiser stay float32."""
    fast = device != "cpu" or torch.cpu.get_capabilities().get("amx_bf16", False)
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16" and fast)


def learning_rate(settings, epoch):
    """The rate of an epoch, counted from 1: constant, or falling along a half cosine (Loshchilov & Hutter 2017)."""
    if settings["schedule"] == "constant":
        return settings["learning_rate"]
    return settings["learning_rate"] * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / settings["epochs"]))


@torch.no_grad()
def term_sums(model, settings, images, labels, passes=1):
    """The objective's terms summed over the images, averaged over `passes` samples of each code; nats."""
    likelihood, sums = likelihood_of(settings), {}
    for _ in range(passes):
        for some, y in batches(EVALUATION_BATCH, images, labels):
            _add(sums, terms(model, likelihood, observe(some, settings), y))
    return {name: total / passes for name, total in sums.items()}


def describe(row):
    """A row of the history in words."""
    terms = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in row.items() if name != "epoch")
    return f"epoch {row['epoch']}: {terms} nats per image"


@torch.no_grad()
def encode(model, images, labels):
    """Codes of uint8 images `(n, 28, 28)`: arrays `mean` and, for a random code, `log_var`, each `(n, d)`."""
    parts = [model.encode(to_pixels(some), y) for some, y in batches(EVALUATION_BATCH, images, labels)]
    named = {"mean": [mean for mean, _ in parts], "log_var": [log_var for _, log_var in parts]}
    return {name: torch.cat(values).numpy() for name, values in named.items() if values[0] is not None}


@torch.no_grad()
def decode(model, settings, z, label=None):
    """Pixels in [0, 1], array `(n, 784)`, of latent positions `(n, d)`; `label` is one for all of them, or `(n,)`, and
    matters to a model that takes labels."""
    likelihood, z = likelihood_of(settings), torch.as_tensor(z)
    y = torch.as_tensor(0 if label is None else label).expand(len(z))
    parts = [likelihood.pixels(model.decode(*some)) for some in batches(EVALUATION_BATCH, z, y)]
    return torch.cat(parts).clamp(0, 1).numpy()


@torch.no_grad()
def reconstruct(model, settings, pixels, labels):
    """Reconstructions `(n, 784)` of pixels `(n, 784)` in [0, 1] from their codes' means; tensors. Those of a linear
    output may leave [0, 1]."""
    likelihood = likelihood_of(settings)
    parts = batches(EVALUATION_BATCH, pixels, labels)
    return torch.cat([likelihood.pixels(model.decode(model.encode(x, y)[0], y)) for x, y in parts])


@torch.no_grad()
def show(model, settings, images, labels, seed=0):
    """Pixels `(40, 784)`: the first image of each class, their reconstructions, and two rows of samples from the prior,
    of a conditional model one of each class in order."""
    torch.manual_seed(seed)
    first = torch.stack([(labels == label).nonzero()[0, 0] for label in range(models.CLASSES)])
    x, y = to_pixels(images[first]), labels[first]
    rows = [x.numpy(), reconstruct(model, settings, x, y).clamp(0, 1).numpy()]
    rows += [decode(model, settings, torch.randn(len(y), model.latent_dim), y) for _ in range(2)]
    return np.concatenate(rows)


def tensors(images, labels):
    """The arrays of data.load as the tensors that this module takes."""
    return torch.tensor(images), torch.tensor(labels, dtype=torch.int64)


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
        if in_words(error):  # the machine's fault, not the file's
            raise
        reason = " ".join(str(error).split())[:160]
        raise UserError(f"{path}: not weights of this project ({reason}); delete it and run again") from error
    return model.eval(), described


def _add(sums, named):
    for name, values in named.items():
        wide = torch.float32 if values.device.type == "mps" else torch.float64  # which MPS lacks
        sums[name] = sums.get(name, 0.0) + values.detach().sum(dtype=wide)


def _row(split, sums, images, beta):
    """`{split}_loss` and the terms, as means over the images."""
    means = {name: float(total) / images for name, total in sums.items()}
    total = means["reconstruction"] + beta * means.get("kl", 0.0)
    return {f"{split}_loss": total} | {f"{split}_{name}": value for name, value in means.items()}

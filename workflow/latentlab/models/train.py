"""The training loop, the same for every model."""

import math
from collections.abc import Callable

import msgspec
import torch
from torch import Tensor
from torch.optim.adam import adam

from latentlab.models.families import build_model
from latentlab.models.inputs import EVALUATION_BATCH, model_input, random_affine, split_batches
from latentlab.models.networks import LatentModel
from latentlab.models.precision import autocast, resolve_precision
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.errors import UserError

DIVERGENCE_FACTOR = 10  # a training ends when its loss exceeds this many times that of the untrained network

HistoryRow = dict[str, float]
Split = tuple[Tensor, Tensor]  # uint8 images (n, rows, columns) and int64 labels (n,)


def train_model(
    spec: ModelSpec,
    training: Split,
    validation: Split,
    on_epoch: Callable[[HistoryRow], None] = lambda row: None,
    device: str = "cpu",
) -> tuple[LatentModel, list[HistoryRow]]:
    """Train a model.

    Args:
        on_epoch: called with each row of the history as soon as it is complete.
        device: where to train, a name that torch knows; only on the CPU do equal runs give equal bytes.

    Returns:
        The model, on the CPU, whose spec holds the precision that was used, and its history: a row per epoch with the
        loss and its terms, nats per image. The training terms are means over the epoch, each image counted when it was
        seen; the validation terms are computed after it.

    Raises:
        UserError: the loss is not finite any more, or has diverged.
    """
    # Adam's moments of pixels that are always black decay to denormal numbers, which halve the speed of every step.
    torch.set_flush_denormal(True)
    torch.manual_seed(spec.seed)
    settings = resolve_precision(spec.settings, device)
    spec = msgspec.structs.replace(spec, settings=settings)
    model = build_model(spec).to(device)
    optimizer = Adam(model, settings.weight_decay)
    images, labels = (tensor.to(device) for tensor in training)
    validation_images, validation_labels = (tensor.to(device) for tensor in validation)
    history: list[HistoryRow] = []
    initial_loss = math.nan
    for epoch in range(1, settings.epochs + 1):
        rate = learning_rate(settings, epoch)
        sums: dict[str, Tensor] = {}
        for indices in torch.randperm(len(images), device=device).split(settings.batch_size * model.block_batches):
            block = images.index_select(0, indices)  # seven times as fast as images[indices]
            if settings.augment:  # half of the block, so that real images are seen as well
                half = len(block) // 2
                block = torch.cat([random_affine(block[:half]), block[half:]])
            with autocast(settings.precision, device):
                batches = model.training_batches(model_input(block, settings, training=True), labels[indices])
            for batch in batches:
                with autocast(settings.precision, device):
                    terms = model.loss_terms(*batch)
                loss = model.loss(terms).mean()
                initial_loss = loss.item() if math.isnan(initial_loss) else initial_loss
                loss.backward()
                optimizer.step(rate)
                _accumulate(sums, terms)
        row: HistoryRow = {"epoch": epoch} | _means("train", model, sums, len(images))
        validation_sums = sum_terms(model, model.loss_terms, validation_images, validation_labels)
        row |= _means("validation", model, validation_sums, len(validation_images))
        _check_divergence(row, initial_loss, settings)
        history.append(row)
        on_epoch(row)
    return model.cpu(), history


class Adam:
    """Adam (Kingma & Ba 2015) by torch's fused kernel. `torch.optim.Adam` does the same, but importing it imports
    torch's compiler, which takes longer than many trainings do."""

    def __init__(self, model: torch.nn.Module, weight_decay: float = 0.0) -> None:
        self.weights: list[Tensor] = list(model.parameters())
        self.weight_decay = weight_decay
        self.means, self.squares = ([torch.zeros_like(weight) for weight in self.weights] for _ in range(2))
        self.steps = [torch.zeros((), device=weight.device) for weight in self.weights]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Update the weights from their gradients, and clear the gradients."""
        adam(
            self.weights,
            [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in self.weights],
            self.means,
            self.squares,
            [],
            self.steps,
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


def select_device(setting: str) -> str:
    """The torch device for the setting `device`; "auto" is the first available of CUDA, MPS and the CPU.

    Raises:
        UserError: this machine has no such device.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if setting == "auto":
        return next(name for name, is_available in available.items() if is_available)
    if not available[setting]:
        raise UserError(f"config: device: this machine has no {setting}; choose auto or cpu")
    return setting


def learning_rate(settings: ModelSettings, epoch: int) -> float:
    """The learning rate of an epoch, counted from 1: constant, or along a half cosine (Loshchilov & Hutter 2017)."""
    if settings.schedule == "constant":
        return settings.learning_rate
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / settings.epochs))


@torch.no_grad()
def sum_terms(
    model: LatentModel,
    terms: Callable[[Tensor, Tensor], dict[str, Tensor]],
    images: Tensor,
    labels: Tensor,
    samples: int = 1,
) -> dict[str, Tensor]:
    """The terms of a loss summed over uint8 images (n, rows, columns), in nats.

    Args:
        terms: `model.loss_terms` or `model.evaluation_terms`.
        samples: draws of z, and of binary pixels, for each image, over which the terms are averaged.
    """
    sums: dict[str, Tensor] = {}
    for _ in range(samples):
        for batch, y in split_batches(EVALUATION_BATCH * model.block_batches, images, labels):
            _accumulate(sums, terms(model_input(batch, model.spec.settings), y))
    return {name: total / samples for name, total in sums.items()}


def format_epoch(row: HistoryRow) -> str:
    """A row of the history as a line of the log."""
    terms = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in row.items() if name != "epoch")
    return f"epoch {row['epoch']}: {terms} nats per image"


def _accumulate(sums: dict[str, Tensor], terms: dict[str, Tensor]) -> None:
    for name, values in terms.items():
        dtype = torch.float32 if values.device.type == "mps" else torch.float64  # MPS has no float64
        total = values.detach().sum(dtype=dtype)
        sums[name] = sums[name] + total if name in sums else total


def _means(split: str, model: LatentModel, sums: dict[str, Tensor], n_images: int) -> HistoryRow:
    """`{split}_loss` and the terms, as means over the images."""
    means = {name: float(total) / n_images for name, total in sums.items()}
    return {f"{split}_loss": model.loss(means)} | {f"{split}_{name}": value for name, value in means.items()}


def _check_divergence(row: HistoryRow, initial_loss: float, settings: ModelSettings) -> None:
    """Raise UserError if the training has diverged."""
    loss = row["train_loss"]
    if not (math.isfinite(loss) and loss <= DIVERGENCE_FACTOR * max(1.0, initial_loss)):
        raise UserError(
            f"epoch {row['epoch']}: the loss is {loss:.4g}, that of the untrained network was {initial_loss:.4g}: the "
            f"training diverges, most likely because its steps are too large; lower learning_rate (now "
            f"{settings.learning_rate:g})"
        )

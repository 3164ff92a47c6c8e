"""A small convolutional classifier that knows only the data: it judges samples, and others are compared with it."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.nn import functional

from latentlab.models.checkpoint import weights_errors
from latentlab.models.inputs import map_batches, to_pixels
from latentlab.models.train import Adam
from latentlab.records.datasets import Dataset
from latentlab.runtime.files import atomic_write

LEARNING_RATE = 1e-3


class ReferenceClassifier(nn.Module):
    """Two 3×3 convolutions with 16 and 32 channels, each followed by 2×2 max pooling, then 64 features and one logit
    per class."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__()
        channels = dataset.n_channels
        rows, columns = (((size - 2) // 2 - 2) // 2 for size in dataset.size)  # no padding
        self.body = nn.Sequential(
            nn.Unflatten(1, (channels, *dataset.size)),
            # a ReLU after pooling: the same as before it, on fewer numbers
            *(nn.Conv2d(channels, 16, 3), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Conv2d(16, 32, 3), nn.MaxPool2d(2), nn.ReLU()),
            nn.Flatten(),
            nn.Linear(32 * rows * columns, 64),
        )
        self.head = nn.Linear(64, dataset.n_classes)
        self.to(memory_format=torch.channels_last)  # makes the convolutions half as fast again

    def features(self, x: Tensor) -> Tensor:
        """(B, P) to (B, 64), before the last ReLU: a rectified feature is far from Gaussian."""
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        """(B, P) to logits (B, classes)."""
        return self.head(functional.relu(self.features(x)))


def train_reference_classifier(
    dataset: Dataset, images: Tensor, labels: Tensor, epochs: int, seed: int = 0, batch_size: int = 128
) -> ReferenceClassifier:
    """Train on uint8 images (n, rows, columns) and labels (n,); returns the classifier in evaluation mode."""
    torch.manual_seed(seed)
    classifier = ReferenceClassifier(dataset)
    optimizer = Adam(classifier)
    for _ in range(epochs):
        for indices in torch.randperm(len(images)).split(batch_size):
            x = to_pixels(images.index_select(0, indices))
            loss = functional.cross_entropy(classifier(x), labels[indices].long())
            loss.backward()
            optimizer.step(LEARNING_RATE)
    return classifier.eval()


def save_reference_classifier(path: str | Path, classifier: ReferenceClassifier) -> None:
    """Store the weights as safetensors."""
    with atomic_write(path) as partial:
        save_model(classifier, str(partial))


def load_reference_classifier(path: str | Path, dataset: Dataset) -> ReferenceClassifier:
    """The classifier at `path`, in evaluation mode.

    Raises:
        UserError: the file does not hold its weights.
    """
    classifier = ReferenceClassifier(dataset)
    with weights_errors(path):
        load_model(classifier, str(path))
    return classifier.eval()


@torch.no_grad()
def class_probabilities(classifier: ReferenceClassifier, pixels: np.ndarray | Tensor) -> np.ndarray:
    """Class probabilities `(n, classes)` of pixels `(n, P)` in [0, 1]."""
    return map_batches(classifier, torch.as_tensor(pixels, dtype=torch.float32)).softmax(1).numpy()


@torch.no_grad()
def class_features(classifier: ReferenceClassifier, pixels: np.ndarray | Tensor) -> np.ndarray:
    """Features `(n, 64)`, float64, of pixels `(n, P)` in [0, 1]."""
    return map_batches(classifier.features, torch.as_tensor(pixels, dtype=torch.float32)).double().numpy()

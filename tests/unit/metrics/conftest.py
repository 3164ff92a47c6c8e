import pytest
from builders import MNIST, block_images

from latentlab.metrics.reference_classifier import train_reference_classifier


@pytest.fixture(scope="session")
def block_classifier():
    """A reference classifier that knows the classes of `block_images`."""
    return train_reference_classifier(MNIST, *block_images(2000), epochs=3)

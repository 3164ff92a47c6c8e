import pytest
import torch
from builders import MNIST, block_images, model_spec

from latentlab.metrics.augmentation import augmentation_gain, labelled_samples
from latentlab.models.inputs import to_pixels
from latentlab.models.networks import Autoencoder
from latentlab.runtime.errors import UserError

LINEAR = {"likelihood": "gaussian", "output": "linear"}


class Memory(Autoencoder):
    """Decodes each label to an image of that class, or of the class `shift` after it."""

    def __init__(self, shift):
        super().__init__(model_spec("autoencoder", conditional=True, **LINEAR))
        images, labels = block_images(200, seed=7)
        self.images = to_pixels(torch.stack([images[labels == (label + shift) % 10][0] for label in range(10)]))

    def decode(self, z, y=None):
        return self.images[y]


class Copier(Autoencoder):
    """Encodes an image as itself, and decodes it."""

    def __init__(self):
        super().__init__(model_spec("autoencoder", latent_dim=784, **LINEAR))

    def encode(self, x, y=None):
        return x, torch.full_like(x, -100)

    def decode(self, z, y=None):
        return z


def test_samples_of_a_conditional_model_have_the_labels_they_were_drawn_with():
    generator = torch.Generator().manual_seed(0)
    images, labels = labelled_samples(Memory(0), *block_images(100), 500, generator)
    assert images.shape == (500, 28, 28) and images.dtype == torch.uint8
    assert (to_pixels(images) - Memory(0).images[labels]).abs().max() < 0.01
    assert set(labels.tolist()) == set(range(10))


def test_samples_of_an_unconditional_model_keep_the_labels_of_the_images_they_are_drawn_from():
    training_images, training_labels = block_images(100)
    images, labels = labelled_samples(Copier(), training_images, training_labels, 300, torch.Generator().manual_seed(0))
    sources = [(training_images == image).all(dim=(1, 2)).nonzero() for image in images]
    assert [int(training_labels[source[0, 0]]) for source in sources] == labels.tolist()


def test_samples_of_the_right_class_help_and_of_the_wrong_class_harm():
    training, test = block_images(400, seed=1), block_images(400, seed=2)
    right, wrong = (
        augmentation_gain("memory", MNIST, Memory(shift), training, test, [5], n_seeds=2, draws=6000)
        for shift in (0, 1)
    )
    assert right.sizes == (5,) and right.seeds == 2 and right.real == wrong.real
    assert right.gain.mean[0] > 0.2 and wrong.gain.mean[0] < 0.1


def test_more_images_than_there_are_to_train_on_are_refused():
    training = block_images(40)
    with pytest.raises(UserError, match=r"augmentation_sizes: 41 is more than the 40 training images"):
        augmentation_gain("memory", MNIST, Memory(0), training, training, [5, 41], n_seeds=1, draws=10)

import numpy as np
import pytest
from builders import GreyFeature, block_images, flat_images, grey_images

from latentlab.metrics.realism import N_REAL, RealImages
from latentlab.models.inputs import to_pixels

RNG = np.random.default_rng(0)


def test_an_image_passes_within_the_third_neighbour_s_distance_of_a_real_one():
    real = RealImages(
        GreyFeature(), *grey_images()
    )  # greys 0, 1, …, 99: the third neighbour is 2 greys away, at the ends 3
    realism, nearest, _ = real.compare(flat_images(50.5, 101.5, 102.5, 250))
    assert realism == pytest.approx([4, 3 / 2.5, 3 / 3.5, 3 / 151], rel=1e-3)
    assert real.labels[nearest].tolist() == [0, 9, 9, 9] or real.labels[nearest].tolist() == [1, 9, 9, 9]
    assert real.precision(flat_images(50.5, 101.5, 102.5, 250)) == 0.5


def test_a_real_image_itself_passes_and_many_images_are_compared_in_batches():
    real = RealImages(GreyFeature(), *grey_images())
    greys = np.arange(1200) % 100
    realism, nearest, _ = real.compare(flat_images(*greys))
    assert (realism > 1e6).all() and (real.images[nearest][:, 0, 0] == greys).all()


def test_a_part_of_many_real_images_is_drawn_at_random():
    images = np.arange(N_REAL + 500).astype(">u4").view(np.uint8).reshape(-1, 1, 4)
    real = RealImages(GreyFeature(), images, np.arange(len(images)))
    assert len(real.images) == len(np.unique(real.labels)) == N_REAL and (np.diff(real.labels) < 0).any()
    assert (real.images == images[real.labels]).all()


def test_held_out_images_pass_and_blanks_means_and_blurs_do_not(block_classifier):
    images, labels = block_images(2000)
    real, held_out = (
        RealImages(block_classifier, images.numpy(), labels.numpy()),
        to_pixels(block_images(500, seed=1)[0]),
    )
    means = np.stack([to_pixels(images[labels == label]).mean(0).numpy() for label in range(10)])
    blur = np.ones((28, 28)) * held_out.numpy().mean(1)[:, None, None]
    assert real.precision(held_out) > 0.8
    for others in (np.zeros((1, 784)), means, blur.reshape(-1, 784)):
        assert real.precision(others) < 0.3

import pytest
import torch
from builders import block_images, evaluate, model_spec

from latentlab.models.convolutional import halved
from latentlab.models.families import build_model
from latentlab.models.networks import layer_table
from latentlab.models.train import train_model


@pytest.mark.parametrize("shape", [(28, 28), (27, 27), (12, 20), (13, 18), (10, 31), (1, 1), (5, 2)])
@pytest.mark.parametrize("conditional", [False, True])
def test_images_of_any_shape_come_back_in_their_shape(shape, conditional):
    spec = model_spec("convolutionalvae", hidden=(8,), image_shape=shape, n_classes=3, conditional=conditional)
    model, pixels = build_model(spec), shape[0] * shape[1]
    x, y = torch.rand(4, pixels), torch.tensor([0, 1, 2, 2])
    mean, log_var = model.encode(x, y)
    assert mean.shape == log_var.shape == (4, 2) and model.decode(mean, y).shape == (4, pixels)
    assert sum(row.parameters for row in layer_table(model)) == sum(weights.numel() for weights in model.parameters())


def test_each_convolution_halves_the_sides_and_rounds_up():
    assert halved((28, 27)) == (14, 14) and halved((5, 1)) == (3, 1)


def test_shifted_images_have_shifted_features():
    """A network is convolutional if a shift by 4 pixels of the input is one by a pixel after both strides."""
    model, x = build_model(model_spec("convolutionalvae", hidden=(8,))), torch.zeros(1, 28, 28)
    x[0, 8:12, 8:12] = torch.rand(4, 4)
    features = [model.features(image.flatten(1)).view(64, 7, 7) for image in (x, x.roll(4, dims=2))]
    assert torch.allclose(features[0][:, :, 1:5], features[1][:, :, 2:6], atol=1e-6)
    assert not torch.equal(*features)


@pytest.mark.parametrize("conditional", [False, True])
def test_it_learns_and_its_bounds_are_those_of_a_vae(conditional):
    images, labels = block_images(300)
    settings = {"hidden": (16,), "epochs": 3, "batch_size": 32, "learning_rate": 3e-3, "binarise": True}
    spec = model_spec("convolutionalvae", conditional=conditional, **settings)
    model, history = train_model(spec, (images, labels), (images[:50], labels[:50]))
    assert history[-1]["train_loss"] < 0.9 * history[0]["train_loss"]
    losses, likelihoods = evaluate(model.eval(), images[:60], labels[:60], tolerance=0.1)
    assert -losses.negative_elbo < likelihoods.log_likelihood + likelihoods.quadrature_error

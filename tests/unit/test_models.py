import pytest
import torch

from latentlab import models

NETWORK = {"family": "convolutional", "hidden": [1600], "conditional": False}


@pytest.fixture(scope="module")
def network():
    return models.build(NETWORK, 576)


def test_the_layers_are_those_of_the_network(network):
    rows = models.layers(network)
    shapes = [(row["part"], row["layer"], row["shape"]) for row in rows if row["layer"] not in ("Flatten", "Unflatten")]
    assert shapes == [
        ("encoder", "Conv2d", (32, 28, 28)),
        ("encoder", "MaxPool2d", (32, 14, 14)),
        ("encoder", "Conv2d", (64, 14, 14)),
        ("encoder", "MaxPool2d", (64, 7, 7)),
        ("encoder", "Linear", (1600,)),
        ("encoder", "Linear", (576,)),
        ("decoder", "Linear", (1600,)),
        ("decoder", "Linear", (3136,)),
        ("decoder", "ConvTranspose2d", (64, 14, 14)),
        ("decoder", "ConvTranspose2d", (1, 28, 28)),
    ]
    assert rows[1] == {
        "part": "encoder", "layer": "Conv2d", "shape": (32, 28, 28), "parameters": 32 * 26,
        "kernel_size": 5, "stride": 1, "padding": 2,
    }  # fmt: skip
    assert sum(row["parameters"] for row in rows) == sum(weights.numel() for weights in network.parameters())


def test_reading_the_layers_leaves_the_model_as_it_was(network):
    models.layers(network)
    assert not any(layer._forward_hooks for layer in network.modules())


def test_images_go_in_and_come_out_flat(network):
    x = torch.rand(3, 784)
    z, log_var = network.encode(x)
    assert z.shape == (3, 576) and log_var is None and network.decode(z).shape == (3, 784)


def test_shifted_images_have_shifted_features(network):
    """What makes it convolutional: a step of 4 pixels at the input is one of a pixel after both poolings."""
    x = torch.zeros(1, 28, 28)
    x[0, 8:12, 8:12] = torch.rand(4, 4)
    features = [network.features(image.flatten(1)).view(64, 7, 7) for image in (x, x.roll(4, dims=2))]
    assert torch.allclose(features[0][:, :, 1:5], features[1][:, :, 2:6], atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape", "gain"),
    [
        (torch.nn.Linear(500, 400), (500,), 1),
        (torch.nn.Conv2d(32, 64, 5, padding=2), (32, 14, 14), 2),
        (torch.nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1), (64, 7, 7), 2),
    ],
)
def test_a_layer_starts_by_keeping_the_signal_s_variance(layer, shape, gain):
    torch.manual_seed(0)
    models.start(layer)
    output = layer(torch.randn(50, *shape))
    inner = output[..., 2:-2, 2:-2] if output.ndim == 4 else output  # at the edge some inputs are missing
    assert inner.var().item() == pytest.approx(gain, rel=0.1)


def test_a_conditional_one_sees_the_label():
    model = models.build(NETWORK | {"conditional": True, "hidden": [20]}, 5)
    x = torch.rand(2, 784)
    z = [model.encode(x, torch.full((2,), label))[0] for label in (1, 2)]
    assert z[0].shape == (2, 5) and not torch.equal(*z)
    assert model.decode(z[0], torch.tensor([1, 2])).shape == (2, 784)

import numpy as np
import pytest
import torch
from builders import model_spec
from packed import unpack, unpack_weights

from latentlab.explorer import pack
from latentlab.models.families import build_model


@pytest.mark.parametrize("n_steps", [48, 400])
def test_the_packed_layers_are_those_of_the_decoder(n_steps):
    torch.manual_seed(0)
    model = build_model(model_spec(hidden=(16, 8)))
    z = torch.randn(5, 2)
    values = z.numpy()
    for layer in pack.pack_layers(model.decoder, n_steps):
        values = values @ unpack_weights(layer).T + unpack(layer.bias, "<f4")
        if layer.activation == "ReLU":
            values = np.maximum(values, 0)
    assert values == pytest.approx(model.decode(z).detach().numpy(), abs=2 / n_steps)


@pytest.mark.parametrize("fourier_features", [0, 8])
def test_rounding_for_inputs_leaves_the_outputs_for_these_nearer_to_what_they_were(fourier_features):
    torch.manual_seed(0)
    model = build_model(model_spec("exact", hidden=(64, 64), fourier_features=fourier_features))
    z, n_steps = torch.randn(500, 2), 20

    def error(layers):
        values = z.numpy()
        for layer in layers:
            if layer.frequencies:
                angles = values @ unpack(layer.frequencies, "<f4").reshape(2, -1)
                values = np.concatenate([values, np.sin(angles), np.cos(angles)], axis=1)
                continue
            values = values @ unpack_weights(layer).T + unpack(layer.bias, "<f4")
            if layer.activation == "ReLU":
                values = np.maximum(values, 0)
        return np.sqrt(np.square(values - model.decode(z).detach().numpy()).mean())

    to_nearest, for_inputs = pack.pack_layers(model.decoder, n_steps), pack.pack_layers(model.decoder, n_steps, z)
    assert error(for_inputs) < error(to_nearest) / 3


def test_weights_whose_inputs_are_equal_make_up_for_each_other():
    weights, bias, inputs = np.full((1, 4), 0.4), np.zeros(1), np.array([[1.0] * 4, [2.0] * 4, [-1.0] * 4])
    multiples, _ = pack.round_weights(weights, bias, np.ones(1), inputs)
    assert multiples.sum() == 2  # nearly 1.6, while the nearest step of each is 0


def test_weights_are_rounded_to_the_nearest_step():
    torch.manual_seed(0)
    layer = torch.nn.Linear(20, 30)
    with torch.no_grad():
        layer.weight[3] = 0.0  # an output without weights
        layer.weight[4, 0] = 1e4  # and one with a weight far larger than the others
    [packed] = pack.pack_layers(layer, 400)
    steps, weights = unpack(packed.steps, "<f4"), layer.weight.detach().numpy()
    assert (np.abs(unpack_weights(packed) - weights) <= 0.501 * steps[:, None]).all()


def test_zero_and_small_negative_weights_have_small_bytes():
    low, high = pack.fold_weights(np.array([[0, -1, 1, -2, 300, -32768, 32767]]))
    assert low.tolist()[:4] == [0, 1, 2, 3] and (low + 256.0 * high).tolist()[4:] == [600, 65535, 65534]

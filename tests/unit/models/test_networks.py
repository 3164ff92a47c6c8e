import pytest
import torch
from builders import model_spec

from latentlab.models.exact import Exact
from latentlab.models.families import build_model
from latentlab.models.networks import VAE, Autoencoder, FourierFeatures, init_weights, layer_table
from latentlab.records.declarations import model_families
from latentlab.records.metrics import LayerSummary
from latentlab.runtime.errors import UserError

WITH_ENCODER = [name for name, family in model_families().items() if family.has_encoder]


@pytest.fixture(scope="module")
def network():
    return build_model(model_spec("convolutional", latent_dim=576, hidden=(1600,)))


@pytest.mark.parametrize("family", model_families())
def test_a_declared_family_is_a_class_that_can_be_built(family):
    model = build_model(model_spec(family, hidden=(4,), latent_dim=2))
    assert type(model).__name__.lower() == family
    assert isinstance(model, Autoencoder) is model.has_encoder is model_families()[family].has_encoder
    assert isinstance(model, VAE | Exact) is model.generative is model_families()[family].generative


@pytest.mark.parametrize("family", model_families())
@pytest.mark.parametrize("conditional", [False, True])
def test_a_label_reaches_a_conditional_model_and_no_other(family, conditional):
    model = build_model(model_spec(family, hidden=(8,), latent_dim=2, conditional=conditional))
    x, z, ones, twos = torch.rand(5, 784), torch.zeros(5, 2), torch.full((5,), 1), torch.full((5,), 2)
    if model.has_encoder:
        assert torch.equal(model.encode(x, ones)[0], model.encode(x, twos)[0]) != conditional
    assert torch.equal(model.decode(z, ones), model.decode(z, twos)) != conditional


@pytest.mark.parametrize("family", WITH_ENCODER)
def test_images_are_flat_on_both_sides(family):
    model = build_model(model_spec(family, hidden=(8,), latent_dim=5))
    x = torch.rand(3, 784)
    z, log_var = model.encode(x)
    assert z.shape == (3, 5) and model.decode(z).shape == (3, 784)
    assert (log_var is not None) == model.generative and (log_var is None or log_var.shape == (3, 5))


@pytest.mark.parametrize("family", WITH_ENCODER)
def test_images_and_classes_may_have_any_number(family):
    model = build_model(
        model_spec(family, hidden=(8,), latent_dim=2, conditional=True, image_shape=(12, 20), n_classes=3)
    )
    x, y = torch.rand(4, 240), torch.tensor([0, 1, 2, 2])
    z, _ = model.encode(x, y)
    assert z.shape == (4, 2) and model.decode(z, y).shape == (4, 240)


def test_the_layers_are_those_of_the_network(network):
    rows = layer_table(network)
    shapes = [(row.part, row.layer, row.shape) for row in rows if row.layer not in ("Flatten", "Unflatten")]
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
    assert rows[1] == LayerSummary(
        part="encoder", layer="Conv2d", shape=(32, 28, 28), parameters=32 * 26, kernel_size=5, stride=1, padding=2
    )
    assert sum(row.parameters for row in rows) == sum(weights.numel() for weights in network.parameters())


def test_reading_the_layers_leaves_the_model_as_it_was(network):
    layer_table(network)
    assert not any(layer._forward_hooks for layer in network.modules())


def test_shifted_images_have_shifted_features(network):
    """A network is convolutional if a shift by 4 pixels of the input is one by a pixel after both poolings."""
    x = torch.zeros(1, 28, 28)
    x[0, 8:12, 8:12] = torch.rand(4, 4)
    features = [network.features(image.flatten(1)).view(64, 7, 7) for image in (x, x.roll(4, dims=2))]
    assert torch.allclose(features[0][:, :, 1:5], features[1][:, :, 2:6], atol=1e-6)


@pytest.mark.parametrize("shape", [(30, 28), (28, 18), (27, 27)])
def test_the_convolutional_family_refuses_sides_that_two_poolings_do_not_divide(shape):
    with pytest.raises(UserError) as error:
        build_model(model_spec("convolutional", image_shape=shape))
    assert str(error.value) == (
        f"family: convolutional needs images whose sides are multiples of 4 pixels, not {shape[0]}×{shape[1]}; "
        "choose convolutionalvae, or a family without convolutions"
    )


@pytest.mark.parametrize(
    ("layer", "shape", "gain"),
    [
        (torch.nn.Linear(500, 400), (500,), 1),
        (torch.nn.Conv2d(32, 64, 5, padding=2), (32, 14, 14), 2),
        (torch.nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1), (64, 7, 7), 2),
    ],
)
def test_an_initialised_layer_keeps_the_variance_of_its_input(layer, shape, gain):
    torch.manual_seed(0)
    init_weights(layer)
    output = layer(torch.randn(50, *shape))
    inner = output[..., 2:-2, 2:-2] if output.ndim == 4 else output  # at the edge some inputs are missing
    assert inner.var().item() == pytest.approx(gain, rel=0.1)


def test_the_loss_is_nats_per_image_and_weights_the_kl():
    terms = {"reconstruction": torch.tensor([100.0, 200.0]), "kl": torch.tensor([4.0, 8.0])}
    vae, beta_vae = (build_model(model_spec(beta=beta)) for beta in (1.0, 2.0))
    assert vae.loss(terms).mean() == 156 and beta_vae.loss(terms).mean() == 162
    assert beta_vae.loss({"reconstruction": 150.0, "kl": 6.0}) == 162
    assert build_model(model_spec("autoencoder")).loss(terms).mean() == 150


def test_evaluation_terms_do_not_depend_on_beta():
    x = torch.rand(20, 784)
    terms = []
    for beta in (1.0, 4.0):
        torch.manual_seed(0)
        model = build_model(model_spec(beta=beta))
        terms.append(model.evaluation_terms(x))
    assert set(terms[0]) == {"reconstruction", "kl"} and terms[0]["kl"].shape == (20,)
    assert all(torch.equal(terms[0][name], terms[1][name]) for name in terms[0])


def test_fourier_features_are_the_sines_and_cosines_of_random_projections_of_z_alone():
    torch.manual_seed(0)
    features = FourierFeatures(2, 500, scale=3.0)
    assert features.frequencies.std().item() == pytest.approx(3, rel=0.1)
    z, label = torch.randn(4, 2), torch.eye(4)[:, :3]
    with torch.autocast("cpu", torch.bfloat16):
        outputs = features(torch.cat([z, label], dim=1))
    angles = z.double() @ features.frequencies.double()
    expected = torch.cat([z.double(), label.double(), angles.sin(), angles.cos()], dim=1)
    assert torch.allclose(outputs.double(), expected, atol=1e-5), "in float32, whatever the precision of the products"


@pytest.mark.parametrize("family", model_families())
@pytest.mark.parametrize("conditional", [False, True])
def test_every_decoder_can_have_fourier_features(family, conditional):
    torch.manual_seed(0)
    settings = {"hidden": (16,), "conditional": conditional, "fourier_features": 8}
    smooth, rough = (build_model(model_spec(family, fourier_scale=scale, **settings)) for scale in (0.01, 100.0))
    z, y = torch.randn(200, 2), torch.zeros(200, dtype=torch.int64)

    def change(model):
        return (model.decode(z + 0.01, y) - model.decode(z, y)).abs().mean()

    assert change(rough) > 10 * change(smooth)
    assert "frequencies" in "".join(rough.state_dict()), "they are stored with the weights"

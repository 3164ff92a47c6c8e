import pytest
import torch
from builders import block_images, model_spec

from latentlab.models.families import build_model
from latentlab.models.inference import encode_images, reconstruct
from latentlab.models.inputs import to_pixels
from latentlab.models.train import train_model

IMAGES, LABELS = block_images(300)
IMAGES = (IMAGES == 255).to(torch.uint8) * 255  # blocks on black


def train(family="denoising", **settings):
    spec = model_spec(family, hidden=(32,), latent_dim=8, epochs=60, batch_size=32, learning_rate=3e-3, **settings)
    return train_model(spec, (IMAGES, LABELS), (IMAGES[:50], LABELS[:50]))


def test_without_noise_it_is_an_autoencoder_to_the_last_bit():
    (denoising, history), (autoencoder, expected) = train(), train("autoencoder")
    assert history == expected
    for name, weights in autoencoder.state_dict().items():
        assert torch.equal(denoising.state_dict()[name], weights), name


def test_the_share_of_masked_pixels_and_the_noise_are_those_of_the_settings():
    torch.manual_seed(0)
    x = torch.full((200, 784), 0.5)
    masked = build_model(model_spec("denoising", masked_share=0.3)).corrupt(x)
    assert set(masked.unique().tolist()) == {0, 0.5}
    assert (masked == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    noisy = build_model(model_spec("denoising", noise_sigma=0.2)).corrupt(x)
    assert noisy.mean().item() == pytest.approx(0.5, abs=0.01) and noisy.std().item() == pytest.approx(0.2, abs=0.01)


def test_its_loss_compares_with_the_clean_image():
    """A network that answers its input at once has the error of the noise."""
    model = build_model(model_spec("denoising", noise_sigma=0.2, likelihood="gaussian", output="linear"))
    model.encode, model.decode = lambda x, y: (x, None), lambda z, y: z
    x = torch.full((500, 784), 0.5)
    torch.manual_seed(0)
    loss = model.loss(model.loss_terms(x)).mean() - model.evaluation_terms(x)["reconstruction"].mean()
    assert loss.item() == pytest.approx(784 * 0.2**2 / 2, rel=0.01)


@pytest.mark.parametrize("corruption", [{"masked_share": 0.8}, {"noise_sigma": 0.5}])
def test_it_restores_corrupted_images_better_than_an_autoencoder(corruption):
    denoising, autoencoder = train(**corruption)[0], train("autoencoder")[0]
    x = to_pixels(IMAGES)
    torch.manual_seed(1)
    corrupted = denoising.corrupt(x)
    with torch.no_grad():
        errors = [
            (model.likelihood.pixels(model.decode(model.encode(corrupted)[0])) - x).square().mean().item()
            for model in (denoising, autoencoder)
        ]
    assert errors[0] < 0.8 * errors[1]


def test_codes_and_reconstructions_are_those_of_clean_images():
    model, _ = train(noise_sigma=0.3)
    codes = encode_images(model, IMAGES, LABELS)
    assert set(codes) == {"codes"} and (encode_images(model, IMAGES, LABELS)["codes"] == codes["codes"]).all()
    assert reconstruct(model, codes["codes"], LABELS).shape == (300, 784)

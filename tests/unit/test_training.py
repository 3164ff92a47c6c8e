import json
import math

import pytest
import torch

from latentlab import likelihood, models, training
from latentlab.errors import UserError

SETTINGS = {
    "family": "vae", "hidden": [32], "likelihood": "bernoulli", "sigma": 1.0, "beta": 1.0, "epochs": 2,
    "batch_size": 64, "learning_rate": 1e-3, "weight_decay": 0.0, "conditional": False, "output": "sigmoid",
    "binarise": False, "schedule": "constant", "augment": False, "precision": "float32",
}  # fmt: skip
IMAGES = (torch.rand(300, 28, 28, generator=torch.Generator().manual_seed(0)) * 255).byte()
LABELS = torch.arange(300) % 10


def train(**changes):
    return training.train(SETTINGS | changes, 2, 0, (IMAGES, LABELS), (IMAGES[:50], LABELS[:50]))


@pytest.mark.parametrize("family", ["autoencoder", "vae"])
def test_equal_runs_give_equal_bytes(family, tmp_path):
    for name in "ab":
        model, history = train(family=family)
        training.save(tmp_path / name, model, SETTINGS | {"family": family}, 0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert [row["epoch"] for row in history] == [1, 2]


def test_training_lowers_the_loss_and_the_terms_add_up():
    _, history = train(epochs=10)
    assert history[-1]["validation_loss"] < history[0]["validation_loss"] - 1
    for row in history:
        assert row["train_loss"] == pytest.approx(row["train_reconstruction"] + row["train_kl"])


def test_a_short_last_batch_weighs_by_its_size():
    """At a learning rate of almost nothing the epoch's mean is the mean over images, whatever the batches."""
    means = [
        train(family="autoencoder", batch_size=size, learning_rate=1e-12, epochs=1)[1][0]["train_loss"]
        for size in (7, 64, 300)
    ]
    assert means[0] == pytest.approx(means[1], rel=1e-5) == pytest.approx(means[2], rel=1e-5)


def test_a_loss_that_is_no_number_names_the_knob():
    with pytest.raises(UserError, match=r"epoch \d: the loss is .*learning_rate"):
        train(learning_rate=1e20, likelihood="gaussian", sigma=1e-20)


def test_a_loss_that_explodes_stops_the_training_while_it_is_still_a_number():
    with pytest.raises(UserError, match=r"epoch 1: the loss is [\d.e+]+ where an untrained network has \d+"):
        train(learning_rate=0.5, likelihood="gaussian", output="linear", hidden=[64, 64])


def test_weights_say_what_they_are(tmp_path):
    model, _ = train()
    training.save(tmp_path / "w.safetensors", model, SETTINGS, 3)
    loaded, described = training.load(tmp_path / "w.safetensors")
    assert described == {"settings": SETTINGS, "latent_dim": 2, "seed": 3}
    x = training.to_pixels(IMAGES[:5])
    assert torch.equal(loaded.encode(x)[0], model.encode(x)[0])


def test_weights_that_do_not_fit_are_refused_by_name(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    described = json.dumps({"settings": SETTINGS, "latent_dim": 5, "seed": 0})
    save_file(models.build(SETTINGS, 2).state_dict(), path, {"latentlab": described})
    with pytest.raises(UserError, match=r"w\.safetensors: not weights of this project .*size mismatch"):
        training.load(path)
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(UserError, match=r"w\.safetensors: not weights"):
        training.load(path)


def test_evaluation_is_nats_per_image():
    model, _ = train()
    figures = likelihood.evaluate(model, SETTINGS, IMAGES, LABELS)
    assert figures["negative_elbo"] == pytest.approx(figures["reconstruction"] + figures["kl"])
    assert figures == likelihood.evaluate(model, SETTINGS, IMAGES, LABELS), "the noise has its own seed"
    single = [
        likelihood.evaluate(model, SETTINGS, IMAGES[i : i + 100], LABELS[i : i + 100])["kl"] for i in (0, 100, 200)
    ]
    assert figures["kl"] == pytest.approx(sum(single) / 3, rel=1e-5)


def test_a_label_reaches_a_conditional_model_and_no_other():
    x, ones, twos = training.to_pixels(IMAGES[:5]), torch.full((5,), 1), torch.full((5,), 2)
    for conditional in (False, True):
        model, _ = train(conditional=conditional, epochs=1)
        assert torch.equal(model.encode(x, ones)[0], model.encode(x, twos)[0]) != conditional
        z = torch.zeros(5, 2)
        assert torch.equal(model.decode(z, ones), model.decode(z, twos)) != conditional


def test_binarised_pixels_are_drawn_anew_with_their_grey_as_probability():
    grey = torch.full((4000, 28, 28), 51, dtype=torch.uint8)
    first, second = (training.observe(grey, {"binarise": True}) for _ in range(2))
    assert set(first.unique().tolist()) == {0, 1} and not torch.equal(first, second)
    assert first.mean().item() == pytest.approx(0.2, abs=0.002)
    shown = [training.observe(grey, {"binarise": "training"}, training=when) for when in (True, False)]
    assert set(shown[0].unique().tolist()) == {0, 1} and shown[1].unique().tolist() == pytest.approx([0.2])


def test_the_cosine_starts_at_the_rate_and_falls():
    rates = [training.learning_rate({"schedule": "cosine", "learning_rate": 0.1, "epochs": 5}, e) for e in range(1, 6)]
    assert rates[0] == 0.1 and rates == sorted(rates, reverse=True) and 0 < rates[-1] < 0.02


def test_augmented_images_move_a_little_and_keep_their_ink():
    square = torch.zeros(500, 28, 28, dtype=torch.uint8)
    square[:, 9:19, 10:18] = 200
    moved = training.augmented(square).float()
    ink = moved.sum((1, 2))
    ratio = ink / square[0].sum()
    assert ratio.min() > 0.75 and ratio.max() < 1.3 and ratio.mean() == pytest.approx(1, abs=0.03)
    at = (moved.sum(1) @ torch.arange(28.0)) / ink - 13.5
    limit = training.SHIFT / (1 - training.STRETCH)
    assert 0.6 < at.abs().max() < limit + 0.2 and abs(at.mean()) < 0.2
    assert len(moved.unique(dim=0)) == 500, "no two alike"


def test_a_picture_is_turned_not_sheared():
    """A long thin bar keeps its length whichever way it is turned."""
    bar = torch.zeros(300, 28, 28, dtype=torch.uint8)
    bar[:, 4:24, 13:15] = 255
    moved = training.augmented(bar).float()
    rows, columns = moved.sum(2), moved.sum(1)
    steps = torch.arange(28.0)
    spread = [(p @ steps.square()) / p.sum(1) - ((p @ steps) / p.sum(1)).square() for p in (rows, columns)]
    length = (12 * (spread[0] + spread[1])).sqrt()
    assert length.min() > 20 * 0.88 and length.max() < 20 * 1.14
    slanted = spread[1].sqrt().max()
    assert 1.0 < slanted < 20 * math.sin(math.radians(training.TURN)), "seen from the side, a turned bar is wide"


def test_bfloat16_products_train_as_float32_does_and_keep_float32_weights():
    (_, exact_history), (rough, rough_history) = (train(precision=p, epochs=5) for p in ("float32", "bfloat16"))
    assert all(weights.dtype == torch.float32 for weights in rough.parameters())
    with training.products("bfloat16"):
        used = torch.is_autocast_enabled("cpu")
    assert (rough_history != exact_history) == used
    assert rough_history[-1]["validation_loss"] == pytest.approx(exact_history[-1]["validation_loss"], rel=5e-3)


def test_adam_is_torch_s():
    """The same steps as torch.optim.Adam's, bit for bit."""
    ours, theirs = (torch.nn.Linear(3, 2) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimiser = training.Adam(ours, weight_decay=0.1)
    reference = torch.optim.Adam(theirs.parameters(), lr=0.01, weight_decay=0.1, fused=True)
    for x in torch.randn(20, 4, 3):
        for model in (ours, theirs):
            model.zero_grad()
            model(x).square().sum().backward()
        optimiser.step(0.01)
        reference.step()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_a_device_that_is_not_there_is_refused_and_auto_takes_one_that_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="device: this machine has no cuda"):
        training.device_of("cuda")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert training.device_of("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert training.device_of("auto") == "cuda"

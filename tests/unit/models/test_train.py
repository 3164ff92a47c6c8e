import pytest
import torch
from builders import block_images, model_spec

from latentlab.models.checkpoint import save_checkpoint
from latentlab.models.train import (
    Adam,
    format_epoch,
    learning_rate,
    select_device,
    sum_terms,
    train_model,
)
from latentlab.runtime.errors import UserError

IMAGES = (torch.rand(300, 28, 28, generator=torch.Generator().manual_seed(0)) * 255).byte()
LABELS = torch.arange(300) % 10


def train(hidden=(32,), epochs=2, batch_size=64, **settings):
    spec = model_spec(hidden=hidden, epochs=epochs, batch_size=batch_size, **settings)
    return train_model(spec, (IMAGES, LABELS), (IMAGES[:50], LABELS[:50]))


@pytest.mark.parametrize("family", ["autoencoder", "vae"])
def test_equal_runs_give_equal_bytes(family, tmp_path):
    for name in "ab":
        model, history = train(family=family)
        save_checkpoint(tmp_path / name, model)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert [row["epoch"] for row in history] == [1, 2]
    other, _ = train(family=family, seed=1)
    save_checkpoint(tmp_path / "other", other)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "other").read_bytes()


def test_training_lowers_the_loss_and_the_terms_add_up():
    _, history = train(epochs=10)
    assert history[-1]["validation_loss"] < history[0]["validation_loss"] - 1
    for row in history:
        assert row["train_loss"] == pytest.approx(row["train_reconstruction"] + row["train_kl"])
        assert row["validation_loss"] == pytest.approx(row["validation_reconstruction"] + row["validation_kl"])


def test_beta_weights_the_kl_in_the_recorded_loss():
    _, history = train(beta=3.0)
    for row in history:
        assert row["train_loss"] == pytest.approx(row["train_reconstruction"] + 3 * row["train_kl"])


def test_each_row_of_the_history_is_passed_on_as_soon_as_it_is_complete():
    rows = []
    spec = model_spec(epochs=3)
    _, history = train_model(spec, (IMAGES, LABELS), (IMAGES[:50], LABELS[:50]), on_epoch=rows.append)
    assert rows == history and len(rows) == 3


def test_a_short_last_batch_weighs_by_its_size():
    """With a learning rate of almost nothing the mean over the epoch is the mean over images, whatever the batches."""
    means = [
        train(family="autoencoder", batch_size=size, learning_rate=1e-12, epochs=1)[1][0]["train_loss"]
        for size in (7, 64, 300)
    ]
    assert means[0] == pytest.approx(means[1], rel=1e-5) == pytest.approx(means[2], rel=1e-5)


def test_a_loss_that_is_not_a_number_names_the_setting():
    with pytest.raises(UserError, match=r"epoch \d: the loss is .*lower learning_rate \(now 1e\+20\)"):
        train(learning_rate=1e20, likelihood="gaussian", sigma=1e-20)


def test_a_diverging_loss_ends_the_training_while_it_is_still_a_number():
    with pytest.raises(
        UserError, match=r"epoch 1: the loss is [\d.e+]+, that of the untrained network was [\d.e+]+: .*learning_rate"
    ):
        train(learning_rate=0.5, likelihood="gaussian", output="linear", hidden=(64, 64))


def test_augmentation_and_binarisation_change_the_training():
    losses = {
        (augment, binarise): train(augment=augment, binarise=binarise, epochs=1)[1][0]["train_loss"]
        for augment in (False, True)
        for binarise in (False, True, "training")
    }
    assert len(set(losses.values())) == 4, "binarise: training trains as binarise: true does"
    assert losses[False, True] == losses[False, "training"] and losses[True, True] == losses[True, "training"]


def test_the_cosine_starts_at_the_learning_rate_and_falls():
    settings = model_spec(schedule="cosine", learning_rate=0.1, epochs=5).settings
    rates = [learning_rate(settings, epoch) for epoch in range(1, 6)]
    assert rates[0] == 0.1 and rates == sorted(rates, reverse=True) and 0 < rates[-1] < 0.02
    constant = model_spec(learning_rate=0.1, epochs=5).settings
    assert {learning_rate(constant, epoch) for epoch in range(1, 6)} == {0.1}


def test_bfloat16_products_train_as_float32_does_and_keep_float32_weights():
    (_, exact_history), (model, rounded_history) = (train(precision=p, epochs=5) for p in ("float32", "bfloat16"))
    assert all(weights.dtype == torch.float32 for weights in model.parameters())
    assert model.spec.settings.precision == "bfloat16" and rounded_history != exact_history
    assert rounded_history[-1]["validation_loss"] == pytest.approx(exact_history[-1]["validation_loss"], rel=5e-3)


def test_adam_takes_the_steps_of_torch_s_to_the_last_bit():
    model, expected = (torch.nn.Linear(3, 2) for _ in range(2))
    expected.load_state_dict(model.state_dict())
    optimizer = Adam(model, weight_decay=0.1)
    reference = torch.optim.Adam(expected.parameters(), lr=0.01, weight_decay=0.1, fused=True)
    for x in torch.randn(20, 4, 3):
        for network in (model, expected):
            network.zero_grad()
            network(x).square().sum().backward()
        optimizer.step(0.01)
        reference.step()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), expected.parameters(), strict=True))


def test_a_device_that_is_not_there_is_refused_and_auto_takes_one_that_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="device: this machine has no cuda"):
        select_device("cuda")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert select_device("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert select_device("auto") == "cuda" and select_device("cpu") == "cpu"


def test_terms_are_summed_over_images_and_averaged_over_samples():
    images, labels = block_images(700)
    model, _ = train(family="autoencoder")
    sums = sum_terms(model, model.loss_terms, images, labels)
    halves = [sum_terms(model, model.loss_terms, images[part], labels[part]) for part in (slice(350), slice(350, None))]
    assert float(sums["reconstruction"]) == pytest.approx(sum(float(half["reconstruction"]) for half in halves))
    twice = sum_terms(model, model.loss_terms, images, labels, samples=2)
    assert float(twice["reconstruction"]) == pytest.approx(float(sums["reconstruction"]))


def test_a_row_of_the_history_is_a_line_of_the_log():
    line = format_epoch({"epoch": 3, "train_loss": 250.126, "validation_kl": 6.5})
    assert line == "epoch 3: train loss 250.13, validation kl 6.50 nats per image"

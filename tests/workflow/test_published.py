"""The report on the published data, as `./run report` leaves it in results/."""

from pathlib import Path

import pdfplumber
import pytest

from latentlab.files import read_json

RESULTS = Path(__file__).parents[2] / "results"
pytestmark = pytest.mark.long


def test_the_report_is_made_on_published_data():
    with pdfplumber.open(RESULTS / "report.pdf") as pdf:
        assert len(pdf.pages) == 1
        assert "stand-in" not in pdf.pages[0].extract_text().lower()
    assert not (RESULTS / "report-STAND-IN-DATA.pdf").exists()


def test_a_short_training_is_already_in_the_right_region():
    """Nats are nats: the lab's VAE is between 255 and 300 after a few epochs, its KL between 3 and 12."""
    test = read_json(RESULTS / "models/FashionMNIST/lab8-vae/d2/seed0/metrics.json")["test"]
    assert 255 < test["negative_elbo"] < 300 and 3 < test["kl"] < 12

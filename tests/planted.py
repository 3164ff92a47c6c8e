"""Measurements planted for pages: plausible ones, of which a test changes those that a claim hangs on."""

from copy import deepcopy
from pathlib import Path

from latentlab import data, handins, report

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "templates"
AUTHORS = [{"name": "Ada Example"}]
SETTINGS = {
    "augment": False, "batch_size": 256, "beta": 1.0, "binarise": False, "conditional": False, "epochs": 10,
    "family": "vae", "hidden": [512], "latent_dim": 2, "learning_rate": 0.001, "likelihood": "bernoulli", "sigma": 1.0,
}  # fmt: skip
ANSWERS = {
    "accuracy": 0.8, "nll": 0.7, "ece": 0.15, "temperature": 3.0, "auroc": 0.9, "confused": [[6, 0, 0.21]],
    "tempered": {"accuracy": 0.8, "nll": 0.5, "ece": 0.02},
}  # fmt: skip


def model(family, near, **settings):
    code = {"neighbour_accuracy": 0.65, "class_information": 1.2, "active_units": 2,
            "empty_mass": 0.25, "low": [-3.5, -3.25], "high": [3.75, 3.0],
            "overlaps": [["shirt", "coat", 0.31], ["sandal", "sneaker", 0.22], ["dress", "coat", 0.11]]}  # fmt: skip
    shares = [0.19, 0.14, 0.13, 0.12, 0.11, 0.1, 0.08, 0.06, 0.04, 0.03]
    grid = {"near": near, "class_share": shares}
    return {
        "model": "planted", "seed": 0, "latent_dim": 2, "weights": "0" * 64, "code": code,
        "settings": SETTINGS | {"family": family} | settings,
        "test": {"reconstruction": 260.1, "kl": 6.7, "negative_elbo": 266.8, "squared_error": 0.0412},
        "map": {"within_grid": 0.97, "grid": grid, "occupied": grid, "lines": {"jump": 1.29, "near": 0.87}},
        "likelihood": {"log_likelihood": -260.0, "importance_weighted": -261.0, "gap": 6.8, "grid_error": 0.0012,
                       "samples": 64, "normalised": False},
        "style": {name: [0.1, 0.2] for name in ("ink", "thickness", "width")} | {"slant": [0.8, -0.7]},
        "failures": {"found": [{}] * 6, "share": {"far": 0.4, "ambiguous": 0.1}},
        "conditions": {"labels": [2, 4, 8], "within_grid": 0.97},
        "classifier": {"best": "exact", "foreign": {"dataset": "MNIST"},
                       "methods": {name: deepcopy(ANSWERS) for name in ("elbo", "importance_weighted", "exact")}},
        "baselines": {"neighbours": {"accuracy": 0.85, "k": 5}, "logistic": {"accuracy": 0.84, "nll": 0.44},
                      "cnn": {"accuracy": 0.9, "nll": 0.3}},
    }  # fmt: skip


def sweep():
    def spread(*mean):
        return {"mean": list(mean), "std": [0.0] * len(mean)}

    return {
        "model": "planted", "settings": SETTINGS, "seeds": 3, "dims": [2, 4, 8], "saturates": 4, "weights": ["1" * 64],
        "pca": [0.046, 0.034, 0.021], "squared_error": spread(0.041, 0.033, 0.031),
        "importance_weighted": spread(-262.0, -251.0, -250.7), "active_units": spread(2, 4, 6),
    }  # fmt: skip


def metrics(handin):
    """Of a shipped hand-in, by the names its template gives them; the VAE's map the better one."""
    spec = handins.load(TEMPLATES, handin, ROOT / "workflow/schemas/handin.schema.yaml")
    near = {"ae": 0.05}
    found = {name: model("autoencoder" if name == "ae" else "vae", near.get(name, 0.62)) for name in spec["models"]}
    if "ae" in found:
        found["ae"]["map"]["within_grid"] = 0.31
        found["ae"]["settings"]["hidden"] = []
        del found["ae"]["test"]["negative_elbo"], found["ae"]["test"]["kl"]
    return found | {name: sweep() for name in spec["sweeps"]}


def page(handin, folder, template=None, **changes):
    """A hand-in's `Page`, with empty figures of the right size in `folder`."""
    spec = handins.load(TEMPLATES, handin, ROOT / "workflow/schemas/handin.schema.yaml")
    figures = {}
    for name, figure in spec["figures"].items():
        width, height = figure["width"], figure.get("height", figure["width"])
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm"/>'
        figures[name] = folder / f"{name}.svg"
        figures[name].write_text(svg)
    given = {"title": spec["title"], "course": None, "authors": AUTHORS, "classes": data.CLASSES[spec["dataset"]],
             "sections": spec["sections"], "figures": figures}  # fmt: skip
    return report.Page(**given | changes)


def html(handin, folder, measured=None, source="local", **changes):
    """The page of a hand-in on planted measurements."""
    measured = measured or metrics(handin)
    record = {
        "dataset": "FashionMNIST",
        "source": source,
        "training_size": None,
        "sha256": dict.fromkeys(data.NAMES, "ab"),
    }
    provenance = report.provenance_of(measured, [record], {"planted": True})
    return report.render(TEMPLATES / handin / "page.html.j2", page(handin, folder, **changes), measured, provenance)


def words(text):
    """The text of HTML, tags out, on one line."""
    import re
    from html import unescape

    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)).split())

"""Hand-ins: what a folder of templates/ asks for. Reads `handin.yaml`, computes nothing."""

from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from latentlab.data import SHA256
from latentlab.errors import UserError

# What a figure of each kind (a function of plots.py) needs of each of its models.
NEEDS = {
    "map": ["grid.png", "grids.json"],
    "occupied_map": ["grid-occupied.png", "grids.json"],
    "quantile_map": ["grid-quantiles.png", "grids.json"],
    "embeddings": ["codes.npz"],
    "posteriors": ["posteriors.npz"],
    "history": ["history.csv"],
    "sweep": ["sweep.json"],
    "sweep_error": ["sweep.json"],
    "strips": ["sweep.json", "strips.png"],
    "terms": ["history.csv", "metrics.json"],
    "sheet": ["sheet.png"],
    "planes": ["planes.npz", "planes.json"],
    "separation": ["planes.json"],
    "subspaces": ["subspaces.json"],
    "pictures": ["pictures.png"],
    "failure_map": ["grid.png", "grids.json", "failures.json"],
    "failures": ["failures.json", "failures.png"],
    "condition_maps": ["conditions.png", "conditions.json"],
    "condition_embeddings": ["codes.npz"],
    "confusion": ["classifier.json"],
    "reliability": ["classifier.json"],
    "mistakes": ["classifier.json", "mistakes.png"],
    "foreign": ["classifier.json", "classifier.npz"],
}

# What a model has to be for some of its files to be made: what is asked, of which files, and how to say it.
DEMANDS = [
    ("plane", "latent_dim: 2", {
        "grid.png", "grid-occupied.png", "grid-quantiles.png", "grids.json", "map.json", "conditions.png",
        "conditions.json", "posteriors.npz", "failures.json", "failures.png", "codes.npz",
    }),
    ("unconditional", "conditional: false", {  # a plane that no label changes
        "grid.png", "grid-occupied.png", "grid-quantiles.png", "grids.json", "map.json", "failures.json",
        "failures.png",
    }),
    ("conditional", "conditional: true", {
        "conditions.png", "conditions.json", "classifier.json", "classifier.npz", "mistakes.png",
    }),
    ("random", "family: vae", {
        "posteriors.npz", "classifier.json", "classifier.npz", "mistakes.png", "augmentation.json",
    }),
]  # fmt: skip

# The knobs of config.yaml that bear on a kind of figure, by the names its function gives them.
KNOBS = {
    "embeddings": {"split": "embedding_split", "points": "embedding_points"},
    "condition_embeddings": {"conditions": "conditions"},
}


def names(templates):
    """The hand-ins there are: folders with a handin.yaml, sorted."""
    return sorted(path.parent.name for path in Path(templates).glob("*/handin.yaml"))


def all_models(spec):
    """Whatever a figure may show, by name: single models, and those trained at several dimensions."""
    return spec["models"] | spec["sweeps"] | spec["subspaces"]


def check(name, spec, entries, random):
    """See whether the models of the hand-in `name` are such that what it shows of them can be made.

    Args:
        entries: entry of `models:` → its settings.
        random: family → whether its codes are random.

    Raises:
        UserError: one is not.
    """
    for called, model in spec["models"].items():
        settings = entries[model["entry"]]
        its = {
            "plane": settings["latent_dim"] == 2,
            "conditional": settings["conditional"],
            "unconditional": not settings["conditional"],
            "random": random[settings["family"]],
        }
        shown = {
            need: f"figure {figure}"
            for figure, one in spec["figures"].items()
            if called in one["models"]
            for need in NEEDS[one["plot"]]
        } | {part: part for part in model.get("parts", [])}
        for what, demand, files in DEMANDS:
            place = next((shown[need] for need in shown if need in files), None)
            if place and not its[what]:
                raise UserError(
                    f"config: models.{model['entry']}: hand-in {name} shows it in {place}, which needs {demand}; "
                    f"change it back, or take that out of templates/{name}"
                )


def load(templates, name, schema):
    """The hand-in `name`: `title`, `dataset`, `models`, `sweeps` and `subspaces` (by the names its template gives them,
    each with its own `dataset`), `figures`, and `sections` (number → heading, in the sheet's order).

    Raises:
        UserError: there is no such hand-in, or its file does not fit the schema.
    """
    path = Path(templates) / name / "handin.yaml"
    if not path.is_file():
        raise UserError(f"config: handin: there is no hand-in {name!r}; templates/ has {', '.join(names(templates))}")
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules = yaml.safe_load(Path(schema).read_text(encoding="utf-8"))
    error = best_match(Draft202012Validator(rules).iter_errors(spec))
    if error:
        key = ".".join(map(str, error.absolute_path)) or "the top level"
        raise UserError(f"{path}: {key}: {error.message}")
    spec = {"sweeps": {}, "subspaces": {}} | spec
    spec["sections"] = dict(line.split(" ", 1) for line in spec.get("sections", []))
    for model in [spec, *all_models(spec).values()]:
        if model.setdefault("dataset", spec["dataset"]) not in SHA256:
            raise UserError(f"{path}: dataset: {model['dataset']!r} is not one of {', '.join(SHA256)}")
    for figure, wanted in spec["figures"].items():
        if wanted["plot"] not in NEEDS:
            raise UserError(f"{path}: figures.{figure}.plot: {wanted['plot']!r} is not one of {', '.join(NEEDS)}")
        strangers = set(wanted["models"]) - set(all_models(spec))
        if strangers:
            raise UserError(f"{path}: figures.{figure}: {sorted(strangers)[0]!r} is not one of this hand-in's models")
    return spec

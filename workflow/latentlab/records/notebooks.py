"""Notebooks of templates/: their code, `{notebook}.py`, and the models that its cells train.

The code is plain Python in the percent format of Jupytext: a line `# %% name` begins the cell of that name. The cells
write `weights.npz` and `measurements.json`, in which an unconditional model is called vae and a conditional one cvae.
"""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Literal

from latentlab.records.config import resolve_model
from latentlab.records.datasets import get_dataset
from latentlab.records.settings import ModelSettings
from latentlab.runtime.errors import UserError

CODE_SUFFIX = ".py"
SETTINGS_CELL = "settings"  # in which the pipeline puts the values of config.yaml in place of the file's own
CELL_START = re.compile(r"^# %%(.*)$", re.MULTILINE)
ASSIGNMENT = re.compile(r"^(\w+(?:, \w+)*) = (.*?)(?=  #|$)")  # a line of the cell of settings, without its comment

# Settings of a model that the cells implement in one way only.
FIXED_SETTINGS: dict[str, Any] = {
    "family": "vae",
    "latent_dim": 2,
    "likelihood": "gaussian",
    "output": "sigmoid",
    "binarise": False,
    "augment": False,
    "precision": "float32",
    "beta": 1.0,
    "schedule": "constant",
    "weight_decay": 0.0,
    "instruction_set": None,
}
# Settings that all models of a notebook share, and settings of the whole configuration, by which its cells call them.
SHARED_SETTINGS = ("hidden", "latent_dim", "sigma", "epochs", "batch_size", "learning_rate", "seed")
GLOBAL_SETTINGS = ("validation_size", "training_size", "conditions", "grid_min", "grid_max", "grid_samples")


def cell_names(code: str, place: str) -> list[str]:
    """The names of the cells of a notebook's code, in order.

    Raises:
        UserError: a cell has no name or that of another one, or there is text before the first; `place` names the file.
    """
    names: list[str] = []
    for match in CELL_START.finditer(code):
        name, line = match[1].strip(), code.count("\n", 0, match.start()) + 1
        if not re.fullmatch(r"[A-Za-z]\w{0,59}", name):
            raise UserError(f"{place}, line {line}: a cell has no name; write one word after # %%")
        if name in names:
            raise UserError(f"{place}, line {line}: there is a cell {name!r} above; rename one of them")
        names.append(name)
    if not names or code[: code.index("# %%")].strip():
        raise UserError(f"{place}, line 1: a notebook's code begins with the first cell; begin it with # %% and a name")
    return names


def with_settings(code: str, values: dict[str, Any]) -> str:
    """The code of a notebook with `values` in its cell of settings; names that are not among them keep their values."""
    start = code.find(f"# %% {SETTINGS_CELL}\n")
    if start < 0:
        return code
    end = code.find("\n# %%", start)
    lines = [_with_value(line, values) for line in code[start:end].split("\n")]
    return code[:start] + "\n".join(lines) + code[end:]


def notebook_settings(config: dict[str, Any], notebook: str, dataset: str) -> dict[str, Any]:
    """The values for the cell of settings of a notebook, called as in `ModelSettings`.

    Args:
        config: the contents of config.yaml.
        notebook: as model configs name it, for instance exercise4/cvae.
        dataset: that the assignment of the notebook is about.
    """
    values = {"dataset": get_dataset(dataset).torchvision} | {key: config[key] for key in GLOBAL_SETTINGS}
    for settings in notebook_models(config, notebook).values():
        values |= {key: getattr(settings, key) for key in SHARED_SETTINGS}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def notebook_models(config: dict[str, Any], notebook: str) -> dict[str, ModelSettings]:
    """The model configs that a notebook trains, with their settings."""
    names = [name for name, model in config["models"].items() if model.get("notebook") == notebook]
    return {name: resolve_model(config, name) for name in names}


def name_in_notebook(settings: ModelSettings) -> Literal["vae", "cvae"]:
    """What a notebook calls a model."""
    return "cvae" if settings.conditional else "vae"


def check_notebook_models(config: dict[str, Any], models: Iterable[str], known: Collection[str]) -> None:
    """Check the model configs that notebooks train.

    Args:
        config: the contents of config.yaml.
        models: the names of those that assignments show.
        known: the notebooks that there are, as model configs name them.

    Raises:
        UserError: there is no such notebook, or its cells cannot train what a model config says.
    """
    for name in models:
        notebook = config["models"][name].get("notebook")
        if not notebook:
            continue
        place = f"config: models.{name}"
        if notebook not in known:
            raise UserError(
                f"{place}.notebook: there is no notebook {notebook!r}; templates/ has {', '.join(known) or 'none'}"
            )
        settings = resolve_model(config, name)
        for key, value in FIXED_SETTINGS.items():
            if getattr(settings, key) != value:
                word = str(value).lower() if isinstance(value, bool) else "null" if value is None else value
                raise UserError(
                    f"{place}.{key}: the cells of notebook {notebook} train with {key}: {word} only; change it to "
                    f"that, or take notebook out of models.{name}"
                )
        for other, other_settings in notebook_models(config, notebook).items():
            if other != name and other_settings.conditional == settings.conditional:
                raise UserError(
                    f"{place}.notebook: notebook {notebook} trains one model that is conditional and one that is not, "
                    f"and models.{other} is {'the former' if settings.conditional else 'the latter'} already; take "
                    f"notebook out of one of them"
                )
            for key in SHARED_SETTINGS:
                if getattr(other_settings, key) != getattr(settings, key):
                    raise UserError(
                        f"{place}.{key}: must be that of models.{other}, because notebook {notebook} trains both with "
                        "the same settings"
                    )


def read_code(path: str | Path) -> str:
    """The code of a notebook.

    Raises:
        UserError: the file is missing or not UTF-8 text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: a notebook's text, {Path(path).stem}.md.j2, needs its code beside it; write that file"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; save it as UTF-8") from error


def _with_value(line: str, values: dict[str, Any]) -> str:
    match = ASSIGNMENT.match(line)
    names = match[1].split(", ") if match else []
    if not match or not set(names) <= values.keys():
        return line
    return f"{match[1]} = {', '.join(repr(values[name]) for name in names)}{line[match.end() :]}"

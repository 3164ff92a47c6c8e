"""What the code declares about itself, read from its text: importing torch or matplotlib takes longer than planning.

A model family is a class of `models/networks.py` that derives from `Autoencoder`. A figure is a function of `figures/`
with the decorator `@figure(inputs=…, options=…, requires=…, several=…)`, whose arguments are literals.
"""

import ast
from functools import cache
from pathlib import Path

import msgspec

from latentlab.records.base import Record

PACKAGE = Path(__file__).parents[1]
BASE_FAMILY, STOCHASTIC_FAMILY = "Autoencoder", "VAE"


class Family(Record, frozen=True):
    """A kind of model: its class name in lower case is what `family` names in a model config."""

    name: str
    stochastic: bool
    """Whether its encoder gives a distribution for each image, as a VAE's does, and not a point."""


class FigureDeclaration(Record, frozen=True):
    """What a figure needs."""

    name: str
    summary: str
    """The first paragraph of its docstring."""
    inputs: tuple[str, ...]
    """The results files that it reads of each model it shows."""
    options: dict[str, str] = msgspec.field(default_factory=dict)
    """Parameter of its function → the setting of config.yaml that it takes its value from."""
    requires: tuple[str, ...] = ()
    """What a model has to be, besides what its results files require of it (`records.runs.FILE_REQUIREMENTS`)."""
    several: bool = False
    """Whether it can show several models side by side; otherwise it shows one."""


@cache
def model_families() -> dict[str, Family]:
    """The families by name."""
    tree = ast.parse((PACKAGE / "models/networks.py").read_text(encoding="utf-8"))
    bases = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }

    def ancestors(name: str) -> set[str]:
        return {name}.union(*(ancestors(base) for base in bases.get(name, [])))

    return {
        name.lower(): Family(name=name.lower(), stochastic=STOCHASTIC_FAMILY in ancestors(name))
        for name in bases
        if BASE_FAMILY in ancestors(name)
    }


@cache
def figure_declarations() -> dict[str, FigureDeclaration]:
    """The figures by name."""
    declarations = {}
    for path in sorted((PACKAGE / "figures").glob("*.py")):
        functions = [
            node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
        ]
        for node in functions:
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "figure":
                    arguments = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
                    summary = (ast.get_docstring(node) or "").split("\n\n")[0]
                    declarations[node.name] = FigureDeclaration(
                        name=node.name,
                        inputs=tuple(arguments["inputs"]),
                        options=arguments.get("options", {}),
                        requires=tuple(arguments.get("requires", ())),
                        several=arguments.get("several", False),
                        summary=" ".join(summary.split()),
                    )
    return declarations

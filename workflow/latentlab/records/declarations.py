"""What the code declares about itself, read from its text: importing torch or matplotlib takes longer than planning.

A model family is a class of `models/` that derives from `LatentModel`. A figure is a function of `figures/`
with the decorator `@figure(inputs=…, options=…, requires=…, several=…)`, whose arguments are literals.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from latentlab.records.base import Record

PACKAGE = Path(__file__).parents[1]
BASE_FAMILY = "LatentModel"


class Family(Record, frozen=True):
    """A kind of model: its class name in lower case is what `family` names in a model config."""

    name: str
    has_encoder: bool
    """Whether a network gives the codes of images; otherwise they are found by integrating over the latent space."""
    generative: bool
    """Whether it has a prior to sample from, as a VAE has."""
    denoising: bool
    """Whether it is trained to restore corrupted images."""
    side_multiple: int
    """Of which the sides of images have to be multiples, pixels."""
    own_settings: tuple[str, ...] = ()
    """The settings of a model config that it has and other families lack."""


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
    files = sorted((PACKAGE / "models").glob("*.py"))
    statements = [statement for file in files for statement in ast.parse(file.read_text(encoding="utf-8")).body]
    classes = {statement.name: statement for statement in statements if isinstance(statement, ast.ClassDef)}

    def bases(name: str) -> list[str]:
        return [base.id for base in classes[name].bases if isinstance(base, ast.Name) and base.id in classes]

    def ancestors(name: str) -> list[str]:
        return [name, *(ancestor for base in bases(name) for ancestor in ancestors(base))]

    def attribute(name: str, key: str) -> Any:
        """The value that a class, or the closest ancestor that has the attribute, gives it."""
        for ancestor in ancestors(name):
            for statement in classes[ancestor].body:
                targets = getattr(statement, "targets", [getattr(statement, "target", None)])
                is_assignment = isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value
                if is_assignment and [ast.unparse(target) for target in targets] == [key]:
                    return ast.literal_eval(statement.value)
        raise AttributeError(f"{name} has no {key}")

    return {
        name.lower(): Family(
            name=name.lower(),
            has_encoder=attribute(name, "has_encoder"),
            generative=attribute(name, "generative"),
            denoising=attribute(name, "denoising"),
            side_multiple=attribute(name, "side_multiple"),
            own_settings=attribute(name, "own_settings"),
        )
        for name in classes
        if BASE_FAMILY in ancestors(name)[1:]
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

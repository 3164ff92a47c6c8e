"""Checks the templates of assignments when jobs are planned: a mistake in one would otherwise end its report only after
all models have been trained.

A template is not run but read as a syntax tree, so only what is certainly wrong is an error. The type of a name is
known if it is that of a model, a sweep or a comparison with PCA, or if `set`, `with` or `for` binds it, once, to
something whose type is known. Everything else may be anything.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import jinja2
from jinja2 import nodes

from latentlab.records.assignment_file import ASSIGNMENT_FILE, NOTEBOOK_SUFFIX, NOTEBOOK_VARIABLES, PAGE_VARIABLES
from latentlab.records.assignments import Assignment
from latentlab.records.base import Record
from latentlab.records.metrics import (
    METRICS_FILES,
    ClassifierMetrics,
    LatentMetrics,
    Likelihoods,
    Losses,
    ModelMetrics,
    NotebookMetrics,
    PlaneMetrics,
)
from latentlab.records.notebooks import CODE_SUFFIX, cell_names, read_code
from latentlab.report.metrics_context import TOP_LEVEL_FILES
from latentlab.report.templates import TEMPLATE_ERRORS, describe_error, template_environment
from latentlab.runtime.errors import UserError

PAGE, BASE = "page.html.j2", "base.html.j2"
SPECIAL_NAMES = {"caller", "kwargs", "loop", "self", "super", "varargs"}  # Jinja's own, in some places of a template
MAY_BE_MISSING = {"d", "default", "defined", "undefined"}  # filters and tests of values that may be undefined

# The part of a statement or an expression that is always evaluated, where the others depend on a condition.
UNCONDITIONAL_PART = {
    nodes.If: "test",
    nodes.CondExpr: "test",
    nodes.And: "left",
    nodes.Or: "left",
    nodes.For: "iter",
    nodes.Macro: "",
}

# Metrics that only some models have, with the setting that such a model has.
GENERATIVE, VAE, PLANE = "family: vae or exact", "family: vae", "latent_dim: 2"
CONDITIONAL, UNCONDITIONAL = "conditional: true", "conditional: false"
QUADRATURE, BOUND = "latent_dim: 1 or 2", "latent_dim: 3 or more"
VAE_QUADRATURE = f"{VAE} and {QUADRATURE}"
REQUIRED_SETTINGS: dict[type, dict[str, str]] = {
    ModelMetrics: {"likelihood": GENERATIVE, "shape_correlations": PLANE},
    Losses: {"kl": GENERATIVE, "negative_elbo": VAE},
    LatentMetrics: {"overlaps": PLANE, "centres": PLANE},
    PlaneMetrics: {"samples": GENERATIVE, "change_per_unit": GENERATIVE},
    Likelihoods: {
        **dict.fromkeys(("log_likelihood", "quadrature_error"), QUADRATURE),
        **dict.fromkeys(("gap", "median_gap"), VAE_QUADRATURE),
        **dict.fromkeys(("importance_weighted", "samples"), BOUND),
    },
    NotebookMetrics: {
        "failures": UNCONDITIONAL,
        **dict.fromkeys(("samples_recognised", "grids_recognised", "classifier"), CONDITIONAL),
    },
    ClassifierMetrics: {"quadrature_error": QUADRATURE, "samples": BOUND},
    dict: {"quadrature": QUADRATURE, "elbo": BOUND, "importance_weighted": BOUND},  # the methods of a classifier
}

type_hints = cache(get_type_hints)


@dataclass
class _Template:
    """A template that was read."""

    name: str
    """As other templates refer to it."""
    place: str
    """Its path, as messages name it."""
    own: bool
    """Whether it lies in the assignment's own folder."""
    body: list[nodes.Node]
    """Its statements, outside any other."""
    flat: list[tuple[Any, bool]]
    """What `_flatten` makes of them."""
    checked: bool = False
    """Whether it is shared and was checked for another assignment."""

    def find(self, *types: type[nodes.Node]) -> list[Any]:
        """Its nodes of these types."""
        return [node for node, _ in self.flat if isinstance(node, types)]


@dataclass
class _Value:
    """What is known of a value."""

    type: Any
    """As in an annotation; or a dictionary of the fields' types, of everything that is measured of an entry."""
    entry: str
    """The model, sweep or comparison with PCA of which it was measured."""


@dataclass
class _Binding:
    """What a name is bound to: a part of the value of an expression."""

    expression: nodes.Expr
    steps: tuple[int | None, ...]
    """Positions in sequences, None for any."""


def check_templates(folder: str | Path, assignments: Iterable[Assignment]) -> None:
    """Check the pages and notebooks of assignments, and every template that these use.

    Args:
        folder: holds a folder for each assignment, and the templates that they share.

    Raises:
        UserError: one of them has a mistake; the message names the file and the line.
    """
    shared: dict[str, _Template] = {}
    for assignment in assignments:
        reader = _Reader(Path(folder), assignment.name, shared)
        if not (reader.folder / PAGE).is_file():
            raise UserError(
                f"{reader.place}: there is an {ASSIGNMENT_FILE} but no {PAGE}, the text of the report; write one, "
                "beginning with a copy of another assignment's"
            )
        _Check(reader, PAGE, assignment, PAGE_VARIABLES).run()
        for notebook in assignment.notebooks:
            check = _Check(reader, f"{notebook}{NOTEBOOK_SUFFIX}", assignment, NOTEBOOK_VARIABLES)
            check.run()
            check.check_cells(reader.folder / f"{notebook}{CODE_SUFFIX}", f"{reader.place}/{notebook}{CODE_SUFFIX}")


class _Reader:
    """Reads the templates of an assignment."""

    def __init__(self, folder: Path, assignment: str, shared: dict[str, _Template]) -> None:
        """`shared` holds the shared templates that were read, and is added to."""
        self.folder, self.shared = folder / assignment, shared
        self.place = f"{folder.name}/{assignment}"
        self.environment = template_environment(self.folder)

    def read_all(self, name: str) -> dict[str, _Template]:
        """The template `name` and all that it uses, directly or not, by name."""
        templates = {name: self._read(name)}
        queue = list(templates.values())
        for template in queue:
            for node in template.find(nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport):
                used = self._used_template(template, node)
                if used and used not in templates:
                    templates[used] = self._read(used)
                    queue.append(templates[used])
        return templates

    def _used_template(self, template: _Template, node: Any) -> str | None:
        """The name of the template that a statement uses; None if it is computed, or need not exist. Of several, an
        `include` uses the first that exists."""
        try:
            names = node.template.as_const()
        except nodes.Impossible:
            return None
        names = [names] if isinstance(names, str) else [str(name) for name in names]
        for name in names:
            if self._path(name):
                return name
        if not getattr(node, "ignore_missing", False):
            shared_place = self.folder.parent.name
            raise UserError(
                f"{template.place}, line {node.lineno}: there is no template {names[0]!r} in {self.place} or "
                f"{shared_place}{_did_you_mean(names[0], self.environment.list_templates())}"
            )
        return None

    def _path(self, name: str) -> Path | None:
        paths = [folder / name for folder in (self.folder, self.folder.parent)]
        return next((path for path in paths if path.is_file() and ".." not in path.parts), None)

    def _read(self, name: str) -> _Template:
        path = self._path(name)
        assert path, f"{name} was seen before"
        own = path.is_relative_to(self.folder)
        if not own and name in self.shared:
            return self.shared[name]
        place = f"{self.place if own else self.folder.parent.name}/{name}"
        try:
            source = path.read_text(encoding="utf-8")
            tree = self.environment.parse(source, name, str(path))
        except TEMPLATE_ERRORS as error:
            line = f", line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
            raise UserError(f"{place}{line}: {describe_error(error)}") from error
        template = _Template(name, place, own, tree.body, _flatten(tree))
        if not own:
            self.shared[name] = template
        return template


class _Check:
    """Checks a page or a notebook together with all templates that it uses."""

    def __init__(self, reader: _Reader, name: str, assignment: Assignment, variables: Iterable[str]) -> None:
        """`variables` are the names that the template has besides those of the models."""
        self.templates, self.environment, self.assignment = reader.read_all(name), reader.environment, assignment
        self.measured = _measured(assignment)
        own = [template for template in self.templates.values() if template.own]
        shared = [template for template in self.templates.values() if not template.own]
        self.bindings = _bindings(node for template in own for node in template.find(nodes.Stmt))
        self.shared_names = set(_bindings(node for template in shared for node in _top_level(template.body)))
        self.known_names = {*variables, *self.measured, *self.bindings, *self.shared_names}
        self.known_names |= {*self.environment.globals, *SPECIAL_NAMES}
        for node in (node for template in own for node in template.find(nodes.Filter, nodes.Test)):
            if node.name in MAY_BE_MISSING and isinstance(node.node, nodes.Name):
                self.known_names.add(node.node.name)
        self.template = self.templates[name]  # the one that is being checked
        self.resolving: set[str] = set()  # names, so that one that is bound to itself does not recurse for ever

    def run(self) -> None:
        for template in self.templates.values():
            self.template = template
            if not template.checked:
                self._check_blocks()
                for node, conditional in template.flat:
                    self._check_node(node, conditional)
            template.checked = not template.own

    def check_cells(self, path: Path, place: str) -> None:
        """Each cell of a notebook's code has to be placed once, in order: only then does the notebook run as its code
        does."""
        names = cell_names(read_code(path), place)
        template = self.template = self.templates[next(iter(self.templates))]
        calls = [(call, conditional) for call, conditional in template.flat if _calls(call, "cell") and call.args]
        calls = sorted(calls, key=lambda pair: pair[0].lineno)
        in_answers = {id(call) for block in template.find(nodes.CallBlock) for call in block.find_all(nodes.Call)}
        expected = iter(names)
        for call, conditional in calls:
            name = getattr(call.args[0], "value", None)
            if name not in names:
                remedy = _did_you_mean(str(name), names, "'{}'")
                self._fail(call.lineno, f"there is no cell {name!r} in {place}", remedy)
            if conditional or id(call) in in_answers:
                where = "under a condition" if conditional else "in an answer, which a student's own may replace"
                self._fail(call.lineno, f"cell {name!r} is placed {where}", "; place it outside")
            if name != (due := next(expected, None)):
                remedy = f"; {due!r} is next" if due else "; all are placed above"
                self._fail(call.lineno, f"cell {name!r} is not in the order of {place}", remedy)
        if due := next(expected, None):
            raise UserError(
                f"{template.place}: cell {due!r} of {place} is placed nowhere; write {{{{ cell({due!r}) }}}}"
            )

    def _fail(self, line: int, mistake: str, remedy: str = "") -> None:
        raise UserError(f"{self.template.place}, line {line}: {mistake}{remedy}")

    def _check_node(self, node: nodes.Node, conditional: bool) -> None:
        match node:
            case nodes.Filter():
                self._check_known(node, "filter", self.environment.filters)
            case nodes.Test():
                self._check_known(node, "test", self.environment.tests)
            case nodes.FromImport():
                self._check_import(node)
            case nodes.Call() if self.template.own:
                self._check_call(node)
            case nodes.Name(ctx="load") if self.template.own and node.name not in self.known_names:
                remedy = _did_you_mean(node.name, self.known_names)
                self._fail(node.lineno, f"{node.name} is not defined", remedy)
            case nodes.Getattr() | nodes.Getitem() if self.template.own:
                self._check_metric(node, conditional)

    def _check_known(self, node: Any, kind: str, known: Iterable[str]) -> None:
        if node.name not in known:
            self._fail(node.lineno, f"there is no {kind} {node.name!r}", _did_you_mean(node.name, known))

    def _check_blocks(self) -> None:
        names = set()
        for block in self.template.find(nodes.Block):
            if block.name in names:
                self._fail(block.lineno, f"there is a block {block.name!r} above; join the two")
            names.add(block.name)

    def _check_import(self, node: nodes.FromImport) -> None:
        imported = self.templates.get(node.template.value) if isinstance(node.template, nodes.Const) else None
        if imported is None or imported.find(nodes.Extends, nodes.Include):  # which may define more
            return
        defined = _bindings(imported.find(nodes.Stmt))
        for name in (name if isinstance(name, str) else name[0] for name in node.names):
            if name not in defined:
                self._fail(node.lineno, f"{imported.place} does not define {name}", _did_you_mean(name, defined))

    # --- figures and sections ---

    def _check_call(self, call: nodes.Call) -> None:
        """A figure or a section that the template names literally has to be declared."""
        arguments = [
            *call.args[:1],
            *(argument.value for argument in call.kwargs if argument.key in ("name", "number")),
        ]
        if arguments and isinstance(arguments[0], nodes.Const):
            match self._macro(call.node):
                case "figure" | "image" | "image_width":
                    self._check_declared(call.lineno, "figure", arguments[0].value, self.assignment.spec.figures)
                case "section":
                    self._check_declared(call.lineno, "section", arguments[0].value, self.assignment.sections)

    def _macro(self, node: nodes.Node) -> str | None:
        """The name of the base's macro, or of the page's function, that is called."""
        if not isinstance(node, nodes.Name):
            return None
        match self.bindings.get(node.name, []):
            case []:
                return node.name
            case [nodes.FromImport(template=nodes.Const(value=template)) as statement] if template == BASE:
                aliases = {name[1]: name[0] for name in statement.names if isinstance(name, tuple)}
                return aliases.get(node.name, node.name)
        return None

    def _check_declared(self, line: int, kind: str, name: Any, known: Collection[str]) -> None:
        if name not in known:
            remedy = _did_you_mean(str(name), known, "'{}'")
            remedy = remedy or f"; its {kind}s are {', '.join(known)}" * bool(known)
            self._fail(line, f"there is no {kind} {name!r} in {ASSIGNMENT_FILE}", remedy)

    # --- metrics ---

    def _check_metric(self, node: nodes.Getattr | nodes.Getitem, conditional: bool) -> None:
        """A metric has to be measured. One that only some models have is no mistake below a condition: it may be that
        the model has it."""
        value, name = self._infer(node.node), _attribute_name(node)
        fields = None if value is None or name is None else _fields(value.type)
        if value is None or name is None or fields is None:
            return
        text, entry = f"{_text(node.node)}.{name}", self.assignment.entries[value.entry]
        if name in fields:
            record = ModelMetrics if isinstance(value.type, dict) else _class(value.type)
            setting = REQUIRED_SETTINGS.get(record, {}).get(name)
            if setting and not conditional and not self._has_setting(value.entry, setting):
                self._fail(node.lineno, f"{text} is measured only with {setting}, which {entry.config} does not have")
        elif not hasattr(_class(value.type), name):
            file = (
                _metrics_file(name)
                if isinstance(value.type, dict) and value.entry in self.assignment.spec.models
                else None
            )
            if not file:
                self._fail(node.lineno, f"{text} is not measured", _alternatives(_text(node.node), name, value.type))
            elif not conditional:
                remedy = f"; name {file} among the metrics of models.{value.entry} in {ASSIGNMENT_FILE}"
                self._fail(node.lineno, f"{text} is not measured for this page", remedy)

    def _has_setting(self, entry: str, setting: str) -> bool:
        latent_dim = self.assignment.settings_of(entry).latent_dim
        properties = self.assignment.properties(entry)
        return {
            GENERATIVE: "generative" in properties,
            VAE: {"generative", "encoder"} <= properties,
            CONDITIONAL: "conditional" in properties,
            UNCONDITIONAL: "unconditional" in properties,
            PLANE: latent_dim == 2,
            QUADRATURE: latent_dim <= 2,
            VAE_QUADRATURE: {"generative", "encoder"} <= properties and latent_dim <= 2,
            BOUND: latent_dim > 2,
        }[setting]

    def _infer(self, node: nodes.Node) -> _Value | None:
        """What is known of the value of an expression; None if nothing is."""
        match node:
            case nodes.Name():
                return self._infer_name(node.name)
            case nodes.Getattr() | nodes.Getitem():
                value, name = self._infer(node.node), _attribute_name(node)
                if value is None:
                    return None
                if isinstance(node, nodes.Getattr) or name is not None:
                    return _value((_fields(value.type) or {}).get(name), value.entry)
                if isinstance(node.arg, nodes.Slice):
                    return value if get_args(value.type)[1:] == (...,) else None
                if get_origin(value.type) is dict:
                    return _value(get_args(value.type)[1], value.entry)
                return _item(value, node.arg.value if isinstance(node.arg, nodes.Const) else None)
        return None

    def _infer_name(self, name: str) -> _Value | None:
        bindings = self.bindings.get(name, [])
        if name in self.shared_names or name in self.resolving:
            return None
        if name in self.measured:
            return None if bindings else self.measured[name]
        if len(bindings) != 1 or not isinstance(bindings[0], _Binding):
            return None
        self.resolving.add(name)
        value = self._infer_part(bindings[0].expression, bindings[0].steps)
        self.resolving.remove(name)
        return value

    def _infer_part(self, expression: nodes.Node, steps: tuple[int | None, ...]) -> _Value | None:
        if steps and isinstance(expression, nodes.Tuple | nodes.List):
            index = steps[0]
            known = index is not None and index < len(expression.items)
            return self._infer_part(expression.items[index], steps[1:]) if known else None
        value = self._infer(expression)
        for step in steps:
            value = value and _item(value, step)
        return value


# --- syntax trees ---


def _flatten(tree: nodes.Node) -> list[tuple[Any, bool]]:
    """All nodes of a tree, parts before the whole, each with whether its evaluation depends on a condition. Left out is
    what a filter or test receives that is meant for undefined values."""
    flat: list[tuple[Any, bool]] = []

    def visit(node: nodes.Node, conditional: bool) -> None:
        unconditional_part = UNCONDITIONAL_PART.get(type(node))
        for field, value in node.iter_fields():
            below_condition = conditional or unconditional_part not in (None, field)
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, nodes.Node):
                    visit(child, below_condition)
                    if not (field == "node" and getattr(node, "name", None) in MAY_BE_MISSING):
                        flat.append((child, below_condition))

    visit(tree, False)
    return flat


def _calls(node: nodes.Node, name: str) -> bool:
    """Whether a node is a call of the function `name`."""
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == name


def _top_level(body: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
    """The statements of a template that bind names for the whole template."""
    for node in body:
        yield node
        if isinstance(node, nodes.If):
            yield from _top_level([*node.body, *node.elif_, *node.else_])


def _bindings(statements: Iterable[nodes.Node]) -> dict[str, list[Any]]:
    """Each name that the statements bind, with everything that it is bound to: a `_Binding`, the statement that imports
    it, or None if it may be anything."""
    bindings: dict[str, list[Any]] = defaultdict(list)

    def bind(target: nodes.Node, expression: Any = None, *steps: int | None) -> None:
        if isinstance(target, nodes.Name):
            bindings[target.name].append(_Binding(expression, steps) if expression else None)
        for i, item in enumerate(target.items if isinstance(target, nodes.Tuple) else []):
            bind(item, expression, *steps, i)

    for node in statements:
        match node:
            case nodes.Assign():
                bind(node.target, node.node)
            case nodes.AssignBlock():
                bind(node.target)
            case nodes.For():
                bind(node.target, node.iter, None)
            case nodes.With():
                for target, value in zip(node.targets, node.values, strict=True):
                    bind(target, value)
            case nodes.Macro() | nodes.CallBlock():
                for argument in node.args:
                    bind(argument)
                if isinstance(node, nodes.Macro):
                    bindings[node.name].append(None)
            case nodes.Import():
                bindings[node.target].append(None)
            case nodes.FromImport():
                for name in node.names:
                    bindings[name if isinstance(name, str) else name[1]].append(node)
    return dict(bindings)


def _attribute_name(node: nodes.Getattr | nodes.Getitem) -> str | None:
    """The name in `x.name` or `x["name"]`."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _text(node: nodes.Node) -> str:
    """A name with its attributes and items as a template writes it."""
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        name = _attribute_name(node)
        item = node.arg.value if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) else "…"
        return f"{_text(node.node)}[{item}]" if name is None else f"{_text(node.node)}.{name}"
    return node.name if isinstance(node, nodes.Name) else "…"


# --- types ---


def _measured(assignment: Assignment) -> dict[str, _Value]:
    """The metrics of a page as `gather_metrics` gives them to its template."""
    measured = {}
    for entry, files in assignment.page_metrics().items():
        fields: dict[str, Any] = {}
        for file in files:
            fields |= (
                type_hints(METRICS_FILES[file]) if file in TOP_LEVEL_FILES else {Path(file).stem: METRICS_FILES[file]}
            )
        measured[entry] = _Value(fields, entry)
    return measured


def _value(type: Any, entry: str) -> _Value | None:
    """A value of an annotated type that is not None; nothing is known of one that may have several types."""
    if get_origin(type) in (Union, UnionType):
        types = [argument for argument in get_args(type) if argument is not NoneType]
        return _value(types[0], entry) if len(types) == 1 else None
    if get_origin(type) is Literal:
        return _value(str, entry) if all(isinstance(value, str) for value in get_args(type)) else None
    return None if type is None else _Value(type, entry)


def _item(value: _Value, index: int | None) -> _Value | None:
    """An item of a sequence; None: any of them."""
    types = get_args(value.type) if get_origin(value.type) is tuple else ()
    if types[1:] == (...,):
        return _value(types[0], value.entry)
    if index is None:
        return _value(types[0], value.entry) if len(set(types)) == 1 else None
    return _value(types[index], value.entry) if -len(types) <= index < len(types) else None


def _fields(type: Any) -> Mapping[str, Any] | None:
    """The names that a value of this type has, besides those of its Python class, with their types; None: any."""
    if isinstance(type, dict):
        return type
    if get_origin(type) is dict:
        key_type, value_type = get_args(type)
        return dict.fromkeys(get_args(key_type), value_type) if get_origin(key_type) is Literal else None
    if _class(type) in (tuple, int, float, str, bool):
        return {}
    return type_hints(type) if issubclass(_class(type), Record) else None


def _class(type: Any) -> Any:
    """The Python class of a type."""
    return object if isinstance(type, dict) else get_origin(type) or type


def _metrics_file(name: str) -> str | None:
    """The metrics file of a model in which `name` would be found."""
    if name in type_hints(ModelMetrics):
        return "metrics.json"
    return f"{name}.json" if f"{name}.json" in METRICS_FILES.keys() - TOP_LEVEL_FILES else None


# --- remedies ---


def _did_you_mean(word: str, known: Iterable[str], form: str = "{}") -> str:
    """The end of a sentence that names the most similar of the words that are known, if one is similar."""
    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {form.format(close[0])}?" if close else ""


def _alternatives(text: str, name: str, type: Any) -> str:
    fields = _fields(type) or {}
    if _class(type) is tuple:
        return f"; the items of {text} are numbered: {text}[0]"
    return _did_you_mean(name, fields, f"{text}.{{}}") or f"; {text} has {', '.join(fields)}" * bool(fields)

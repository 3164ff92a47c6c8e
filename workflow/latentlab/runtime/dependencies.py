"""The code that a script runs, read from its import statements without running it.

A rule has the digest of its script's code among its params: a change reruns the jobs that it matters to and no others.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from latentlab.runtime.errors import UserError

PACKAGE = Path(__file__).parents[1]


def code_digest(files: Iterable[str | Path]) -> str:
    """SHA-256 of the code of Python files; comments, docstrings and layout do not count.

    Raises:
        UserError: one of them is not Python.
    """
    code = [f"{Path(file).name}\n{_code(Path(file))}" for file in files]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()


def imported_modules(script: str | Path) -> list[str]:
    """The files of this package that `script` imports, directly or indirectly, sorted.

    Raises:
        UserError: a module that does not exist is imported, or one whose name is only known when the script runs.
    """
    modules: set[Path] = set()
    pending = [Path(script)]
    while pending:
        new = set(_imports(pending.pop())) - modules
        modules |= new
        pending += new
    return sorted(map(str, modules))


def all_modules() -> list[str]:
    """All files of this package, sorted: the code of a rule that ships the library itself."""
    return sorted(str(path) for path in PACKAGE.rglob("*.py"))


class _WithoutDocstrings(ast.NodeTransformer):
    """Removes strings that stand by themselves: docstrings, also those of attributes."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_docstring = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_docstring else node


@cache  # scripts share most of their modules
def _parse(path: Path) -> ast.Module:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.msg}") from error
    return _WithoutDocstrings().visit(tree)


@cache
def _code(path: Path) -> str:
    return ast.dump(_parse(path))


@cache
def _imports(path: Path) -> list[Path]:
    """The files of this package that `path` itself imports."""
    files: set[Path] = set()
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call):
            for name in _imported_names(node, path):
                if name.split(".")[0] == PACKAGE.name:
                    files.update(_module_files(name, f"{path}, line {node.lineno}"))
    return sorted(files)


def _imported_names(node: ast.Import | ast.ImportFrom | ast.Call, path: Path) -> Iterator[str]:
    """The dotted names of the modules that a statement or a call imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute_name(node, path)
        yield base
        file = _find(base)
        if file and file.name == "__init__.py":  # a package, from which modules can be imported
            tree = _parse(file)
            names = [name for alias in node.names for name in (_exported(tree) if alias.name == "*" else [alias.name])]
            yield from (f"{base}.{name}" for name in names if _find(f"{base}.{name}") or name not in _defined(tree))
    elif ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
        match node.args:
            case [ast.Constant(value=str(name))]:
                yield name
            case _:
                raise UserError(
                    f"{path}, line {node.lineno}: name the module in an import statement, so that its changes are seen"
                )


def _absolute_name(node: ast.ImportFrom, path: Path) -> str:
    """The module that `from … import` names; dots at its beginning count from the package that `path` is in."""
    if not node.level:
        return node.module or ""
    folder = path.parents[node.level - 1]
    if not folder.is_relative_to(PACKAGE):
        raise UserError(f"{path}, line {node.lineno}: a relative import leaves the package {PACKAGE.name}")
    return ".".join([*folder.relative_to(PACKAGE.parent).parts, *filter(None, [node.module])])


def _defined(tree: ast.Module) -> set[str]:
    """The names that the code of a module assigns, defines or imports."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.alias(name=name, asname=asname):
                names.add(asname or name.split(".")[0])
    return names


def _exported(tree: ast.Module) -> list[str]:
    """`__all__` of a module."""
    values = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return [name for value in values for name in ast.literal_eval(value)]


def _find(name: str) -> Path | None:
    """The file of the module or package `name`, if it is one of this package."""
    package, *parts = name.split(".")
    if package != PACKAGE.name:
        return None
    stem = PACKAGE.joinpath(*parts)
    files = [stem / "__init__.py", stem.with_suffix(".py")]
    return next((file for file in files if file.is_file()), None)


def _module_files(name: str, place: str) -> Iterator[Path]:
    """The files that importing the module `name` executes: those of its parent packages and its own."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        file = _find(".".join(parts[:depth]))
        if file is None:
            raise UserError(f"{place}: there is no module {'.'.join(parts[:depth])}")
        yield file

"""Which modules of this package a script depends on, read from its import statements without running it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def imported_modules(script: str | Path) -> list[str]:
    """The files of this package that `script` imports, directly or indirectly, sorted.

    A rule lists them among its inputs, so an edited module reruns the jobs that use it and no others.
    """
    modules: set[Path] = set()
    pending = [Path(script)]
    while pending:
        new = set(_imports(pending.pop())) - modules
        modules |= new
        pending += new
    return sorted(map(str, modules))


def all_modules() -> list[str]:
    """All files of this package, sorted: the inputs of a rule that ships the library itself."""
    return sorted(str(path) for path in PACKAGE.rglob("*.py"))


@cache  # scripts share most of their modules
def _imports(path: Path) -> list[Path]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return sorted({file for node in ast.walk(tree) for name in _imported_names(node) for file in _module_files(name)})


def _imported_names(node: ast.AST) -> Iterator[str]:
    """Dotted names that an import statement may refer to: `from a import b` imports a and perhaps the module a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_files(name: str) -> Iterator[Path]:
    """The files that importing the module `name` executes: those of its parent packages and its own."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return
    for depth in range(1, len(parts) + 1):
        stem = PACKAGE.joinpath(*parts[1:depth])
        for file in (stem / "__init__.py", stem.with_suffix(".py")):
            if file.is_file():
                yield file

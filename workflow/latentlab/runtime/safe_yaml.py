"""Reads YAML files that anybody may have written: limits on size and depth, no tags, no duplicate keys, no programs.

`python -m latentlab.runtime.safe_yaml FILE…` checks files.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from latentlab.runtime.errors import UserError, exit_on_user_error

MAX_BYTES, MAX_NODES, MAX_DEPTH = 200_000, 10_000, 20  # config.yaml has a tenth of that
MAX_DIGITS = 100  # of a number
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PROGRAM_KEY = "__use_yte__"  # Snakemake executes a configuration that has it
NULL = "tag:yaml.org,2002:null"


class _TextLoader(LOADER):
    """Reads every value as text, except null."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as PyYAML has it
        first: [(tag, pattern) for tag, pattern in resolvers if tag == NULL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_yaml(path: str | Path, as_text: bool = False) -> dict[str, Any]:
    """The table in a YAML file; an empty file is an empty table.

    Args:
        as_text: read every value as text, as it is typed, except null: YAML reads 0123456 as an octal number.

    Raises:
        UserError: the file cannot be read, is not YAML or not a table, holds a key twice, of which YAML would silently
            keep the last, or is far larger than any configuration, once its aliases are replaced by what they stand
            for.
    """
    text = _read_text(path)
    try:
        _check_depth(text, path)
        root = yaml.compose(text, LOADER)
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            raise UserError(f"{path}: line 1: not a table of settings; write `key: value`, one setting per line")
        if _check_nodes(root, path, {}, ()) > MAX_NODES:
            raise UserError(f"{path}: its aliases (`*name`) expand to far too many values; write out what you need")
        values = yaml.load(text, _TextLoader if as_text else LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        reason = getattr(error, "problem", None) or str(error).split("\n")[0]
        raise UserError(f"{path}:{line} not valid YAML ({reason}); compare it with the original file") from error
    except (ValueError, KeyError) as error:
        raise UserError(f"{path}: holds a value that YAML cannot read ({str(error).splitlines()[0]})") from error
    if PROGRAM_KEY in values:
        raise UserError(f"{path}: {PROGRAM_KEY} would let the file run programs; remove it")
    return values


def _read_text(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise UserError(f"{path}: larger than {MAX_BYTES:,} bytes, far too large; is it the right file?")
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def _check_depth(text: str, path: str | Path) -> None:
    """Raise UserError if tables or lists are nested too deep: libyaml reads them, but composing them would overflow the
    stack, which ends the process without an exception."""
    depth = 0
    for event in yaml.parse(text, LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1
            raise UserError(f"{path}: line {line}: tables nested more than {MAX_DEPTH} deep; no setting is that deep")


def _check_nodes(node: yaml.Node, path: str | Path, counted: dict[int, int], parents: tuple[int, ...]) -> int:
    """How many values a YAML node holds once aliases are replaced by what they stand for.

    Args:
        counted: the numbers of nodes counted before, by identity.
        parents: the identities of the nodes that contain this one.
    """
    line = node.start_mark.line + 1
    if len(parents) > MAX_DEPTH:
        raise UserError(f"{path}: line {line}: tables nested more than {MAX_DEPTH} deep; no setting is that deep")
    if id(node) in parents:
        raise UserError(f"{path}: line {line}: contains itself by an alias; write out what you need")
    if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
        raise UserError(f"{path}: line {line}: {node.tag} is not a value that a setting can have")
    if node.tag.endswith(":int") and len(node.value) > MAX_DIGITS:  # Python refuses to print thousands of digits
        raise UserError(f"{path}: line {line}: a number of more than {MAX_DIGITS} digits; no setting is that large")
    if id(node) in counted or isinstance(node, yaml.ScalarNode):
        return counted.get(id(node), 1)
    children = [child for pair in node.value for child in (pair if isinstance(pair, tuple) else (pair,))]
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        duplicate = next((key for key in keys if keys.count(key) > 1), None) if len(keys) <= MAX_NODES else None
        if duplicate is not None:
            raise UserError(f"{path}: line {line}: the key {duplicate} occurs twice in one table; keep one of them")
        if len(keys) < len(node.value):
            raise UserError(f"{path}: line {line}: a key is not a plain word")
    counted[id(node)] = 1 + sum(_check_nodes(child, path, counted, (*parents, id(node))) for child in children)
    return counted[id(node)]


if __name__ == "__main__":
    with exit_on_user_error():
        for argument in sys.argv[1:]:
            read_yaml(argument)

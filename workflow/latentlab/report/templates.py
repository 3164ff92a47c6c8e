"""The Jinja environment of reports and notebooks: its filters, where templates lie, and its errors in one sentence.

It imports nothing that takes long, because templates are checked whenever jobs are planned.
"""

import base64
import hashlib
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from latentlab.records.base import Record
from latentlab.report.text import format_number, format_percent
from latentlab.runtime.errors import UserError

# What a mistake in a template can raise besides a UserError; errors of the operating system are none.
TEMPLATE_ERRORS = (jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
MACRO_FRAME = "template"  # what Jinja calls a macro's frame in a traceback, unlike those of files and blocks


def template_environment(folder: str | Path) -> jinja2.Environment:
    """The environment of the templates in `folder`. Values are escaped, an unknown name is an error, and a template can
    include only files of its own folder and of the folder above."""
    environment = _Environment(
        loader=jinja2.FileSystemLoader([folder, Path(folder).parent]), autoescape=True, undefined=_Undefined
    )
    environment.filters |= {"number": format_number, "percent": format_percent}
    return environment


def render_template(template: str | Path, context: Mapping[str, Any]) -> str:
    """The text of a template (see `template_environment`).

    Raises:
        UserError: the template is not valid, or it uses something that is not in the context; the message says in which
            file and line.
    """
    template = Path(template)
    try:
        return template_environment(template.parent).get_template(template.name).render(context)
    except TEMPLATE_ERRORS as error:
        raise UserError(f"{_place(error, template)}: {describe_error(error)}") from error


def content_hash(text: str) -> str:
    """The source expression with which a Content-Security-Policy allows one inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()}"


def describe_error(error: Exception) -> str:
    """What is wrong with a template that raised `error`, without its place."""
    if isinstance(error, jinja2.UndefinedError):
        return (
            f"it uses a metric that was not measured ({error.message}): its models are of another kind than it was "
            "written for; change them back, or edit its text"
        )
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {error.name!r} in its folder or the folder above"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8 text; save it as UTF-8"
    reason = " ".join(str(error.message if isinstance(error, jinja2.TemplateSyntaxError) else error).split())
    reason = reason.removesuffix(".").replace(". ", "; ")
    if isinstance(error, jinja2.TemplateError):
        return f"not a valid template ({reason})"
    return f"it cannot be rendered ({type(error).__name__}: {reason})"


def _place(error: Exception, template: Path) -> str:
    """The file and line of an error. A shared macro only works with what it is given: then it is the line that calls
    it."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename}, line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        shared = Path(frame.filename).parent != template.parent
        if frame.filename.endswith(template.suffix) and not (shared and frame.name == MACRO_FRAME):
            return f"{frame.filename}, line {frame.lineno}"
    return str(template)


class _Undefined(jinja2.StrictUndefined):
    """Raises UndefinedError whatever is done with it."""

    __abs__ = __format__ = __index__ = __round__ = jinja2.StrictUndefined.__str__


class _Environment(jinja2.Environment):
    """In its templates, a field of a record that is None is undefined: one that a model lacks is never printed."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self._value_of(obj, attribute, super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self._value_of(obj, argument, super().getitem(obj, argument))

    def _value_of(self, obj: Any, name: Any, value: Any) -> Any:
        return self.undefined(obj=obj, name=name) if value is None and isinstance(obj, Record) else value

"""The base of every typed record that passes between stages: frozen, strict, and stored as JSON."""

from pathlib import Path
from typing import Any, Self

import msgspec

from latentlab.runtime.errors import UserError
from latentlab.runtime.files import read_json, write_json


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A frozen record. Sequences are tuples. A field that has a default is optional: it is left out of files and of
    `to_dict` where it holds that default, so a file lists only what was measured."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The record with these values.

        Raises:
            msgspec.ValidationError: a value has the wrong type, is missing or is unknown.
        """
        return msgspec.convert(values, cls)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The record stored at `path`.

        Raises:
            UserError: the file is not such a record.
        """
        try:
            return cls.from_dict(read_json(path))
        except (msgspec.ValidationError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"{path}: damaged or made by another version ({reason}); delete it and run again"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists, numbers and strings, as JSON can hold them."""
        return msgspec.to_builtins(self)

    def write(self, path: str | Path) -> None:
        """Store the record at `path`; equal records give equal bytes."""
        write_json(path, self.to_dict())

"""The one kind of error that a person reads."""

import sys
from contextlib import contextmanager


class UserError(Exception):
    """Something a user can mend. Its text is one sentence: the key or file, what is wrong, what to do."""


@contextmanager
def in_one_sentence():
    """What a user has to mend ends the program with its sentence, not with a traceback."""
    try:
        yield
    except UserError as error:
        sys.exit(f"latentlab: {error}")

"""Errors that a user can fix, as one sentence without a traceback."""

import errno
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager

SYSTEM_ERRORS = {  # number of an operating system error → what is wrong and what to do
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "your disk quota is used up: free some space",
    errno.EFBIG: "files may not be that large here: raise the limit (ulimit -f)",
    errno.EROFS: "this folder is read-only: choose another one with --directory",
    errno.EACCES: "permission denied: change the permissions, or choose another folder with --directory",
    errno.EPERM: "permission denied: change the permissions, or choose another folder with --directory",
    errno.ENAMETOOLONG: "this name is too long: choose a shorter one",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
}


class UserError(Exception):
    """An error that the user can fix. Its text is one sentence: the key or file, what is wrong, and the remedy."""


@contextmanager
def exit_on_user_error() -> Generator[None]:
    """End the program with one sentence, and no traceback, if the block raises an error that the user can fix."""
    try:
        yield
    except Exception as error:
        if message := user_message(error):
            sys.exit(f"latentlab: {message}")
        raise


def user_message(error: BaseException) -> str | None:
    """The sentence for an error that the user can fix: the text of a `UserError`, or what the machine lacks. None for
    any other error: that is a fault of the program, and keeps its traceback."""
    if isinstance(error, UserError):
        return str(error)
    number = _errno(error)
    # torch reports a failed allocation as a RuntimeError
    if (
        isinstance(error, MemoryError)
        or number == errno.ENOMEM
        or re.search("can't allocate memory|out of memory", str(error))
    ):
        return "out of memory: close other programs, or run fewer jobs at a time (--cores 1), then run again"
    if number in SYSTEM_ERRORS:
        path = getattr(error, "filename", None) or "results/"
        return f"{path}: {SYSTEM_ERRORS[number]}; then run again: finished jobs are kept"
    return None


def _errno(error: BaseException) -> int | None:
    """The operating system's number of an error; libraries written in other languages put it into the text."""
    match = re.search(r"\(os error (\d+)\)", str(error))
    return int(match[1]) if match else getattr(error, "errno", None)

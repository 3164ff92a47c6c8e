"""The one kind of error that a person reads, and those of the machine, put into words."""

import errno
import re
import sys
from contextlib import contextmanager

LACKS = {  # what a machine does not give, and what a person can do
    errno.ENOSPC: "the disk is full: make room",
    errno.EDQUOT: "your share of the disk is used up: make room",
    errno.EFBIG: "files may not be that large here: raise the limit (ulimit -f)",
    errno.EROFS: "this folder can only be read: name another one with --directory",
    errno.EACCES: "there is no permission: give it to yourself, or name another folder with --directory",
    errno.EPERM: "there is no permission: give it to yourself, or name another folder with --directory",
    errno.ENAMETOOLONG: "this name is too long: choose a shorter one",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
}


class UserError(Exception):
    """Something a user can mend. Its text is one sentence: the key or file, what is wrong, what to do."""


@contextmanager
def in_one_sentence():
    """What a user has to mend ends the program with its sentence, not with a traceback."""
    try:
        yield
    except Exception as error:
        if sentence := in_words(error):
            sys.exit(f"latentlab: {sentence}")
        raise


def in_words(error):
    """A sentence for what a person can mend: a `UserError`'s own, or what the machine would not give; None for
    the rest, our own faults, which keep their traceback."""
    if isinstance(error, UserError):
        return str(error)
    # torch raises a RuntimeError of its own
    if (
        isinstance(error, MemoryError)
        or re.search("can't allocate memory|out of memory", str(error))
        or _number(error) == errno.ENOMEM
    ):
        return "there is not enough memory: close other programs, or run fewer jobs at a time (--cores 1); run again"
    if _number(error) in LACKS:
        where = getattr(error, "filename", None) or "results/"
        return f"{where}: {LACKS[_number(error)]}; then run again, and what is done already stays"
    return None


def _number(error):
    """The operating system's number of an error; libraries that are not Python write it into theirs."""
    said = re.search(r"\(os error (\d+)\)", str(error))
    return int(said[1]) if said else getattr(error, "errno", None)

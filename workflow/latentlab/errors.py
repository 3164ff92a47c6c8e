"""The one kind of error that a person reads."""


class UserError(Exception):
    """Something a user can mend. Its text is one sentence: the key or file, what is wrong, what to do."""

"""Errors that end as one line: mistakes that a person can mend, and work that was not finished."""


class UsageError(Exception):
    """Something the user asked for cannot be done; the message is one line and says what to do."""


class IncompleteError(RuntimeError):
    """Part of the work could not be done or kept; the message is one line and says which part."""


class FailedError(IncompleteError):
    """Some experiments could not be run to their end; all others are done."""

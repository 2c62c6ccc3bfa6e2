"""Errors that end as one line, mistakes of a person or unfinished work, and how they are told."""


class UsageError(Exception):
    """Something the user asked for cannot be done; the message is one line and says what to do."""


class IncompleteError(RuntimeError):
    """Part of the work could not be done or kept; the message is one line and says which part."""


class FailedError(IncompleteError):
    """Some experiments could not be run to their end; all others are done."""


def one_line(text: str) -> str:
    """The text with everything escaped that a terminal would obey, line breaks too."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)

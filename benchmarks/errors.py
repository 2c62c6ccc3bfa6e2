"""Mistakes that a person can mend, as opposed to defects of the program, and how they are told."""


class UsageError(Exception):
    """Something the user asked for cannot be done; the message is one line and says what to do."""


def one_line(text: str) -> str:
    """The text with everything escaped that a terminal would obey, line breaks too."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)

"""Mistakes that a person can mend, as opposed to defects of the program."""


class UsageError(Exception):
    """Something the user asked for cannot be done; the message is one line and says what to do."""

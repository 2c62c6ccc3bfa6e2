"""The suites: each module here, but those in `SHARED`, holds a `SUITE`.

A suite is called as its module, with hyphens for underscores.
"""

import importlib
import pkgutil

from benchmarks.errors import UsageError
from benchmarks.suites.base import Suite

SHARED = {"base", "cells", "common", "guessed", "replacing", "sizes"}


def names() -> list[str]:
    """Names of all suites."""
    modules = {module.name for module in pkgutil.iter_modules(__path__)} - SHARED
    return sorted(name.replace("_", "-") for name in modules)


def load(name: str) -> Suite:
    """The suite of this name.

    Raises:
        UsageError: there is no such suite.
    """
    if name not in names():
        raise UsageError(f"no suite {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").SUITE

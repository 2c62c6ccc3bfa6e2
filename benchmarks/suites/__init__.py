"""The suites: each module here holds a tuple of experiments, `EXPERIMENTS`.

A suite is called as its module, with hyphens for underscores. Its docstring's first line is its
title. `TUNED_BY`, where a suite has it, names the suite whose experiments the search for its
learning rates runs (`running.search`): often itself. `COLUMNS`, where a suite has it, says that its
networks are measured untrained (`running.flow_study`), and what the columns of the rows are.
"""

import importlib
import pkgutil
from types import ModuleType

from benchmarks.errors import UsageError
from benchmarks.running import store


def names() -> list[str]:
    """Names of all suites."""
    modules = {module.name for module in pkgutil.iter_modules(__path__)} - {"common"}
    return sorted(name.replace("_", "-") for name in modules)


def load(name: str) -> ModuleType:
    """The module of a suite.

    Raises:
        UsageError: there is no such suite.
    """
    if name not in names():
        raise UsageError(f"no suite {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def columns(suite: ModuleType) -> dict[str, str | type]:
    """Columns of a suite's rows, and their types."""
    return getattr(suite, "COLUMNS", store.COLUMNS)


def title(suite: ModuleType) -> str:
    """What the suite is, in a line."""
    return suite.__doc__.strip().splitlines()[0].rstrip(".")

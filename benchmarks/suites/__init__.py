"""The suites: each module here holds a tuple of experiments, `EXPERIMENTS`.

Its docstring's first line is its title. `TUNED_BY`, where a suite has it, names the suite whose
experiments the search for its learning rates runs (`benchmarks.tuning`): often itself.
"""

import importlib
import pkgutil
from types import ModuleType

from benchmarks.errors import UsageError


def names() -> list[str]:
    """Names of all suites."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """The module of a suite.

    Raises:
        UsageError: there is no such suite.
    """
    if name not in names():
        raise UsageError(f"no suite {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


def title(suite: ModuleType) -> str:
    """What the suite is, in a line."""
    return suite.__doc__.strip().splitlines()[0].rstrip(".")

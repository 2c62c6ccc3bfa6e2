"""The benchmark: experiments, the program that trains their trials, results and tables.

In Python (docs/PYTHON.md):

    import benchmarks
    rows = benchmarks.run("quick", "adding-*", cell=MyCell)
    benchmarks.table(rows)
"""

import importlib

_HOMES = {
    "benchmarks.python.api": (
        *("experiments", "run", "load", "table", "summary", "pairs", "figure", "train_one"),
        *("load_network", "Trained", "sample"),
    ),
    "benchmarks.errors": ("UsageError",),
    "benchmarks.learning.criteria": ("Inspection",),
    "benchmarks.learning.experiment": ("Experiment", "Recipe"),
    "benchmarks.learning.learners": ("Adam", "Momentum", "Online"),
    "models.network": ("Recurrent",),
}

__all__ = sorted(name for names in _HOMES.values() for name in names)


def __getattr__(name: str):
    """What the package offers, imported when it is first used: importing the package is cheap."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Result rows that nobody has trained."""

from dataclasses import replace

import pandas as pd

from benchmarks.learning import space
from benchmarks.running import store
from tests.support.tiny import experiment

DELAY = 100  # of a search


def rows(experiment, *sequences, **changes):
    """One row for each number of sequences; None is an unsolved trial."""
    filled = {name: "x" if kind is str else 1 for name, kind in store.COLUMNS.items()}
    filled |= {name: None for name in store.COLUMNS.added if store.COLUMNS[name] is not str}
    return pd.DataFrame(
        [
            filled
            | {
                "experiment": experiment.name,
                "digest": experiment.digest,
                "rate": experiment.rate,
                "trial": i,
                "outcome": "spent" if n is None else "solved",
                "sequences": n,
                "milestone": n and n // 2,
                "budget": experiment.recipe.budget,
                "seconds": 2.0,
                "test_size": 100,
                "test_wrong": 10 if n else 50,
                "test_error": 0.01 if n else 0.49,
                "dirty": "false",
            }
            | changes
            for i, n in enumerate(sequences)
        ]
    ).astype(store.COLUMNS)


def of_streams(experiment, *sequences, prefixes):
    """Rows of streams, with these mean prefixes and other figures that are all the same."""
    labels = {"task": experiment.task, "delay": experiment.delay, "cell": experiment.cell}
    figures = {"bits": 0.7, "floor": 0.58, "context_1": 1.5, "context_4": 1.0}
    figures |= {"context_16": 0.74, "context_64": 0.705}
    found = rows(experiment, *sequences, seed=0, **labels)
    streams = [30_001 if n is None else 1000 * i + 7000 for i, n in enumerate(sequences)]
    return found.assign(prefix=prefixes, streams=streams, **figures)


def points(rows):
    """A curve for every second of these trials."""
    columns = ["digest", "seed", "trial"]
    trials = rows.loc[rows["trial"] % 2 == 0, columns].assign(error=0.1)
    levels = {2000: 0.9, 10_000: 0.3, 40_000: 0.02}
    return pd.concat([trials.assign(sequences=n, wrong=w) for n, w in levels.items()])[
        list(store.CURVE_COLUMNS)
    ]


def searched(cost, names=("memory",), count=24, cell="lstm", learner=space.ADAM):
    """Rows of a search on task `t`; a configuration needs `cost(configuration)` sequences."""
    made = []
    for drawn in space.configurations(names, DELAY, count, learner=learner):
        columns = {k: v for k, v in drawn.settings.columns().items() if v is not None}
        each = replace(experiment(rate=drawn.rate), version=sum(map(ord, cell)))  # of its own
        labels = {"task": "t", "delay": DELAY, "cell": cell, "learner": repr(learner)}
        made.append(rows(each, cost(drawn), **labels, **columns))
    return pd.concat(made)

"""How much of an error survives its way back, before and after training: rows, a file each.

Of the trials of an experiment whose networks have been kept (`run --keep-weights`): the norm of the
derivative of the error, at the last step of a fresh sequence, by the whole state (all vectors of
the carry) that enters the d-th step before it, over that which enters the last step itself. A row
has quartiles over the networks, each with a sequence of its own.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import nnx
from rich.console import Console

from benchmarks.errors import UsageError
from benchmarks.learning import flow
from benchmarks.learning.experiment import OF_LEARNER, Experiment
from benchmarks.learning.program import TEST, setups, source
from benchmarks.learning.provenance import provenance
from benchmarks.running import files, flow_study, networks, store
from benchmarks.running.rows import path_of
from benchmarks.running.schema import Columns

BEFORE, AFTER = "before", "after"
NETWORKS = 20  # of an experiment, at most
DISTANCES = 25  # about, of a row each

COLUMNS = Columns(
    {
        "experiment": str,
        "task": str,
        "delay": "int64",
        "cell": str,
        "seed": "int64",
        "networks": "int64",
        "time": str,
        "distance": "int64",
        "low": "float64",
        "median": "float64",
        "high": "float64",
        **dict.fromkeys(
            ("digest", "jax", "flax", "optax", "python", "device", "commit", "dirty"), str
        ),
        "jax_settings": str,
    },
    key=["digest", "seed", "time", "distance"],
)
"""Columns of a file of these rows; results/README.md says what each means."""


def run(experiments: Sequence[Experiment], seed: int, folder: Path, console: Console) -> None:
    """Measures what has more kept networks than its rows, and writes rows to files in `flow/`.

    Raises:
        UsageError: no experiment has kept networks, a network is not a recurrent cell, or rows
            cannot be written.
    """
    there = {each: found for each in experiments if len(found := kept(each, seed, folder))}
    if not there:
        raise UsageError(
            f"no networks of these experiments in {files.short(folder)}; keep some with: "
            "python -m benchmarks run SUITE --keep-weights (of trials that have not been run there)"
        )
    files.require_lockable(folder / "flow")
    for i, (each, rows) in enumerate(there.items(), 1):
        path = path_of(each, folder, "flow")
        old = store.read(path, COLUMNS)
        mine = (old["digest"] == each.digest) & (old["seed"] == seed)
        if (old[mine]["networks"] >= len(rows)).any():
            continue
        store.replace(path, measured(each, seed, rows, folder), COLUMNS, ["digest", "seed"])
        text = f"[{i}/{len(there)}] {each.name}: {len(rows)} networks"
        console.print(text, highlight=False, markup=False)


def kept(experiment: Experiment, seed: int, folder: Path) -> pd.DataFrame:
    """The rows of an experiment's first trials whose networks are there."""
    rows = store.read(path_of(experiment, folder))
    rows = rows[(rows["digest"] == experiment.digest) & (rows["seed"] == seed)]
    there = [networks.path_of(row, folder).exists() for row in rows.to_dict("records")]
    return rows[np.array(there, bool)].sort_values("trial").head(NETWORKS)


def read(folder: Path) -> pd.DataFrame:
    """All rows in a suite's folder of results."""
    return store.read_all(folder / "flow", COLUMNS)


def of(experiments: Iterable[Experiment], folders: Iterable[Path]) -> pd.DataFrame:
    """The rows of experiments, as these stand now, in some folders of results."""
    digests = {each.digest for each in experiments}
    rows = pd.concat([store.frame([], COLUMNS), *map(read, folders)], ignore_index=True)
    return rows[rows["digest"].isin(digests)]


def measured(experiment: Experiment, seed: int, rows: pd.DataFrame, folder: Path) -> list[dict]:
    """Rows of an experiment, from the rows of its trials."""
    recipe, task = experiment.recipe, experiment.recipe.task
    trials = list(rows["trial"])
    each = [experiment] * len(trials)
    setup = setups(seed, trials, [e.rate for e in each], settings=[e.settings for e in each])
    start = {name: value for name, value in setup.settings.items() if name not in OF_LEARNER}
    drawn = source(task).fresh(setup.key, TEST, jnp.zeros(len(trials), jnp.int32), 1)
    sequences = jax.tree.map(lambda leaf: leaf[:, 0], drawn)
    graph = flow.structure(recipe.model, task)
    weights = {
        BEFORE: flow_study.initial(recipe.model, task.n_in, task.n_out)(setup.key, start),
        AFTER: _trained(experiment, rows, folder),
    }
    lines = []
    for time, params in weights.items():
        loss = recipe.learner.objective(task).loss
        norms = flow.whole(flow.error_flow(graph, loss, params, sequences))
        left = norms / norms[:, :1]
        for distance in distances(experiment.delay):
            low, median, high = np.nanquantile(left[:, distance - 1], [0.25, 0.5, 0.75])
            line = {name: getattr(experiment, name) for name in ("task", "delay", "cell", "digest")}
            line |= {"experiment": experiment.name, "seed": seed, "networks": len(trials)}
            numbers = {"low": low, "median": median, "high": high}
            line |= {name: float(f"{number:.6g}") for name, number in numbers.items()}
            lines.append(line | {"time": time, "distance": distance} | provenance())
    return lines


def distances(delay: int) -> list[int]:
    """Distances that have a row, from 1 to the delay, about as many in each octave."""
    return sorted({round(d) for d in np.geomspace(1, delay, DISTANCES)})


def _trained(experiment: Experiment, rows: pd.DataFrame, folder: Path) -> nnx.State:
    """The weights of kept networks, stacked."""
    task, model = experiment.recipe.task, experiment.recipe.model
    network = nnx.eval_shape(lambda: model.build(task.n_in, task.n_out, nnx.Rngs(0)))
    found = [networks.read(folder, row, network) for row in rows.to_dict("records")]
    states = [nnx.state(each, nnx.Param) for each in found]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)

"""A single trial, in this process: its network and its row."""

from pathlib import Path

import jax
import pandas as pd
from flax import nnx
from rich.console import Console

from benchmarks.learning import select
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.running import networks, store
from benchmarks.running.progress import View


def train(
    experiment: Experiment, trial: int, seed: int, console: Console
) -> tuple[nnx.Module, pd.Series]:
    """Trains a trial: the same that `run` trains.

    Args:
        experiment: whose trial.
        trial: its number, from 0.
        seed: seed of the run.
        console: where to show how far it is.

    Returns:
        The trained network, and the row.
    """
    select.program.cache_clear()  # functions that a user's class calls may be others by now
    with View(console, {experiment: 1}) as view:
        lanes = Lanes(seed, [Run(experiment, trial)])
        while lanes.busy:
            block = lanes.advance()
            weights = jax.tree.map(lambda leaf: leaf[0], lanes.trials.params)
            for result in lanes.collect(block):
                view.show(result)
    return nnx.merge(lanes.run.graph, weights), store.frame(result.rows).iloc[0]


def kept(
    experiment: Experiment, trial: int, seed: int, folder: Path
) -> tuple[nnx.Module, pd.Series] | None:
    """The network and the row of a trial that `run --keep-weights` has trained, if it is there.

    Raises:
        UsageError: a file is damaged, or is of another network.
    """
    rows = store.read_suite(folder)
    mine = (rows["digest"] == experiment.digest) & (rows["seed"] == seed)
    rows = rows[mine & (rows["trial"] == trial)]
    if rows.empty or not networks.path_of(rows.iloc[0], folder).exists():
        return None
    recipe, row = experiment.recipe, rows.iloc[0]
    task = recipe.task
    network = nnx.eval_shape(lambda: recipe.model.build(task.n_in, task.n_out, nnx.Rngs(0)))
    return networks.read(folder, row, network), row

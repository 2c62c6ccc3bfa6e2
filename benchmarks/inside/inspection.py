"""Trains one trial and draws what happens inside its network.

The trial is number 0 of its seed, bit for bit the one that `run` trains.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from flax import nnx
from rich.console import Console

from benchmarks.analysis.tables import quantity
from benchmarks.inside import panels, weights
from benchmarks.learning import flow, xla
from benchmarks.learning.experiment import Experiment, Model
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.learning.program import TEST, setups, source
from benchmarks.report import figures
from benchmarks.running import store
from benchmarks.running.progress import View
from models.lstm97.net import Net97
from tasks.sequence import Sequence

SEQUENCES = 64
"""Fresh sequences over which the error's norms are averaged; gates are drawn on the first."""


class Trained(NamedTuple):
    """A trial from its start to its end.

    Attributes:
        before: initial weights.
        after: the last ones.
        seen: training sequences at each look at the weights, the first of them 0.
        weights: what they were then.
        row: the result, as in the results of a suite.
    """

    before: nnx.State
    after: nnx.State
    seen: list[int]
    weights: list[weights.Weights]
    row: dict


def draw(experiment: Experiment, seed: int, folder: Path, console: Console) -> None:
    """Trains trial 0 of an experiment and writes its figures, a line for each file.

    Raises:
        UsageError: its network is not a recurrent cell, or the folder cannot be written.
    """
    recipe = experiment.recipe
    graph = flow.structure(recipe.model, recipe.task)
    store.require_writable(folder)
    if recipe.learner.batch == 1:
        xla.set_loop_flag()  # as the workers of a run do
    trial = train(experiment, seed, console)
    sequences = fresh(experiment, seed)
    first = jax.tree.map(lambda leaf: leaf[0], sequences)
    title = (
        f"{experiment.name}, trial 0 of seed {seed}: {trial.row['outcome']} after "
        f"{quantity(trial.row['seen'])} sequences"
    )
    with matplotlib.rc_context(figures.STYLE):
        made = {
            "flow": panels.flow(
                flows(experiment, trial.before, sequences),
                flows(experiment, trial.after, sequences),
            ),
            "gates": panels.gates(
                first, recipe.task.relevant(first), flow.passage(graph, trial.after, first)
            ),
            "weights": panels.weights(trial.seen, trial.weights),
        }
        console.print(title, highlight=False, soft_wrap=True)
        for name, figure in made.items():
            figure.suptitle(title, fontsize=12)
            for kind, content in figures.rendered(figure, ("png", "pdf")).items():
                path = folder / f"{name}.{kind}"
                store.write(path, content)
                console.print(os.path.relpath(path), highlight=False, soft_wrap=True)


def train(experiment: Experiment, seed: int, console: Console) -> Trained:
    """Trains trial 0, and looks at its weights at every inspection."""
    task = experiment.recipe.task
    with View(console, {experiment: 1}) as view:
        lanes = Lanes(seed, [Run(experiment, 0)])
        before = after = _params(lanes)
        graph = flow.structure(experiment.recipe.model, task)
        rows = weights.recurrent_rows(nnx.merge(graph, before), task.n_in)
        seen, looks, row = [0], [weights.measured(before, rows)], None
        while lanes.busy:
            block = lanes.advance()
            after = _params(lanes)
            seen.append(int(lanes.trials.seen[0]))
            looks.append(weights.measured(after, rows))
            for news in lanes.harvest(block):
                view.news(news)
                row = next(iter(news.rows), None)
    return Trained(before, after, seen, looks, row)


def fresh(experiment: Experiment, seed: int) -> Sequence:
    """Test sequences of trial 0 that it was not trained on, `[SEQUENCES, ...]`."""
    keys = setups(seed, [0], [experiment.rate]).key
    drawn = source(experiment.recipe.task).fresh(keys, TEST, jnp.zeros(1, jnp.int32), SEQUENCES)
    return jax.tree.map(lambda leaf: leaf[0], drawn)


def flows(experiment: Experiment, params: nnx.State, sequences: Sequence) -> dict[str, np.ndarray]:
    """Norms of the error's gradient, `[sequence, distance]`, by the vector of the state.

    Of a net of 1997 with the gradient of the paper and with the full one; vectors that no error
    reaches are left out.
    """
    recipe, count = experiment.recipe, len(sequences.length)
    copies = jax.tree.map(lambda leaf: np.broadcast_to(leaf, (count, *leaf.shape)), params)
    loss = recipe.learner.objective(recipe.task).loss
    found = {}
    for label, model in _gradients(recipe.model).items():
        graph = flow.structure(model, recipe.task)
        for name, norms in flow.error_flow(graph, loss, copies, sequences).items():
            if np.nanmax(norms) > 0:
                found[name + label] = norms
    return found


def _gradients(model: Model) -> dict[str, Model]:
    """The model with each gradient that it may be trained with, by a label."""
    if not isinstance(model, Net97):
        return {"": model}
    return {
        ", truncated gradient": replace(model, truncate=True),
        ", full gradient": replace(model, truncate=False),
    }


def _params(lanes: Lanes) -> nnx.State:
    """Weights of the first lane; copied, because training overwrites them."""
    return jax.tree.map(lambda leaf: np.array(leaf[0]), lanes.trials.params)

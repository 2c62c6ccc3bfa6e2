"""Trains one trial and draws what happens inside its network.

The trial is number 0 of its seed, bit for bit the one that `run` trains.
"""

import os
from collections.abc import Mapping
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
from benchmarks.report import drawing, html
from benchmarks.report.contents import Picture, panelled
from benchmarks.running import files
from benchmarks.running.progress import View
from models.lstm97.net import Net97
from tasks.sequence import Sequence
from tasks.stream import StreamTask

SEQUENCES = 64
"""Fresh sequences over which the error's norms are averaged; gates are drawn on the first."""
SHOWN = 100
"""Symbols of a stream at most."""


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


def draw(experiment: Experiment, seed: int, folder: Path, command: str, console: Console) -> None:
    """Trains trial 0 of an experiment and writes a page about it with its figures.

    Args:
        experiment: what is trained.
        seed: seed of the run.
        folder: where the files go; a line is printed for each.
        command: what was typed, for the page.
        console: where to show how far it is.

    Raises:
        UsageError: its network is not a recurrent cell, or the folder cannot be written.
    """
    recipe = experiment.recipe
    flow.structure(recipe.model, recipe.task)  # before any training: whether there is a cell
    files.require_writable(folder)
    if recipe.learner.batch == 1:
        xla.set_loop_flag()  # as the workers of a run do
    trial = train(experiment, seed, console)
    title = (
        f"{experiment.name}, trial 0 of seed {seed}: {trial.row['outcome']} after "
        f"{quantity(trial.row['seen'])} sequences"
    )
    console.print(title, highlight=False, soft_wrap=True)
    with matplotlib.rc_context(drawing.STYLE):
        pictures = _pictures(experiment, seed, trial, title)
        if all(each.name != "flow" for each in pictures):
            text = "No error flows back through its states: there is no figure of that."
            console.print(text, highlight=False, soft_wrap=True)
        saved = [html.saved(each, folder) for each in pictures]
    page = html.rendered(
        "inspect.html", title=title, pictures=saved, trial=_facts(trial.row), command=command
    )
    files.write(folder / f"{experiment.name}.html", page)
    names = [f"{each.name}.{kind}" for each in pictures for kind in ("png", "pdf")]
    for name in [*names, f"{experiment.name}.html"]:
        console.print(os.path.relpath(folder / name), highlight=False, soft_wrap=True)


def _pictures(experiment: Experiment, seed: int, trial: Trained, title: str) -> list[Picture]:
    recipe, sequences = experiment.recipe, fresh(experiment, seed)
    first = jax.tree.map(lambda leaf: leaf[0], sequences)
    graph = flow.structure(recipe.model, recipe.task)
    relevant = np.asarray(recipe.task.relevant(first))
    passage = first, relevant, flow.passage(graph, trial.after, first)
    times = zip(panels.TIMES, (trial.before, trial.after), strict=True)
    norms = {time: flows(experiment, params, sequences) for time, params in times}
    start = trial.weights[0]
    looks = drawing.looks(list(start.norms | start.radii))
    with matplotlib.rc_context({"font.size": 10}):
        narrow = panels.gates(*passage, drawing.NARROW)
    gates = panels.gates(*passage)
    gates.suptitle(title, fontsize=12)
    return [
        *_flowing(norms, title),
        Picture(
            "gates",
            "Gates and states over one sequence",
            gates,
            {"gates": narrow},
            "Inputs, gates and states at each step of one fresh sequence, a line for each unit.",
            "What the trained network does at each step of a sequence that it has not seen.",
            "A line of each image is a unit; dashed: steps that must be remembered.",
        ),
        panelled(
            "weights",
            "Weights over the training",
            panels.weights(trial.seen, trial.weights, looks),
            looks,
            heading=title,
            alt="Norms and spectral radii of the weights against training sequences.",
            sentence="How large the weights become, and how much the recurrent ones can amplify.",
            statistic="Frobenius norms of all weights; spectral radius of each square block of the "
            "recurrent matrices. Grey: 1.",
        ),
    ]


def _flowing(norms: Mapping[str, Mapping[str, np.ndarray]], title: str) -> list[Picture]:
    """The picture of `norms` (of `panels.flow`); none where no error flows back."""
    draws = panels.flow(norms)
    if not draws:
        return []
    picture = panelled(
        "flow",
        "How the error flows back",
        draws,
        panels.TIMES,
        heading=title,
        alt="Norm of the error's gradient by the state against the distance to the error.",
        sentence="What is left of an error on its way back, before and after training.",
        statistic=f"Medians and quartiles over {SEQUENCES} fresh sequences.",
    )
    return [picture]


def _facts(row: dict) -> dict[str, str]:
    """What the page says of the trial, by the columns of a row."""
    names = "task_fields model weights learner criterion rate budget outcome test_error device"
    return {name.replace("_", " "): row[name] for name in names.split()}


def train(experiment: Experiment, seed: int, console: Console) -> Trained:
    """Trains trial 0, and looks at its weights at every inspection."""
    task = experiment.recipe.task
    with View(console, {experiment: 1}) as view:
        lanes = Lanes(seed, [Run(experiment, 0)])
        before = after = _params(lanes)
        graph = flow.structure(experiment.recipe.model, task)
        rows = weights.recurrent_rows(nnx.merge(graph, before), task.n_in)
        seen, looks = [0], [weights.measured(before, rows)]
        row: dict = {}
        while lanes.busy:
            block = lanes.advance()
            after = _params(lanes)
            seen.append(int(lanes.trials.seen[0]))
            looks.append(weights.measured(after, rows))
            for result in lanes.collect(block):
                view.show(result)
                row = next(iter(result.rows), row)
    return Trained(before, after, seen, looks, row)


def fresh(experiment: Experiment, seed: int) -> Sequence:
    """Test sequences of trial 0 that it was not trained on, `[SEQUENCES, ...]`."""
    keys, task = setups(seed, [0], [experiment.rate]).key, experiment.recipe.task
    if isinstance(task, StreamTask):  # their beginnings: figures show each step
        task = replace(task, length=min(task.length, SHOWN))
    drawn = source(task).fresh(keys, TEST, jnp.zeros(1, jnp.int32), SEQUENCES)
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

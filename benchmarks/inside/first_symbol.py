"""What do the rivals' hidden units hold of the first symbol of 2a, x or y?

    python -m benchmarks.inside.first_symbol 'lag-2a-*.rtrl' 'lag-2a-*.chunker'

Trains the first trials of each experiment of `rivals` that matches, as a run would, and compares
their hidden units (of a chunker's two nets, the automatizer's) on the only two sequences there are.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import nnx

from benchmarks import suites
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.program import setups
from benchmarks.learning.select import program
from benchmarks.suites.replacing import fitting
from models.rivals.chunker import ChunkerNetwork
from models.rivals.shortcut import ShortcutNetwork, hidden
from tasks.lag import Lag2a

SEQUENCES, TRIALS = 20_000, 6
BLOCK = 1000
HELD = 0.5  # FIDELITY R13
"""Difference at the end by which a unit tells x from y."""


def trained(experiment: Experiment, sequences: int, trials: int, seed: int = 0) -> list[nnx.Module]:
    """The networks of the first trials after so many training sequences, a multiple of `BLOCK`."""
    run = program(experiment.recipe)
    given = setups(seed, range(trials), [experiment.rate] * trials)
    state = run.start(given)
    for first in range(0, sequences, BLOCK):
        at = jnp.full(trials, first, jnp.int32)
        state = run.train(given, state, run.source.training(given.key, at, BLOCK, None))
    of_trials = [jax.tree.map(lambda leaf, i=i: leaf[i], state.params) for i in range(trials)]
    return [nnx.merge(run.graph, each) for each in of_trials]


def task_of(experiment: Experiment) -> Lag2a:
    """The task 2a of an experiment.

    Raises:
        UsageError: it has another.
    """
    task = experiment.recipe.task
    if type(task) is not Lag2a:
        raise UsageError(f"{experiment.name} is not of task 2a")
    return task


def both(task: Lag2a) -> np.ndarray:
    """Numbers of the symbols of the sequence with x and of that with y, `[2, p]`."""
    drawn = jax.vmap(task.symbols)(jax.random.split(jax.random.key(0), 64)).inputs
    return np.unique(np.asarray(drawn), axis=0)


def units(network: nnx.Module, sequences: np.ndarray) -> np.ndarray:
    """Hidden units after every symbol of sequences `[n, T]`: `[n, T, H]`."""
    net = network.automatizer if isinstance(network, ChunkerNetwork) else network
    assert isinstance(net, ShortcutNetwork)
    return np.asarray(jax.vmap(lambda each: hidden(net.W_x[...], net.W_h[...], each))(sequences))


def line(networks: list[nnx.Module], task: Lag2a) -> dict[str, float | str]:
    """Means over networks of what their units hold; the largest difference counts among units."""
    sequences = both(task)
    held = np.stack([units(each, sequences) for each in networks])
    apart = np.abs(held[:, 0] - held[:, 1]).max(-1)
    after = {f"after {step}": apart[:, step - 1].mean() for step in (1, 2, 3)}
    return after | {
        "at the end": apart[:, -1].mean(),
        "told apart": f"{(apart[:, -1] > HELD).sum()}/{len(networks)}",
        "unit at the end": held[:, :, -1].mean(),
    }


def main(arguments: list[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inside.first_symbol")
    parser.add_argument("pattern", nargs="+", help="experiments of rivals: 'lag-2a-*.rtrl'")
    parser.add_argument("--sequences", type=int, default=SEQUENCES, help=f"default: {SEQUENCES}")
    options = parser.parse_args(arguments)
    everything = suites.load("rivals").experiments
    try:
        if options.sequences < 1 or options.sequences % BLOCK:
            raise UsageError(f"--sequences must be a multiple of {BLOCK}, not {options.sequences}")
        chosen = [each for one in options.pattern for each in fitting(everything, one, "rivals")]
        tasks = [task_of(each) for each in chosen]
    except UsageError as error:
        parser.exit(2, f"{error}\n")
    lines = {
        each.name: line(trained(each, options.sequences, TRIALS), task)
        for each, task in zip(chosen, tasks, strict=True)
    }
    print(f"Hidden units after x and after y, {TRIALS} trials, {options.sequences} sequences\n")
    print(pd.DataFrame(lines).T.to_markdown(floatfmt=".2f"))


if __name__ == "__main__":
    main()

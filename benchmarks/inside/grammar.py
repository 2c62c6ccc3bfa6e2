"""Where in the embedded Reber grammar do trained networks go wrong?

    python -m benchmarks run paper 'reber-3x2-05-9.lstm97' --keep-weights --out DIR
    python -m benchmarks.inside.grammar paper 'reber-3x2-05-9.lstm97' --out DIR

A place is what comes last and what may follow: after the P of the first arc T or V may come, after
that of a later one X or S. Fresh strings tell in which places the networks of unsolved trials go
wrong more often than not. The recall is the place where the second symbol has to come again.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import nnx

from benchmarks import suites
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import one_trial, store
from benchmarks.suites.replacing import fitting
from tasks.reber import Reber
from tasks.reber_grammar import SYMBOLS, legal_next
from tasks.sequence import Sequence, most_active

STRINGS = 1000
RECALL = "E, then T or P again"


def places(strings: Sequence) -> np.ndarray:
    """The place of every step, `[n, T]` of text; empty behind the end of a string.

    Args:
        strings: of the embedded Reber grammar, `[n, T, 7]`.
    """
    legal = np.asarray(jax.vmap(legal_next)(strings.inputs))
    last = np.asarray(jnp.argmax(strings.inputs, -1))
    found = np.full(last.shape, "", dtype=object)
    for n, step in np.argwhere(np.asarray(strings.scored)):
        may = [SYMBOLS[i] for i in np.flatnonzero(legal[n, step])]
        symbol = SYMBOLS[last[n, step]]
        recalled = symbol == "E" and may != ["E"]
        found[n, step] = RECALL if recalled else f"{symbol}, then {' or '.join(may)}"
    return found


def wrong(network: nnx.Module, strings: Sequence) -> np.ndarray:
    """Steps at which a network predicts another symbol than may come, `[n, T]` bool (T17)."""
    nets = jax.vmap(network)(strings.inputs, strings.length)  # monotone in what outputs are
    right = most_active(nets, jax.vmap(legal_next)(strings.inputs))
    return np.asarray(strings.scored & ~right)


def shares(found: np.ndarray, mistakes: np.ndarray) -> pd.Series:
    """By place, the share of its visits at which a network goes wrong."""
    visited = found != ""
    return pd.Series(mistakes[visited]).groupby(found[visited]).mean()


def table(networks: Iterable[nnx.Module], strings: Sequence) -> pd.DataFrame:
    """One line for each place, those that most networks fail first.

    Returns:
        `strings`, the share that come to the place; `fail`, the number of networks that go wrong
        at more than half of their visits; `only there`, those that fail nowhere else.
    """
    found = places(strings)
    failing = pd.DataFrame([shares(found, wrong(each, strings)) > 0.5 for each in networks])
    alone = failing.sum(axis=1) == 1
    lines = pd.DataFrame(
        {
            "strings": [float((found == place).any(1).mean()) for place in failing],
            "fail": failing.sum().to_numpy(),
            "only there": failing[alone].sum().to_numpy(),
        },
        index=failing.columns.rename("place"),
    )
    return lines.sort_values("fail", ascending=False, kind="stable")


def unsolved(experiment: Experiment, folder: Path, seed: int = 0) -> tuple[list[nnx.Module], int]:
    """The networks of its unsolved trials, and how many trials there are in all.

    Raises:
        UsageError: no trial has been run, or the network of an unsolved one was not kept.
    """
    rows = store.read_suite(folder)
    mine = rows[(rows["digest"] == experiment.digest) & (rows["seed"] == seed)]
    if mine.empty:
        raise UsageError(f"no trial of {experiment.name} has been run")
    networks = []
    for trial in mine[mine["outcome"] != "solved"]["trial"]:
        if (kept := one_trial.kept(experiment, int(trial), seed, folder)) is None:
            raise UsageError(f"{experiment.name}: trial {trial} kept no network: --keep-weights")
        networks.append(kept[0])
    return networks, len(mine)


def main(arguments: list[str] | None = None) -> None:
    """Prints a table for each experiment that matches."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inside.grammar")
    parser.add_argument("suite")
    parser.add_argument("pattern")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    strings = jax.vmap(Reber().sample)(jax.random.split(jax.random.key(0), STRINGS))
    try:
        chosen = fitting(suites.load(options.suite).experiments, options.pattern, options.suite)
        for each in chosen:
            networks, trials = unsolved(each, options.out / options.suite)
            print(
                f"\n{each.name}: {len(networks)} of {trials} trials unsolved, {STRINGS} strings\n"
            )
            if networks:
                print(table(networks, strings).to_markdown(floatfmt=("", ".0%", ".0f", ".0f")))
    except UsageError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()

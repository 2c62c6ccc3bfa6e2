"""How much of an error survives its way back through initial networks: rows, lines, tables.

A row is one trial of an experiment before any training: the initial network that `run` would train,
and one sequence. `near` and `far` are norms of the derivative of the error, at the last step, by
the whole state (all vectors of the carry): by what enters the last step, and by what enters the
step T - 1 steps before. Their ratio is what T - 1 steps leave of an error. With one output it does
not depend on the size of the error nor on the loss.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import pandas as pd
from flax import nnx
from rich.console import Console

from benchmarks.analysis import tables
from benchmarks.learning import flow
from benchmarks.learning.experiment import Experiment, Model
from benchmarks.learning.program import INIT, TEST, setups, source
from benchmarks.learning.provenance import provenance
from benchmarks.running import files, store
from benchmarks.running.rows import ALL, Shard, path_of
from benchmarks.running.schema import Columns

COLUMNS = Columns(
    {
        "experiment": str,
        "delay": "int64",
        "cell": str,
        "seed": "int64",
        "trial": "int64",
        "near": "float64",
        "far": "float64",
        **dict.fromkeys(
            ("digest", "jax", "flax", "optax", "python", "device", "commit", "dirty"), str
        ),
        "jax_settings": str,
    },
    key=store.IDENTITY,
    added=("jax_settings",),
)
"""Columns of a file of these rows; results/README.md says what each means."""

RULES = (
    "What T - 1 steps back leave of an error at the last step: |d error / d state| there over that "
    "at the last step, median and quartiles over initial networks, each with a sequence of its "
    "own; nothing is trained. The state is the whole carry: h; c and h of the LSTM; s and all "
    "activations of the net of 1997, whose truncated gradient (lstm97) reaches s only; lstm97-full "
    "is the same net with its full gradient."
)


def run(
    experiments: Sequence[Experiment],
    seed: int,
    folder: Path,
    console: Console,
    shard: Shard = ALL,
) -> None:
    """Measures the initial networks that have no row yet, and adds the rows to their files.

    Raises:
        UsageError: rows cannot be written, or a network is not a recurrent cell.
    """
    files.require_lockable(folder / "trials")
    for i, each in enumerate(experiments, 1):
        path = path_of(each, folder)
        rows = store.read(path, COLUMNS)
        rows = rows[(rows["digest"] == each.digest) & (rows["seed"] == seed)]
        absent = sorted(set(shard.indices(each.trials)) - set(rows["trial"]))
        if absent:
            store.add(path, measured(each, seed, absent), COLUMNS)
            text = f"[{i}/{len(experiments)}] {each.name}: {len(absent)} initial networks"
            console.print(text, highlight=False, markup=False)


def measured(experiment: Experiment, seed: int, trials: Sequence[int]) -> list[dict]:
    """Rows of the trials with these numbers."""
    recipe, task = experiment.recipe, experiment.recipe.task
    setup = setups(seed, trials, [experiment.rate] * len(trials))
    drawn = source(task).fresh(setup.key, TEST, jnp.zeros(len(trials), jnp.int32), 1)
    norms = flow.whole(
        flow.error_flow(
            flow.structure(recipe.model, task),
            recipe.learner.objective(task).loss,
            initial(recipe.model, task.n_in, task.n_out)(setup.key, {}),
            jax.tree.map(lambda leaf: leaf[:, 0], drawn),
        )
    )
    return [
        {
            "experiment": experiment.name,
            "delay": experiment.delay,
            "cell": experiment.cell,
            "seed": seed,
            "trial": trial,
            "near": float(f"{own[0]:.6g}"),
            "far": float(f"{own[experiment.delay - 1]:.6g}"),
            "digest": experiment.digest,
            **provenance(),
        }
        for trial, own in zip(trials, norms, strict=True)
    ]


@functools.cache
def initial(model: Model, n_in: int, n_out: int):
    """Compiled: keys of trials and settings of their cells, by name -> their initial weights.

    They are those that `program.Program` draws, stacked. Apart from any recipe, so that all delays
    share it: orthogonal matrices take long to compile.
    """

    def one(key, settings):
        network = model.build(n_in, n_out, nnx.Rngs(jax.random.fold_in(key, INIT)), **settings)
        return nnx.state(network, nnx.Param)

    return jax.jit(jax.vmap(one))


def summary(experiments: Sequence[Experiment], rows: pd.DataFrame) -> pd.DataFrame:
    """A line for each experiment, by cell, then delay.

    Columns: cell, delay, trials, missing; low, median, high (quartiles of far / near); step (the
    factor of one step that gives this median).
    """
    cells = list(dict.fromkeys(each.cell for each in experiments))
    lines = []
    for each in sorted(experiments, key=lambda each: (cells.index(each.cell), each.delay)):
        own = rows[rows["digest"] == each.digest]
        low, median, high = (own["far"] / own["near"]).quantile([0.25, 0.5, 0.75])
        line = {"cell": each.cell, "delay": each.delay, "trials": len(own)}
        line |= {"missing": max(each.trials - len(own), 0)}
        step = median ** (1 / (each.delay - 1))
        lines.append(line | {"low": low, "median": median, "high": high, "step": step})
    return pd.DataFrame(lines)


def matrix(lines: pd.DataFrame) -> pd.DataFrame:
    """Cells down, delays across: median, and quartiles below it."""
    delays = sorted(set(lines["delay"]))
    found = {
        (line.cell, line.delay): f"{ratio(line.median)}\n{ratio(line.low)} to {ratio(line.high)}"
        for line in lines[lines["trials"] > 0].itertuples()
    }
    return pd.DataFrame(
        {f"T = {T}": [found.get((cell, T), "not run") for cell in _cells(lines)] for T in delays},
        index=pd.Index(_cells(lines), name="cell"),
    )


def ratio(number: float) -> str:
    """A ratio, short: 0.73, 2.1e-14."""
    return f"{number:.2f}" if 0.01 <= number < 100 else f"{number:.0e}".replace("e-0", "e-")


def long(lines: pd.DataFrame) -> pd.DataFrame:
    """The readable form of `summary`."""
    ran = lines[lines["trials"] > 0]
    numbers = {name: [f"{n:.3g}" for n in ran[name]] for name in ("low", "median", "high")}
    return pd.DataFrame(
        {
            "cell": ran["cell"],
            "T": ran["delay"],
            "networks": ran["trials"],
            "lower quartile": numbers["low"],
            "median": numbers["median"],
            "upper quartile": numbers["high"],
            "factor per step": ran["step"].map("{:.3f}".format),
        }
    )


def missing(lines: pd.DataFrame) -> str:
    """What a half-finished run still lacks; empty if nothing."""
    count = int(lines["missing"].sum())
    return f"Not complete: {count} initial networks have not been measured." if count else ""


def finding(lines: pd.DataFrame) -> str:
    """What the longest delay leaves, of the cells that have been run there, in a sentence."""
    ran = lines[lines["trials"] > 0]
    longest = ran[ran["delay"] == ran["delay"].max()].sort_values("median", ascending=False)
    texts = [f"{each.cell} {ratio(each.median)}" for each in longest.itertuples()]
    steps = longest["delay"].max() - 1
    return f"Left of an error after {steps} steps, in the median: {', '.join(texts)}."


def page(name: str, title: str, lines: pd.DataFrame, rows: pd.DataFrame) -> str:
    """The Markdown page of the study."""
    wide = matrix(lines).map(lambda entry: entry.replace("\n", "<br>"))
    parts = [
        f"# {name}: {title}",
        f"Made by `python -m benchmarks run {name}`; the rows are in `trials/`.",
        missing(lines),
        wide.reset_index().to_markdown(index=False, disable_numparse=True),
        RULES,
        long(lines).to_markdown(index=False, disable_numparse=True),
        tables.origin(rows),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _cells(lines: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(lines["cell"]))

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from flax import nnx

import benchmarks
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import describe
from benchmarks.learning.lanes import Lanes, Run, named
from benchmarks.running import networks
from models.lstm97.net import Net97
from models.network import Recurrent
from tests.cells.complex_lru import ComplexLRU
from tests.support.tiny import EXPERIMENT, RECIPE, experiment


def test_the_weights_kept_are_those_at_the_end_of_each_trial():
    trials = 6
    lanes = Lanes(0, [Run(EXPERIMENT, i) for i in range(trials)], keep_weights=True)
    kept, ends = {}, {}
    while lanes.busy:
        block = lanes.advance()
        for i, run in enumerate(lanes.lanes):
            if run:
                ends[run.index] = jax.tree.map(lambda leaf, i=i: leaf[i], lanes.trials.params)
        for result in lanes.collect(block):
            for row, weights in zip(result.rows, result.weights, strict=True):
                kept[row["trial"]] = weights
    assert sorted(kept) == list(range(trials))
    for trial, weights in kept.items():
        flat = nnx.to_flat_state(ends[trial])
        assert {".".join(map(str, place)) for place, _ in flat} == set(weights)
        for place, leaf in flat:
            np.testing.assert_array_equal(weights[".".join(map(str, place))], leaf[...])


class Small(nnx.RNNCellBase):
    """Of numbers that NumPy has no name for."""

    def __init__(self, n_in, n_hidden, *, rngs):
        self.n_hidden = n_hidden
        self.w = nnx.Param(jax.random.normal(rngs.params(), (n_in, n_hidden), jnp.bfloat16))

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return jnp.zeros((*input_shape[:-1], self.n_hidden))

    def __call__(self, carry, x):
        carry = jnp.tanh(carry + x @ self.w.astype(jnp.float32))
        return carry, carry


def row(made, trial=0):
    return {"experiment": made.name, "digest": made.digest, "seed": 3, "trial": trial}


def build(made, seed):
    task = made.recipe.task
    return made.recipe.model.build(task.n_in, task.n_out, nnx.Rngs(seed))


@pytest.mark.parametrize(
    "model", [RECIPE.model, Net97(2, 2), Recurrent(ComplexLRU, 3), Recurrent(Small, 3)]
)
def test_a_network_is_given_back_as_it_was(tmp_path, model):
    made = experiment(model=model)
    stored, other = build(made, 0), build(made, 1)
    weights = jax.tree.map(lambda leaf: leaf[None], nnx.state(stored, nnx.Param))
    networks.write(tmp_path, row(made), named(weights, 0))
    found = networks.read(tmp_path, row(made), other)
    for mine, theirs in zip(
        jax.tree.leaves(nnx.state(found)), jax.tree.leaves(nnx.state(stored)), strict=True
    ):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    sequence = made.recipe.task.sample(jax.random.key(0))
    answers = [each.last(sequence.inputs, sequence.length) for each in (found, stored)]
    np.testing.assert_array_equal(*answers)


def test_what_is_not_there_or_another_network_is_one_line(tmp_path):
    with pytest.raises(UsageError, match="rows have one if they were made to keep weights"):
        networks.read(tmp_path, row(EXPERIMENT), build(EXPERIMENT, 0))
    networks.write(tmp_path, row(EXPERIMENT), {"cell.a": np.zeros(3)})
    with pytest.raises(UsageError, match="is of another network"):
        networks.read(tmp_path, row(EXPERIMENT), build(EXPERIMENT, 0))
    larger = {
        name: np.zeros(np.add(leaf.shape, 1))
        for name, leaf in named(
            jax.tree.map(lambda leaf: leaf[None], nnx.state(build(EXPERIMENT, 0), nnx.Param)), 0
        ).items()
    }
    networks.write(tmp_path, row(EXPERIMENT), larger)
    with pytest.raises(UsageError, match="is of another network"):
        networks.read(tmp_path, row(EXPERIMENT), build(EXPERIMENT, 0))


def kept(folder, made=EXPERIMENT):
    """The file of a network that is kept, as it should be."""
    weights = jax.tree.map(lambda leaf: leaf[None], nnx.state(build(made, 0), nnx.Param))
    networks.write(folder, row(made), named(weights, 0))
    return networks.path_of(row(made), folder)


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda data: b"",
        lambda data: b"not an archive",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + b"!" + data[101:],  # in the numbers
        lambda data: data.replace(b"NUMPY", b"NUMBY"),
        lambda data: data.replace(b"\x00\x00\x00\x00", b"\x01\x00\x63\x00"),  # an odd packing
    ],
    ids=["empty", "text", "cut", "half", "a byte", "a head", "flags"],
)
def test_a_damaged_file_is_one_line_that_names_it(tmp_path, spoilt):
    path = kept(tmp_path)
    path.write_bytes(spoilt(path.read_bytes()))
    with pytest.raises(UsageError, match="is damaged") as caught:
        networks.read(tmp_path, row(EXPERIMENT), build(EXPERIMENT, 0))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_numbers_of_another_size_are_of_another_network(tmp_path):
    path = kept(tmp_path)
    weights = {name: leaf.astype(np.float64) for name, leaf in np.load(path).items()}
    networks.write(tmp_path, row(EXPERIMENT), weights)
    with pytest.raises(UsageError, match="is of another network"):
        networks.read(tmp_path, row(EXPERIMENT), build(EXPERIMENT, 0))


def test_the_suites_name_the_network_of_a_row(tmp_path):
    (known,) = benchmarks.experiments("tiny", "two-sequence-20.gru")
    stored = build(known, 0)
    weights = jax.tree.map(lambda leaf: leaf[None], nnx.state(stored, nnx.Param))
    mine = row(known) | {
        "task_fields": describe(known.recipe.task),
        "model": describe(known.recipe.model),
    }
    networks.write(tmp_path, mine, named(weights, 0))
    found = benchmarks.load_network(pd.Series(mine), tmp_path)
    jax.tree.map(np.testing.assert_array_equal, nnx.state(found), nnx.state(stored))
    with pytest.raises(UsageError, match="no suite has the task and cell of"):
        benchmarks.load_network(pd.Series(mine | {"model": "mine"}), tmp_path)
    with pytest.raises(UsageError, match="is of another experiment than two"):
        benchmarks.load_network(pd.Series(mine), tmp_path, EXPERIMENT)

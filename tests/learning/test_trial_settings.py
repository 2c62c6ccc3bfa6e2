"""Settings are numbers of a trial: they do what the recipe's own would, and share its program."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks.learning.experiment import Settings
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.learning.learners import Adam
from benchmarks.learning.program import TEST, numbered, setups
from benchmarks.learning.select import program
from models.lstm import LSTM
from models.network import Recurrent
from models.rnn import RNN
from tests.support.tiny import EXPERIMENT, RECIPE
from tests.support.training import train


def rows(*experiments):
    runs = [Run(each, i) for each in experiments for i in range(3)]
    return [row for block in train(0, runs) for result in block for row in result.rows]


def results(found, experiment):
    mine = [row for row in found if row["digest"] == experiment.digest]
    return sorted((row["trial"], row["seen"], row["test_error"]) for row in mine)


def test_a_clip_as_setting_is_the_clip_of_the_learner():
    tight = replace(RECIPE, learner=Adam(batch=5, clip=0.05))
    (set_to, other) = (replace(EXPERIMENT, settings=Settings(clip=clip)) for clip in (0.05, 9.0))
    found = rows(other, set_to)
    baked = replace(EXPERIMENT, recipe=tight)
    assert results(found, set_to) == results(rows(baked), baked)
    assert results(found, set_to) != results(found, other)


@pytest.mark.parametrize(
    ("cell", "settings"),
    [
        (LSTM, [Settings(memory=(5.0, 5.0)), Settings(memory=(2.0, 60.0))]),
        (RNN, [Settings(scale=0.5), Settings(scale=1.25)]),
    ],
)
def test_lanes_start_as_cells_made_with_their_settings(cell, settings):
    recipe = replace(RECIPE, model=Recurrent(cell, 4))
    made = setups(3, [7, 7], [0.1, 0.1], settings=settings)
    started = program(recipe).start(made).params
    for lane, each in enumerate(settings):
        key = jax.random.fold_in(made.key[lane], 0)
        alone = recipe.model.build(
            recipe.task.n_in, recipe.task.n_out, nnx.Rngs(key), **each.given()
        )
        jax.tree.map(
            lambda a, b, lane=lane: np.testing.assert_allclose(a[lane], b, rtol=1e-6),
            started,
            nnx.state(alone, nnx.Param),
        )


def test_settings_that_are_not_given_leave_an_experiment_what_it_was():
    assert replace(EXPERIMENT, settings=Settings()).digest == EXPERIMENT.digest
    others = [Settings(clip=1.0), Settings(scale=1.0), Settings(memory=(1.0, 1.0))]
    digests = {replace(EXPERIMENT, settings=each).digest for each in others}
    assert len(digests | {EXPERIMENT.digest, replace(EXPERIMENT, lengths=(2,)).digest}) == 5


def test_solved_networks_are_tested_on_longer_sequences():
    experiment = replace(EXPERIMENT, lengths=(2, 5), recipe=replace(RECIPE, budget=4000))
    lanes, found = Lanes(0, [Run(experiment, i) for i in range(4)]), []
    graph = program(experiment.recipe).graph
    while lanes.busy:
        block = lanes.advance()
        params = jax.tree.map(jnp.copy, lanes.trials.params)
        keys, held = lanes.setup.key, list(lanes.lanes)
        for result in lanes.collect(block):
            for row in result.rows:
                lane = next(i for i, run in enumerate(held) if run and run.index == row["trial"])
                mine = jax.tree.map(lambda a, lane=lane: a[lane], params)
                found.append((row, nnx.merge(graph, mine), keys[lane]))
    solved = [each for each in found if each[0]["outcome"] == "solved"]
    assert solved
    for row, network, key in solved:
        for times in (2, 5):
            task = RECIPE.task.longer(times)
            drawn = jax.vmap(task.sample)(numbered(key, TEST, jnp.int32(0), 256))
            net = jax.vmap(network.last)(drawn.inputs, drawn.length)
            outputs = jax.nn.sigmoid(np.asarray(net))[:, 0]
            target = np.asarray(drawn.targets)[np.arange(256), np.asarray(drawn.length) - 1, 0]
            right = np.mean(np.abs(outputs - target) < task.tolerance)
            assert row[f"longer_{times}"] == pytest.approx(right, abs=1 / 256)
    for row, _, _ in found:
        assert ("longer_2" in row) == (row["outcome"] == "solved")

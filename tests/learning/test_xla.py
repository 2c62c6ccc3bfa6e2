"""Compiler settings change the last bits of trained weights, and nothing else.

Other tests run without them, since they compile longer (conftest.py).
"""

import functools
import os
import subprocess
import sys
from dataclasses import replace

import jax
import numpy as np
import pytest

from benchmarks.learning import xla
from benchmarks.learning.learners import Online
from benchmarks.learning.program import setups
from benchmarks.learning.program_forward import draw
from benchmarks.learning.select import program
from models.lstm import LSTM
from models.lstm97.net import Net97
from models.network import Recurrent
from tasks.adding import Adding
from tasks.lag import Lag2c
from tasks.reber import Reber
from tasks.temporal_order import TemporalOrder6a
from tasks.two_sequence import TwoSequence3b
from tests.support.tiny import RECIPE

USUAL = {"xla_backend_optimization_level": 3}  # but for conftest.py
SEQUENCES = 40


def both_ways(function, options, *arguments):
    """Results with the options and with the usual ones."""
    for each in (options, USUAL):
        yield jax.jit(function, compiler_options=each)(*arguments)


def assert_trained_alike(mine, theirs, start):
    assert (mine.seen == SEQUENCES).all()
    moved = 0.0
    leaves = map(jax.tree.leaves, (mine.params, theirs.params, start.params))
    for a, b, before in zip(*leaves, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
        moved = max(moved, np.abs(a - before).max())
    assert moved > 1e-3


def test_options_of_lanes():
    run = program(replace(RECIPE, model=Recurrent(LSTM, 16)))
    setup = setups(0, range(4), [0.01] * 4)
    start = jax.jit(jax.vmap(run._start))(setup)
    drawn = run.source.training(setup.key, start.seen, SEQUENCES, None)
    trained = both_ways(jax.vmap(run._train), xla.LANE_OPTIONS, setup, start, drawn)
    assert_trained_alike(*trained, start)


def test_initial_weights_compiled_quickly():
    run = program(replace(RECIPE, model=Recurrent(LSTM, 16)))
    mine, usual = both_ways(
        jax.vmap(run._start), xla.QUICK_COMPILE_OPTIONS, setups(0, range(4), [0.1] * 4)
    )
    jax.tree.map(np.testing.assert_array_equal, mine.params, usual.params)  # not one bit


@pytest.mark.parametrize("task", [Adding(20), TemporalOrder6a(20), TwoSequence3b(20, 2)], ids=repr)
def test_sequences_compiled_quickly(task):
    each = jax.vmap(lambda key: jax.vmap(task.sample)(jax.random.split(key, 30)))
    mine, usual = both_ways(each, xla.QUICK_COMPILE_OPTIONS, setups(0, range(4), [0.1] * 4).key)
    for one, other in zip(mine, usual, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_the_sets_of_a_finite_task_compiled_quickly():
    keys = setups(0, range(4), [0.1] * 4).sets_key
    mine, usual = both_ways(jax.vmap(Reber().draw_sets), xla.QUICK_COMPILE_OPTIONS, keys)
    jax.tree.map(np.testing.assert_array_equal, mine, usual)


def test_options_of_loops():
    model = Net97(2, 2, "all", (-3.0, -6.0))
    run = program(replace(RECIPE, task=Adding(20), model=model, learner=Online()))
    setup = setups(0, range(16), [0.5] * 16)
    start = run.start(setup)
    drawn = run.source.training(setup.key, start.seen, SEQUENCES, None)
    trained = both_ways(run._train_lanes, xla.LOOP_OPTIONS, setup, start, drawn)
    assert_trained_alike(*trained, start)


@pytest.mark.parametrize("task", [Adding(20), Lag2c(5, 10), TwoSequence3b(20, 2)], ids=repr)
def test_options_of_drawing(task):
    keys = setups(0, range(16), [0.5] * 16).key
    each = jax.vmap(lambda key: jax.vmap(functools.partial(draw, task))(jax.random.split(key, 30)))
    mine, usual = both_ways(each, xla.DRAWING_OPTIONS, keys)
    for one, other in zip(mine, usual, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


ALL = {
    xla.quick_compile_options: xla.QUICK_COMPILE_OPTIONS,
    xla.lane_options: xla.LANE_OPTIONS,
    xla.loop_options: xla.LOOP_OPTIONS,
    xla.drawing_options: xla.DRAWING_OPTIONS,
}


@pytest.mark.parametrize("options", ALL)
def test_they_can_be_turned_off(options):
    assert not xla.ON  # conftest.py has done so
    assert options("cpu") is None


@pytest.mark.parametrize("options", ALL)
def test_they_are_of_a_cpu(monkeypatch, options):
    monkeypatch.setattr(xla, "ON", True)
    assert options("cpu") == ALL[options]
    assert options("gpu") is None


@pytest.mark.parametrize("size", xla.NEVER_COMPILED)
def test_products_that_llvm_never_finishes_are_not_written_into_the_code(monkeypatch, size):
    monkeypatch.setattr(xla, "ON", True)
    assert xla.lane_options("cpu", {1, size}) is None
    assert xla.lane_options("cpu", {1, 13, 16}) == xla.LANE_OPTIONS


IN_LITTLE_MEMORY = """
import resource
from benchmarks.learning.lanes import Lanes, Run
from models.gru import GRU
from models.network import Recurrent
from tests.support.tiny import experiment
from benchmarks.learning.learners import Adam
resource.setrlimit(resource.RLIMIT_AS, (8 * 10**9, 8 * 10**9))
tried = experiment(model=Recurrent(GRU, 15), learner=Adam(batch=20), budget=800)
Lanes(0, [Run(tried, 0)]).advance()
"""


@pytest.mark.slow
def test_a_gru_of_15_units_compiles_in_little_memory():
    of_the_tests = {"BENCHMARKS_XLA", "XLA_FLAGS"}
    env = {name: value for name, value in os.environ.items() if name not in of_the_tests}
    subprocess.run([sys.executable, "-c", IN_LITTLE_MEMORY], check=True, timeout=300, env=env)


@pytest.mark.parametrize("on", [True, False])
def test_the_flags_of_a_process_are_added_to_those_it_has(monkeypatch, on):
    monkeypatch.setattr(xla, "ON", on)
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    xla.set_loop_flag()
    assert os.environ["XLA_FLAGS"] == (f"--mine {xla.LOOP_FLAG}" if on else "--mine")

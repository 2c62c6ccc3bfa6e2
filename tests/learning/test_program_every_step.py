import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Run
from benchmarks.learning.learners import LinearOutput, Online, PlainDelta, Stepwise
from benchmarks.learning.program import setups
from benchmarks.learning.select import program
from models.lstm97 import every_step, lag_every_step
from models.lstm97.forward import Reading, from_params, to_params
from models.lstm97.lag_net import CentredLagNet97, Growth, LagNet97
from models.lstm97.net import HalfReset97, IdentityH97, Net97, Shortcuts97, Simulator97
from models.network import Recurrent
from models.rnn import RNN
from tasks.lag import Lag2a, Lag2aInTurn, Lag2b, Lag2bEndError
from tasks.reber import Reber, ReberAllLegal, ReberInOrder
from tests.support import oracle97
from tests.support.both_ways import trained_both_ways
from tests.support.training import train

follow = jax.jit(every_step.follow, static_argnames=("at_once", "reading"))
all_outputs = jax.jit(every_step.outputs, static_argnames="reading")

T, TRIALS, LENGTHS = 6, 3, np.array([6, 4, 1])


@pytest.fixture
def _double_precision():
    with jax.enable_x64(True):
        yield


ENDS = {False: oracle97.at_the_end, True: oracle97.stepwise}


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize("at_once", ENDS)
@pytest.mark.parametrize(
    ("net", "bias"), [(Net97(2, 2, "gates"), 4), (Net97(3, 1), 0), (Net97(2, 1, "all"), 6)]
)
def test_blocks_follow_the_equations(net, bias, at_once):
    draw = np.random.default_rng(0)
    n_in, n_out, rates = 3, 2, np.array([0.5, 0.1, 0.3])
    state = nnx.state(nnx.eval_shape(lambda: net.build(n_in, n_out, nnx.Rngs(0))))
    params = jax.tree.map(lambda leaf: draw.uniform(-1, 1, (TRIALS, *leaf.shape)), state)
    inputs, targets = draw.normal(size=(T, n_in, TRIALS)), draw.uniform(size=(T, n_out, TRIALS))
    outputs, weights = follow(from_params(params), inputs, LENGTHS, targets, rates, at_once)
    changed = to_params(weights, params)
    for i, n in enumerate(LENGTHS):
        before, after = (for_oracle(net, p, i) for p in (params, changed))
        assert np.count_nonzero(before.hidden[-1]) == bias
        given = before, inputs[:n, :, i], targets[:n, :, i], rates[i]
        expected, wanted = ENDS[at_once](*given)
        np.testing.assert_allclose(outputs[:n, :, i], expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(after.hidden, wanted.hidden, rtol=0, atol=1e-12)
        np.testing.assert_allclose(after.readout, wanted.readout, rtol=0, atol=1e-12)


def for_oracle(net, params, i):
    """Weights of one trial as the oracle holds them."""
    pure = nnx.to_pure_dict(jax.tree.map(lambda leaf: np.asarray(leaf[i]), params))
    cell, readout = pure["cell"], pure["readout"]
    H, n_out = len(cell["W_h"]), readout["kernel"].shape[1]
    b = cell.get("b", np.zeros(0))
    hidden = [cell["W_x"], cell["W_h"], np.append(b, np.zeros(H - len(b)))[None]]
    bias = readout.get("bias", np.zeros(n_out))
    return oracle97.Net(
        net.blocks,
        net.size,
        np.concatenate(hidden),
        np.concatenate([readout["kernel"], bias[None]]),
    )


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize("kind", [Net97, HalfReset97, IdentityH97, Shortcuts97])
def test_outputs_alone_are_those_of_training(kind):
    net, draw = kind(2, 2, "all"), np.random.default_rng(0)
    reading = Reading(reset=net.reset, h=net.h)
    state = nnx.state(nnx.eval_shape(lambda: net.build(3, 2, nnx.Rngs(0))))
    weights = from_params(jax.tree.map(lambda w: draw.uniform(-1, 1, (1, *w.shape)), state))
    inputs, targets = draw.normal(size=(T, 3, TRIALS)), draw.uniform(size=(T, 2, TRIALS))
    lengths = LENGTHS - 1 + (LENGTHS == 1)  # none of them fills all steps
    each = jax.tree.map(lambda w: jnp.repeat(w, TRIALS, -1), weights)
    expected, _ = follow(each, inputs, lengths, targets, np.zeros(TRIALS), False, reading)
    found = all_outputs(weights, inputs, lengths, reading)
    for i, n in enumerate(lengths):
        np.testing.assert_allclose(found[:n, :, i], expected[:n, :, i], rtol=0, atol=1e-12)
        assert np.ptp(found[:n, :, i]) > 0
    np.testing.assert_array_equal(found[max(lengths) :], 0)


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("grown", [0.0, 1.0])
def test_the_net_of_2a_by_a_plain_loop(grown, at_once):
    draw = np.random.default_rng(0)
    state = nnx.state(nnx.eval_shape(lambda: LagNet97().build(5, 5, nnx.Rngs(0))))
    params = jax.tree.map(lambda leaf: draw.uniform(-1, 1, leaf.shape), state)
    symbols, length, rate = np.array([4, 0, 1, 0, 2, 3]), 5, 0.7
    inputs, targets = np.eye(5)[symbols], np.eye(5)[np.roll(symbols, -1)]
    scored = np.arange(len(symbols)) < length
    outputs, changed = lag_every_step.follow(params, inputs, scored, targets, rate, grown, at_once)

    hidden, direct, kernel = (
        np.array(params[name][...]) for name in ("hidden", "direct", "kernel")
    )
    changes = [np.zeros_like(leaf) for leaf in (hidden, direct, kernel)]
    s, ds = 0.0, np.zeros_like(hidden)
    for t in range(length):
        gate, squashed = oracle97.f(hidden.T @ inputs[t])
        s += grown * gate * squashed
        ds[:, 0] += grown * inputs[t] * gate * (1 - gate) * squashed
        ds[:, 1] += grown * inputs[t] * gate * squashed * (1 - squashed)
        y = oracle97.f(direct.T @ inputs[t] + s * kernel)
        np.testing.assert_allclose(outputs[t], y, rtol=0, atol=1e-12)
        e = y * (1 - y) * (targets[t] - y)
        steps = rate * (e @ kernel) * ds, rate * np.outer(inputs[t], e), rate * s * e
        changes = [old + new for old, new in zip(changes, steps, strict=True)]
        if at_once:
            hidden, direct, kernel = hidden + steps[0], direct + steps[1], kernel + steps[2]
    if not at_once:
        hidden, direct, kernel = (
            old + new for old, new in zip((hidden, direct, kernel), changes, strict=True)
        )
    for name, expected in (("hidden", hidden), ("direct", direct), ("kernel", kernel)):
        np.testing.assert_allclose(changed[name][...], expected, rtol=0, atol=1e-12)
    if not grown:
        np.testing.assert_array_equal(kernel, params["kernel"][...])


def rows(recipe, rate, indices):
    """Rows of these trials, without the time that they took."""
    tried = Experiment("tiny", 9, "lstm97", recipe, rate, trials=20)
    runs = [Run(tried, i) for i in indices]
    found = [row for block in train(0, runs) for result in block for row in result.rows]
    return {row["trial"]: {k: v for k, v in row.items() if k != "seconds"} for row in found}


def test_a_short_lag_is_learnt_and_a_row_does_not_depend_on_its_company():
    net = LagNet97(growth=Growth(window=50))
    recipe = Recipe(Lag2a(4), net, Stepwise(), Inspection(256, 0), 6000, 500, test_size=256)
    together = rows(recipe, 1.0, range(18))
    assert sum(row["outcome"] == "solved" for row in together.values()) >= 12
    assert rows(recipe, 1.0, [7])[7] == together[7]


REBER, BLOCKS = Reber(n_train=16, n_test=16), Net97(2, 2, "gates", None, (-1.0, -2.0), 0.5)
GROWING = LagNet97(growth=Growth(window=10))
NETS = {
    "blocks": (REBER, BLOCKS, Online(), 0.1),
    "blocks, half reset": (REBER, HalfReset97(2, 2, "gates", None, (-1.0, -2.0)), Online(), 0.1),
    "blocks, plain delta": (REBER, BLOCKS, PlainDelta(), 0.02),
    "2a": (Lag2a(5), GROWING, Online(), 0.5),
    "blocks, identity h": (REBER, IdentityH97(2, 2, "gates", None, (-1.0, -2.0)), Online(), 0.1),
    "blocks, shortcuts": (REBER, Shortcuts97(2, 2, "gates", None, (-1.0, -2.0)), Online(), 0.1),
    "blocks, simulator": (REBER, Simulator97(2, 2, "all", None, (-1.0, -2.0)), Online(), 0.1),
    "all legal": (ReberAllLegal(n_train=16, n_test=16), BLOCKS, Online(), 0.1),
    "2a, centred": (Lag2a(5), CentredLagNet97(growth=Growth(window=10)), Online(), 0.5),
    "2b": (Lag2b(5), GROWING, Online(), 0.5),
    "2b, end error": (Lag2bEndError(5), GROWING, Online(), 0.5),
    "2b, linear": (Lag2b(5), GROWING, LinearOutput(), 0.02),
}


@pytest.mark.parametrize("case", NETS)
def test_training_is_that_of_automatic_differentiation(case):
    """Same weights after a block, and same verdicts, up to rounding."""
    programs, mine, sequences = trained_both_ways(*NETS[case])
    for one, other in zip(*(each.verdicts(mine, sequences) for each in programs), strict=True):
        assert one.shape == (16, 40)
        np.testing.assert_allclose(one, other, atol=2e-5)


@pytest.mark.parametrize(
    ("task", "net", "period"),
    [(ReberInOrder(n_train=16, n_test=16), BLOCKS, 16), (Lag2aInTurn(5), GROWING, 2)],
    ids=["reber", "2a"],
)
def test_a_training_set_comes_in_its_order(task, net, period):
    recipe = Recipe(task, net, Online(), Inspection(task.n_train + task.n_test, 0), 40, 40)
    source, setup = program(recipe).source, setups(0, range(3), [0.1] * 3)
    sets = source.sets(setup.sets_key)
    sequences = source.training(setup.key, jnp.zeros(3, jnp.int32), 40, sets)
    given = np.asarray(sequences.inputs)
    assert len({each.tobytes() for each in given[0, :period]}) > 1
    later = source.training(setup.key, jnp.full(3, 7, jnp.int32), 5, sets)
    np.testing.assert_array_equal(later.inputs, given[:, 7:12])
    np.testing.assert_array_equal(given[:, :period], sets[0].inputs)
    np.testing.assert_array_equal(given[:, period:], given[:, :-period])


def test_what_it_cannot_do_is_refused():
    recipe = Recipe(Reber(), Recurrent(RNN, 4), Stepwise(), Inspection(512, 0), 100)
    with pytest.raises(ValueError, match="net of 1997"):
        program(recipe)


def test_reber_strings_follow_too():
    net = Net97(3, 2, "gates", None, (-1.0, -2.0, -3.0), 0.2)
    recipe = Recipe(Reber(), net, Stepwise(), Inspection(512, 0), 200, 100, test_size=256)
    found = rows(recipe, 0.1, range(3))
    assert [row["seen"] for row in found.values()] == [200] * 3
    assert all(row["test_error"] < 0.5 for row in found.values())
    assert jnp.isfinite(found[0]["test_error"])

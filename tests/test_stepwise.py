import jax
import jax.numpy as jnp
import numpy as np
import oracle97
import pytest
from flax import nnx

from benchmarks import training
from benchmarks.criteria import Inspection
from benchmarks.experiment import Experiment, Recipe
from benchmarks.learners import Stepwise
from benchmarks.programs import program
from models import lag97_stepwise, lstm97_stepwise
from models.lag97 import Growth, LagNet97
from models.lstm97 import Net97
from models.lstm97_forward import from_params, to_params
from models.network import Recurrent
from models.rnn import RNN
from tasks.lag import Lag2a
from tasks.reber import Reber

T, TRIALS, LENGTHS = 6, 3, np.array([6, 4, 1])


@pytest.fixture
def _double_precision():
    with jax.enable_x64(True):
        yield


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize(
    ("net", "bias"), [(Net97(2, 2, "gates"), 4), (Net97(3, 1), 0), (Net97(2, 1, "all"), 6)]
)
def test_blocks_follow_the_equations_with_weights_that_change_at_every_step(net, bias):
    draw = np.random.default_rng(0)
    n_in, n_out, rates = 3, 2, np.array([0.5, 0.1, 0.3])
    state = nnx.state(nnx.eval_shape(lambda: net.build(n_in, n_out, nnx.Rngs(0))))
    params = jax.tree.map(lambda leaf: draw.uniform(-1, 1, (TRIALS, *leaf.shape)), state)
    inputs, targets = draw.normal(size=(T, n_in, TRIALS)), draw.uniform(size=(T, n_out, TRIALS))
    outputs, weights = lstm97_stepwise.follow(from_params(params), inputs, LENGTHS, targets, rates)
    changed = to_params(weights, params)
    for i, n in enumerate(LENGTHS):
        before, after = (for_oracle(net, p, i) for p in (params, changed))
        assert np.count_nonzero(before.hidden[-1]) == bias
        expected, wanted = oracle97.stepwise(before, inputs[:n, :, i], targets[:n, :, i], rates[i])
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
@pytest.mark.parametrize("grown", [0.0, 1.0])
def test_the_net_of_2a_by_a_plain_loop(grown):
    draw = np.random.default_rng(0)
    state = nnx.state(nnx.eval_shape(lambda: LagNet97().build(5, 5, nnx.Rngs(0))))
    params = jax.tree.map(lambda leaf: draw.uniform(-1, 1, leaf.shape), state)
    symbols, length, rate = np.array([4, 0, 1, 0, 2, 3]), 5, 0.7
    inputs, targets = np.eye(5)[symbols], np.eye(5)[np.roll(symbols, -1)]
    outputs, changed = lag97_stepwise.follow(params, inputs, length, targets, rate, grown)

    hidden, direct, kernel = (
        np.array(params[name][...]) for name in ("hidden", "direct", "kernel")
    )
    s, ds = 0.0, np.zeros_like(hidden)
    for t in range(length):
        gate, squashed = oracle97.f(hidden.T @ inputs[t])
        s += grown * gate * squashed
        ds[:, 0] += grown * inputs[t] * gate * (1 - gate) * squashed
        ds[:, 1] += grown * inputs[t] * gate * squashed * (1 - squashed)
        y = oracle97.f(direct.T @ inputs[t] + s * kernel)
        np.testing.assert_allclose(outputs[t], y, rtol=0, atol=1e-12)
        e = y * (1 - y) * (targets[t] - y)
        hidden, direct, kernel = (
            hidden + rate * (e @ kernel) * ds,
            direct + rate * np.outer(inputs[t], e),
            kernel + rate * s * e,
        )
    for name, expected in (("hidden", hidden), ("direct", direct), ("kernel", kernel)):
        np.testing.assert_allclose(changed[name][...], expected, rtol=0, atol=1e-12)
    if not grown:
        np.testing.assert_array_equal(kernel, params["kernel"][...])


def rows(recipe, rate, indices):
    """Rows of these trials, without the time that they took."""
    tried = Experiment("tiny", 9, "lstm97", recipe, rate, trials=20)
    runs = [training.Run(tried, i) for i in indices]
    found = [row for block in training.train(0, runs) for news in block for row in news.rows]
    return {row["trial"]: {k: v for k, v in row.items() if k != "seconds"} for row in found}


def test_a_short_lag_is_learnt_and_a_row_does_not_depend_on_its_company():
    net = LagNet97(growth=Growth(window=50))
    recipe = Recipe(Lag2a(4), net, Stepwise(), Inspection(256, 0), 6000, 500, test_size=256)
    together = rows(recipe, 1.0, range(18))
    assert sum(row["outcome"] == "solved" for row in together.values()) >= 12
    assert rows(recipe, 1.0, [7])[7] == together[7]


def test_what_it_cannot_do_is_refused():
    recipe = Recipe(Reber(), Recurrent(RNN, 4), Stepwise(), Inspection(512, 0), 100)
    with pytest.raises(ValueError, match="networks of 1997"):
        program(recipe)


def test_reber_strings_follow_too():
    net = Net97(3, 2, "gates", None, (-1.0, -2.0, -3.0), 0.2)
    recipe = Recipe(Reber(), net, Stepwise(), Inspection(512, 0), 200, 100, test_size=256)
    found = rows(recipe, 0.1, range(3))
    assert [row["seen"] for row in found.values()] == [200] * 3
    assert all(row["test_error"] < 0.5 for row in found.values())
    assert jnp.isfinite(found[0]["test_error"])

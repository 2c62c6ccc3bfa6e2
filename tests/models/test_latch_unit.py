import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.latch_unit import LatchNet, LatchUnit, LatchUnitI
from tasks.latch import LatchI, LatchII
from tests.support.drawing import draw, judge

CELLS = {LatchUnitI: 3, LatchUnit: 1}
EACH = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)
T, BATCH = 12, 5


def made(cell, seed=0):
    return LatchNet(cell).build(CELLS[cell], 1, nnx.Rngs(seed))


def numbers(net):
    """Weights (w, u, b) of a net in float64."""
    cell = net.cell
    b = cell.b[...] if hasattr(cell, "b") else [0.0]
    return [np.asarray(leaf, np.float64) for leaf in (cell.w[...], cell.u[...], b)]


def sequences(cell, seed=1):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(0, 1, (BATCH, T, CELLS[cell]))
    return inputs, np.array([1, 4, T, T - 1, 2])


def oracle(cell, weights, inputs, length):
    """Activations of one sequence and their derivatives by (w, u, b), by hand, in float64."""
    w, u, b = weights
    y, slopes, outputs, derivatives = 0.0, np.zeros(2 + len(u)), [], []
    for step in range(length):
        x = inputs[step]
        if cell is LatchUnitI:
            net, direct = w * y + u[0] * x[0] + u[1] * x[1] + x[2], [y, x[0], x[1], 0.0]
        else:
            net, direct = w * y + u[0] * x[0] + b[0], [y, x[0], 1.0]
        y, slopes = np.tanh(net), (1 - np.tanh(net) ** 2) * (np.array(direct) + w * slopes)
        outputs.append(y)
        derivatives.append(slopes)
    return np.array(outputs), np.array(derivatives)


@EACH
def test_outputs_are_those_of_the_equation(cell):
    net = made(cell)
    inputs, lengths = sequences(cell)
    outputs = np.asarray(net(jnp.asarray(inputs, jnp.float32), jnp.asarray(lengths)))
    last = np.asarray(net.last(jnp.asarray(inputs, jnp.float32), jnp.asarray(lengths)))
    assert outputs.shape == (BATCH, T, 1)
    assert last.shape == (BATCH, 1)
    for i, n in enumerate(lengths):
        expected = oracle(cell, numbers(net), inputs[i], n)[0]
        np.testing.assert_allclose(outputs[i, :n, 0], expected, atol=2e-6)
        np.testing.assert_allclose(last[i, 0], expected[-1], atol=2e-6)


@EACH
def test_gradients_are_those_of_the_equation(cell):
    graph, params = nnx.split(made(cell), nnx.Param)
    inputs, lengths = sequences(cell)

    def loss(params):
        net = nnx.merge(graph, params)
        return jnp.sum(net.last(jnp.asarray(inputs, jnp.float32), jnp.asarray(lengths)) ** 2)

    found = numbers(nnx.merge(graph, jax.grad(loss)(params)))
    weights = numbers(nnx.merge(graph, params))
    expected = 0
    for line, n in zip(inputs, lengths, strict=True):
        outputs, derivatives = oracle(cell, weights, line, n)
        expected = expected + 2 * outputs[-1] * derivatives[-1]
    np.testing.assert_allclose(np.hstack(found), expected, rtol=2e-4, atol=1e-6)


@EACH
def test_three_weights_and_where_they_start(cell):
    found = [numbers(made(cell, seed)) for seed in range(200)]
    assert all(w == 1.25 for w, _, _ in found)
    leaves = jax.tree.leaves(nnx.state(made(cell), nnx.Param))
    assert sum(leaf.size for leaf in leaves) == 3
    others = np.array([np.hstack([u, b])[:2] for _, u, b in found])
    assert abs(others).max() <= 0.5
    assert (others.min(0) < -0.45).all()
    assert (others.max(0) > 0.45).all()
    assert abs(np.corrcoef(others.T)[0, 1]) < 0.3
    assert (numbers(made(cell, 7))[1] == numbers(made(cell, 7))[1]).all()


@pytest.mark.parametrize(
    ("task", "cell", "weights"),
    [
        (LatchI(50), LatchUnitI, (9.0, [9.0, -9.0])),
        (LatchII(50), LatchUnit, (9.0, [2.0])),
    ],  # u enlarges the noise
    ids=str,
)
def test_a_large_weight_to_itself_latches(task, cell, weights):
    net = made(cell)
    net.cell.w[...], net.cell.u[...] = jnp.asarray(weights[0]), jnp.asarray(weights[1])
    if cell is LatchUnit:
        net.cell.b[...] = jnp.zeros(1)
    s = draw(task, 500)

    def right():
        outputs = np.asarray(net.last(jnp.asarray(s.inputs), jnp.asarray(s.length)))
        everywhere = np.broadcast_to(outputs[:, None], s.targets.shape)
        return 1 - judge(task, everywhere, s)[1].mean()

    assert right() == 1
    net.cell.w[...] = jnp.asarray(0.5)  # one attractor only
    assert right() < 0.65


@EACH
def test_other_widths_are_refused_in_one_line(cell):
    for widths in ((2, 1), (CELLS[cell], 2)):
        with pytest.raises(
            ValueError, match=f"{cell.__name__} has {CELLS[cell]} inputs"
        ) as refusal:
            LatchNet(cell).build(*widths, nnx.Rngs(0))
        assert "\n" not in str(refusal.value)

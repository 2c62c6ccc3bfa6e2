import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from models.lstm97.net import squared_error
from models.rivals.elman import ElmanNet
from models.rivals.fully_recurrent import FullyRecurrentNet
from models.rivals.shortcut import PlainDeltaShortcutNet, ShortcutNet
from tests.support import rivals
from tests.support.drawing import QUICKLY_COMPILED

N_IN, N_OUT = 4, 3
SYMBOLS = np.array([3, 0, 1, 1, 2, 0, 0])
INPUTS, LENGTH, RATE = np.eye(N_IN)[SYMBOLS], 5, 0.7
TARGETS = np.random.default_rng(5).uniform(size=(len(SYMBOLS), N_OUT))
NETS = [FullyRecurrentNet(2), ShortcutNet(1), ShortcutNet(3), ElmanNet(4)]
EACH = pytest.mark.parametrize("net", NETS, ids=str)
ONCE = pytest.mark.parametrize("at_once", [False, True])


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def weights(net, n_in=N_IN, n_out=N_OUT):
    """Weights of a net in double precision, larger than initial ones; and its structure."""
    draw = np.random.default_rng(0)
    graph, state = nnx.split(nnx.eval_shape(lambda: net.build(n_in, n_out, nnx.Rngs(0))))
    return graph, jax.tree.map(lambda leaf: draw.uniform(-1, 1, leaf.shape), state)


def count(net, n_in, n_out):
    return sum(leaf.size for leaf in jax.tree.leaves(weights(net, n_in, n_out)[1]))


def arrays(params):
    """Arrays by name, without the names of their modules."""
    flat = nnx.to_flat_state(params)
    return {path[-1]: np.asarray(leaf[...]) for path, leaf in flat}


def follow(net, params, at_once=False):
    given = (*map(jnp.asarray, (INPUTS, LENGTH, TARGETS)), RATE)
    follow = jax.jit(net.follow, static_argnums=5, compiler_options=QUICKLY_COMPILED)
    outputs, changed = follow(params, *given, at_once)
    np.testing.assert_array_equal(outputs[LENGTH:], 0)
    return np.asarray(outputs[:LENGTH]), arrays(changed)


def test_the_weights_of_tables_1_and_2():
    """HS97 estimates 170, 494 and 435; 36, 144 and 10,404 are exact."""
    assert [count(FullyRecurrentNet(h), 7, 7) for h in (3, 12)] == [170, 494]
    assert count(ElmanNet(15), 7, 7) == 435
    assert [count(ShortcutNet(), p + 1, p + 1) for p in (4, 10, 100)] == [36, 144, 10404]


@ONCE
def test_rtrl_is_williams_and_zipsers(at_once):
    net = FullyRecurrentNet(2)
    _, params = weights(net)
    before = arrays(params)
    outputs, changed = follow(net, params, at_once)
    expected, W_x, W_h = rivals.fully_recurrent(
        before["W_x"], before["W_h"], INPUTS[:LENGTH], TARGETS[:LENGTH], RATE, at_once
    )
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(changed["W_x"], W_x, rtol=0, atol=1e-12)
    np.testing.assert_allclose(changed["W_h"], W_h, rtol=0, atol=1e-12)


@pytest.mark.parametrize("hidden", [1, 3])
def test_rtrl_of_experiment_2_is_bptt_by_hand(hidden):
    net = ShortcutNet(hidden)
    _, params = weights(net)
    names, before = ("W_x", "W_h", "direct", "kernel"), arrays(params)
    outputs, changed = follow(net, params)
    expected, moves = rivals.shortcut_bptt(
        *(before[name] for name in names), INPUTS[:LENGTH], TARGETS[:LENGTH]
    )
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-12)
    for name, move in zip(names, moves, strict=True):
        np.testing.assert_allclose(changed[name], before[name] + RATE * move, rtol=0, atol=1e-12)


@ONCE
def test_elmans_procedure_is_a_feedforward_step_each(at_once):
    net = ElmanNet(4)
    _, params = weights(net)
    names, before = ("W_x", "W_h", "kernel"), arrays(params)
    outputs, changed = follow(net, params, at_once)
    expected, wanted = rivals.elman(
        *(before[name] for name in names), INPUTS[:LENGTH], TARGETS[:LENGTH], RATE, at_once
    )
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-12)
    for name, weight in zip(names, wanted, strict=True):
        np.testing.assert_allclose(changed[name], weight, rtol=0, atol=1e-12)


def cross_entropy(nets, targets):
    """Its derivative by a net input is y - target."""
    return optax.sigmoid_binary_cross_entropy(nets, targets).sum(-1)


@pytest.mark.parametrize(
    ("net", "error"),
    [*((net, squared_error) for net in NETS), (PlainDeltaShortcutNet(3), cross_entropy)],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_forward_mode_is_backpropagation_through_time(net, error):
    """`jax.grad` of the unrolled net is full BPTT; of Elman's it stops at the context."""
    graph, params = weights(net)

    def loss(params):
        answers = nnx.merge(graph, params)(jnp.asarray(INPUTS), jnp.asarray(LENGTH))
        return error(answers, TARGETS)[:LENGTH].sum(), jax.nn.sigmoid(answers)

    gradient, answers = jax.grad(loss, has_aux=True)(params)
    outputs, changed = follow(net, params)
    np.testing.assert_allclose(outputs, answers[:LENGTH], rtol=0, atol=1e-12)
    for name, slope in arrays(gradient).items():
        wanted = arrays(params)[name] - RATE * slope
        np.testing.assert_allclose(changed[name], wanted, rtol=0, atol=1e-12)
        assert np.abs(slope).max() > 0


def test_the_net_of_experiment_2_changes_after_a_sequence_only():
    _, params = weights(ShortcutNet())
    with pytest.raises(ValueError, match="after every sequence"):
        follow(ShortcutNet(), params, at_once=True)


@EACH
def test_initial_weights_are_uniform_in_their_range(net):
    drawn = np.concatenate(
        [
            leaf.ravel()
            for seed in range(5)
            for leaf in jax.tree.leaves(nnx.state(net.build(7, 7, nnx.Rngs(seed))))
        ]
    )
    assert 0.19 < np.abs(drawn).max() <= 0.2
    assert abs(np.mean(drawn < 0.1) - 0.75) < 0.06

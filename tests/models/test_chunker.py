import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.rivals.chunker import ChunkerNet, StateChunkerNet
from tests.support import rivals
from tests.support.drawing import QUICKLY_COMPILED

SYMBOLS, K = np.array([4, 0, 1, 2, 0, 3, 1]), 5
INPUTS, TARGETS = np.eye(K)[SYMBOLS], np.eye(K)[np.roll(SYMBOLS, -1)]
LENGTH, RATE = 6, 0.7
NAMES = ("W_x", "W_h", "direct", "kernel")
NOTHING, EVERYTHING = 1.0, 0.0


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def made(net):
    """Structure and weights in double precision, larger than initial ones."""
    draw = np.random.default_rng(0)
    graph, state = nnx.split(nnx.eval_shape(lambda: net.build(K, K, nnx.Rngs(0))))
    return graph, jax.tree.map(lambda leaf: jnp.asarray(draw.uniform(-1, 1, leaf.shape)), state)


def arrays(params, part):
    return [np.asarray(nnx.to_pure_dict(params)[part][name]) for name in NAMES]


@pytest.mark.parametrize("kind", [ChunkerNet, StateChunkerNet])
@pytest.mark.parametrize(
    ("surprise", "hidden"), [(NOTHING, 1), (0.683, 1), (0.7, 2), (EVERYTHING, 1)]
)
def test_both_nets_learn_as_by_hand(surprise, hidden, kind):
    """The chunker on the list of unexpected symbols, the automatizer on all, by hand-made BPTT."""
    net = kind(hidden, surprise=surprise)
    _, params = made(net)
    given = (*map(jnp.asarray, (INPUTS, LENGTH, TARGETS)), RATE)
    follow = jax.jit(net.follow, static_argnums=5, compiler_options=QUICKLY_COMPILED)
    outputs, changed = follow(params, *given, False)
    own, theirs = arrays(params, "automatizer"), arrays(params, "chunker")
    inputs, targets = INPUTS[:LENGTH], TARGETS[:LENGTH]

    size = hidden + K if kind is StateChunkerNet else hidden
    unknown = np.zeros((LENGTH, K + size))
    predicted = rivals.shortcut_bptt(*own, inputs, unknown)[0][:, :K]
    np.testing.assert_allclose(outputs[:LENGTH], predicted, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(outputs[LENGTH:], 0)
    missed = [max(abs(y - t)) >= net.surprise for y, t in zip(predicted, targets, strict=True)]
    if surprise in (NOTHING, EVERYTHING):
        assert missed == [surprise == EVERYTHING] * LENGTH
    else:
        assert 1 < sum(missed[:-1]) < LENGTH - 1

    events = [0] + [t + 1 for t in range(LENGTH - 1) if missed[t]]  # steps whose input surprises
    seen = inputs[events]
    asked = [t for t in range(LENGTH) if missed[t]]  # steps whose target surprises, one per event
    learnt = len(asked)
    wanted = targets[asked]
    moves = rivals.shortcut_bptt(*theirs, seen[:learnt], wanted)[1]
    for new, old, move in zip(arrays(changed, "chunker"), theirs, moves, strict=True):
        np.testing.assert_allclose(new, old + RATE * move, rtol=0, atol=1e-12)

    u, states = np.zeros(hidden), []
    for t in range(LENGTH):
        if t in events:
            u = rivals.f(inputs[t] @ theirs[0] + u @ theirs[1])
            guess = rivals.f(inputs[t] @ theirs[2] + u @ theirs[3])
        states.append(np.concatenate([u, guess])[:size])
    moves = rivals.shortcut_bptt(*own, inputs, np.concatenate([targets, states], 1))[1]
    for new, old, move in zip(arrays(changed, "automatizer"), own, moves, strict=True):
        np.testing.assert_allclose(new, old + RATE * move, rtol=0, atol=1e-12)


def test_the_paper_counts_the_automatizer():
    network = nnx.eval_shape(lambda: ChunkerNet().build(101, 101, nnx.Rngs(0)))
    sizes = [
        sum(leaf.size for leaf in jax.tree.leaves(nnx.state(net)))
        for net in (network.automatizer, network.chunker)
    ]
    assert sizes == [10506, 10404]


def test_what_is_judged_is_what_the_automatizer_predicts():
    net = ChunkerNet()
    graph, params = made(net)
    given = map(jnp.asarray, (INPUTS, LENGTH, TARGETS))
    outputs, _ = net.follow(params, *given, jnp.asarray(RATE), False)
    answers = nnx.merge(graph, params)(jnp.asarray(INPUTS), jnp.asarray(LENGTH))
    np.testing.assert_allclose(outputs[:LENGTH], jax.nn.sigmoid(answers)[:LENGTH], atol=1e-12)


def test_it_learns_after_a_sequence_only():
    _, params = made(ChunkerNet())
    with pytest.raises(ValueError, match="after every sequence"):
        ChunkerNet().follow(params, INPUTS, LENGTH, TARGETS, RATE, True)

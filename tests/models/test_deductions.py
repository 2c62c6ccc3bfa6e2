"""What docs/FIDELITY.md says must follow from the nets of 1997, before any of them is trained."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.lstm97.lag_net import LagNet97
from models.lstm97.net import Net97, squared_error
from tasks.lag import Lag2a, Lag2b, Lag2c
from tasks.sequence import Sequence
from tests.support.drawing import draw

P = 100
X, Y = P - 1, P  # numbers of the two symbols that have to be told apart
TASK_2B = Lag2b(P)
FEW = 200


def params_2b(gain, offset):
    """Weights with which s is 1 in sequences that begin with y, else 0, and that answer by it."""
    never, always = -30.0, 30.0
    hidden = np.full((P + 1, 2), never)
    hidden[Y] = always
    direct, kernel = np.full((P + 1, P + 1), -6.0), np.zeros(P + 1)
    direct[:X, X], kernel[X] = offset, -gain
    direct[:X, Y], kernel[Y] = offset - gain, gain
    return {"hidden": hidden, "direct": direct, "kernel": kernel}


def network(params):
    graph = nnx.graphdef(nnx.eval_shape(lambda: LagNet97().build(P + 1, P + 1, nnx.Rngs(0))))
    return nnx.merge(graph, nnx.State({k: nnx.Param(jnp.float32(v)) for k, v in params.items()}))


@jax.jit
def nets(params, sequences):
    """Net inputs of the outputs, `[sequence, step, output]`."""
    return jax.vmap(network(params))(sequences.inputs, sequences.length)


@jax.jit
def share_wrong(params, sequences):
    outputs = jax.nn.sigmoid(nets(params, sequences))
    return jax.vmap(TASK_2B.judge)(outputs, sequences).wrong.mean()


@jax.jit
def error(params, sequences):
    """Mean over sequences of the error that is descended, summed over steps and outputs."""
    return squared_error(nets(params, sequences), sequences.targets).sum(1).mean()


@pytest.fixture(scope="module")
def sequences():
    return draw(TASK_2B, FEW)


SOLUTION = params_2b(gain=6.0, offset=3.0)


def test_2b_weights_that_meet_the_criterion_exist(sequences):
    assert share_wrong(SOLUTION, sequences) == 0


def test_2b_the_described_error_punishes_them(sequences):
    """The silent net misses one output a step; a solution also says x or y at every step."""
    silent = SOLUTION | {"direct": np.full((P + 1, P + 1), -6.0), "kernel": np.zeros(P + 1)}
    less, more = (error(params, sequences) for params in (silent, SOLUTION))
    assert less == pytest.approx(P / 2, rel=0.02)
    assert more == pytest.approx(P / 2 + (P - 2) * 0.95**2 / 2, rel=0.02)


@jax.jit
def trained(params, sequences):
    """After one sequence after the other, at the paper's rate of 1."""

    def step(params, sequence):
        def loss(params):
            answers = network(params)(sequence.inputs, sequence.length)
            return squared_error(answers, sequence.targets).sum()

        return jax.tree.map(lambda w, g: w - g, params, jax.grad(loss)(params)), None

    return jax.lax.scan(step, params, sequences)[0]


@pytest.mark.parametrize(("seen", "wrong"), [(1, 0.5), (100, 1)])
def test_2b_training_leaves_them_with_the_first_sequence(sequences, seen, wrong):
    solution = {name: jnp.float32(value) for name, value in SOLUTION.items()}
    params = trained(solution, Sequence(*(leaf[:seen] for leaf in sequences)))
    assert share_wrong(params, sequences) == pytest.approx(wrong, abs=0.02)
    assert error(params, sequences) == pytest.approx({1: 73, 100: 52}[seen], abs=0.5)


def test_2b_the_state_never_falls_so_one_of_the_two_answers_comes_early():
    """Whatever the weights: a unit whose answer falls with s is on earlier, if it is at the end."""
    for seed in range(5):
        weights = np.random.default_rng(seed).normal(0, 3, (P + 1, 2))
        params = SOLUTION | {"hidden": weights, "direct": np.zeros((P + 1, P + 1))}
        falling = params | {"kernel": np.full(P + 1, -1.0)}
        (answers,) = nets(falling, draw(TASK_2B, 1))
        assert (np.diff(answers[:, X]) <= 0).all()


def test_2a_the_state_grows_by_a_quarter_a_step():
    """g in [0, 1] without biases: 25 at the end, where the cell has been there from the start."""
    sequence = jax.tree.map(lambda leaf: leaf[0], draw(Lag2a(P), 1))
    hidden = jax.jit(lambda: LagNet97().build(P + 1, P + 1, nnx.Rngs(0)).hidden[...])()
    y_in, squashed = jax.nn.sigmoid(sequence.inputs @ hidden).T
    assert float((y_in * squashed).sum()) == pytest.approx(P / 4, rel=0.05)


@pytest.mark.parametrize(("s", "nearer"), [(5.6, True), (5.7, False)])
def test_2a_a_step_at_rate_1_overshoots_from_a_state_of_sqrt_32(s, nearer):
    """The net cannot tell x from y yet, and both are as frequent: the best answer is 1/2."""

    @jax.grad
    def gradient(w):
        both = jnp.array([[0.0], [1.0]])
        return squared_error(jnp.full((2, 1), w * s), both).mean()

    for w in (-1e-3, 1e-3):
        assert (abs(w - gradient(w)) < abs(w)) == nearer == (s < 32**0.5)


@pytest.mark.parametrize("init_range", [0.2, 0.02])
def test_2c_states_drift_in_proportion_to_steps_and_initial_range(init_range):
    q, trials = 100, 100
    task, net = Lag2c(p=q, q=q), Net97(2, 1, init_range=init_range)
    sequences = draw(task, trials)

    @jax.jit
    @jax.vmap
    def states(key, inputs):
        cell = net.build(task.n_in, task.n_out, nnx.Rngs(key)).cell
        carry = cell.initialize_carry((task.n_in,), nnx.Rngs(0))
        return jax.lax.scan(lambda c, x: (cell(c, x)[0], None), carry, inputs[:q])[0]

    carry = states(jax.random.split(jax.random.key(0), trials), sequences.inputs)
    spread = np.std(carry[0])
    assert spread == pytest.approx(0.058 * q * init_range / 0.2, rel=0.25)

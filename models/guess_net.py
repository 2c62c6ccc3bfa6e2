"""The small recurrent nets whose weights Schmidhuber, Hochreiter & Bengio 2001 guess: A1 and A2."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import uniform


class GuessNetwork(nnx.Module):
    r"""Logistic hidden units and one logistic output unit, connected in one of two ways.

    In a step the hidden units come first: they see the input and the activations of the step
    before. The output then sees the input and the hidden units of the same step:

    .. math::

        h_i(t) &= \sigma(u_i x_t + \sum_j w_{ij} h_j(t-1) + v_i o(t-1) + b_i) \\
        o(t) &= \sigma(u x_t + \sum_j w_j h_j(t) + v \, o(t-1) + b)

    A1 has all of these but b, the bias of the output: n (n + 3) + n + 2 weights. A2 has of
    :math:`w_{ij}` only :math:`w_{ii}`, or not even that, and no v: 5 n + 2 or 4 n + 2 weights.

    Attributes:
        weights: all weights in one vector: of each hidden unit in turn, then of the output, each
            in the order of the equations.
    """

    def __init__(self, net: "GuessNet", rngs: nnx.Rngs):
        self.net = net
        self.weights = nnx.Param(uniform(net.init_range)(rngs.params(), (net.weights,)))

    def last(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """Net input of the output `[1]` after the last step of one sequence `[T, 1]`."""
        weights = self.weights[...]

        def one(t, now):
            return self.net.step(weights, inputs[t, 0], now[0])

        zero = jnp.zeros((), weights.dtype)  # each unit a number: of many nets, a vector of them
        start = (zero,) * (self.net.hidden + 1), zero
        return jax.lax.fori_loop(0, length, one, start)[1][None]

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """Net inputs of the output `[T, 1]` at every step of one sequence `[T, 1]`."""
        del length
        weights = self.weights[...]
        start = (jnp.zeros((), weights.dtype),) * (self.net.hidden + 1)
        step = jax.lax.scan(lambda units, x: self.net.step(weights, x, units), start, inputs[:, 0])
        return step[1][:, None]


@dataclass(frozen=True)
class GuessNet:
    """Recipe of such a net, for one input line and one answer.

    Attributes:
        hidden: n.
        full: whether it is A1, all units connected with all; else A2.
        to_itself: whether hidden units of A2 see themselves.
        init_range: r; weights are uniform in [-r, r].
    """

    hidden: int
    full: bool = True
    to_itself: bool = True
    init_range: float = 100.0

    growth = None
    batched = False

    @property
    def weights(self) -> int:
        """How many there are."""
        n = self.hidden
        if self.full:
            return n * (n + 3) + n + 2  # FIDELITY G1
        return n * (3 + self.to_itself) + n + 2

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> GuessNetwork:
        """A net with weights that depend on `rngs` only."""
        if (n_in, n_out) != (1, 1):
            raise ValueError(f"a GuessNet has 1 input and 1 output, not {n_in} and {n_out}")
        return GuessNetwork(self, rngs)

    def step(
        self, weights: jax.Array, x: jax.Array, units: tuple[jax.Array, ...]
    ) -> tuple[tuple[jax.Array, ...], jax.Array]:
        """The activations (hidden units, output) a step later, and the output's net input."""
        *hidden, output = units
        given = iter(weights)
        new = []
        for i in range(self.hidden):
            net = next(given) * x
            for j, h in enumerate(hidden):
                if self.full or (self.to_itself and i == j):
                    net = net + next(given) * h
            new.append(jax.nn.sigmoid(net + next(given) * output + next(given)))
        net = next(given) * x
        for h in new:  # FIDELITY G2
            net = net + next(given) * h
        net = net + (next(given) * output if self.full else next(given))
        return (*new, jax.nn.sigmoid(net)), net


A1_1, A1_2, A1_3 = GuessNet(1), GuessNet(2), GuessNet(3)
A2, A2_WITHOUT_SELF = GuessNet(10, full=False), GuessNet(10, full=False, to_itself=False)

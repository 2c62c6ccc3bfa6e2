"""Memory-cell blocks as of 1997, and the networks of experiments 1, 2c and 3 to 6.

Equation numbers are those of Hochreiter & Schmidhuber, Long Short-Term Memory, 1997.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from models.network import Network

Bias = Literal["none", "gates", "hidden", "all"]


def g(net: jax.Array) -> jax.Array:
    """Squashes the net input of a cell to [-2, 2], equation (5)."""
    return 2 * jnp.tanh(net / 2)  # FIDELITY L4


def h(state: jax.Array) -> jax.Array:
    """Squashes the state of a cell to [-1, 1], equation (4)."""
    return jnp.tanh(state / 2)  # FIDELITY L4


class Squash(NamedTuple):
    """A function that squashes what a unit gets.

    Attributes:
        activate: argument -> value.
        slope: value -> derivative.
    """

    activate: Callable[[jax.Array], jax.Array]
    slope: Callable[[jax.Array], jax.Array]


H = Squash(h, lambda y: (1 - y**2) / 2)
"""That of a cell's state, equation (4)."""
G = Squash(g, lambda y: 1 - y**2 / 4)
"""That of a cell's net input, equation (5)."""
LOGISTIC_G = Squash(jax.nn.sigmoid, lambda y: y * (1 - y))
"""That of a cell's net input in experiments 2a and 2b."""
IDENTITY = Squash(lambda s: s, jnp.ones_like)
"""No squashing."""


def squared_error(net: jax.Array, targets: jax.Array) -> jax.Array:
    """Half the squared error of logistic output units, summed over them.

    Minus its derivative by the net input is f'(net) (target - output), equation (19).

    Args:
        net: `[..., n_out]`, net inputs of the output units.
        targets: `[..., n_out]`.

    Returns:
        `[...]`.
    """
    return 0.5 * jnp.sum((targets - jax.nn.sigmoid(net)) ** 2, -1)  # FIDELITY L8


def uniform(limit: float) -> Callable[..., jax.Array]:
    """Initialiser that draws weights uniformly from [-limit, limit]."""

    def draw(key: jax.Array, shape: tuple[int, ...], dtype=jnp.float32) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -limit, limit)  # FIDELITY L5

    return draw


class LSTM97(nnx.RNNCellBase):
    r"""Memory-cell blocks without forget gates, equations (3) to (9).

    A block is `size` cells that share an output gate and an input gate. With
    :math:`u = (y^{out}, y^{in}, y^c)`, the activations of all hidden units:

    .. math::

        net_t &= W_x x_t + W_h u_{t-1} + b \\
        y^{out}_t &= \sigma(net^{out}_t), \quad y^{in}_t = \sigma(net^{in}_t) \\
        s_t &= s_{t-1} + y^{in}_t \, g(net^c_t) \\
        y^c_t &= y^{out}_t \, h(s_t)

    Weights: H (n_in + H) + biases, with H = blocks (size + 2).

    Warning:
        `jax.grad` of this cell is the truncated gradient of the paper, unless `truncate=False`.

    Attributes:
        carried: names of the vectors of the carry.
        blocks: number of memory-cell blocks.
        size: cells per block.
        truncate: whether errors that reach a net input end there; the constant error carousel
            s_t = s_{t-1} + ... is then the only path back in time.
        reset: activations of gates and cells before the first step.
        h: squashes the state.
        shortcuts: whether the output is (y_c, x), so that inputs feed the output units.
        W_x: `[n_in, H]`; columns are output gates, input gates, cells block by block.
        W_h: `[H, H]`; rows and columns in that order.
        b: `[2 * blocks]` (gates), `[H]` (all hidden units) or None.
    """

    carried = ("s", "u")

    def __init__(
        self,
        in_features: int,
        blocks: int,
        size: int,
        *,
        bias: Literal["none", "gates", "hidden"] = "none",
        input_gate_bias: tuple[float, ...] | None = None,
        output_gate_bias: tuple[float, ...] | None = None,
        init_range: float = 0.1,
        truncate: bool = True,
        reset: float = 0.0,
        h: Squash = H,
        shortcuts: bool = False,
        drawn_too: bool = False,
        rngs: nnx.Rngs,
    ):
        self.blocks, self.size, self.truncate, self.reset = blocks, size, truncate, reset
        self.h, self.shortcuts = h, shortcuts
        units = self.hidden_features = blocks * (size + 2)
        draw = uniform(init_range)
        self.W_x = nnx.Param(draw(rngs.params(), (in_features, units)))
        self.W_h = nnx.Param(draw(rngs.params(), (units, units)))  # FIDELITY L3
        biased = {"none": 0, "gates": 2 * blocks, "hidden": units}[bias]
        b = draw(rngs.params(), (biased,))  # FIDELITY L6
        stated = (output_gate_bias, slice(blocks)), (input_gate_bias, slice(blocks, 2 * blocks))
        for values, gates in stated:
            if values is not None:
                b = b.at[gates].set(jnp.array(values, b.dtype) + drawn_too * b[gates])
        self.b = nnx.Param(b) if biased else nnx.data(None)

    def initialize_carry(
        self,
        input_shape: tuple[int, ...],
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry_init: nnx.Initializer | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        """States, all zero, and activations before the first step.

        Args:
            input_shape: `(..., n_in)`; leading axes are batch.
            rngs: not used.
            carry_init: not used.

        Returns:
            s `[..., blocks * size]` and u `[..., H]`.
        """
        batch, dtype = input_shape[:-1], self.W_h.dtype
        states = jnp.zeros((*batch, self.blocks * self.size), dtype)
        return states, jnp.full((*batch, self.hidden_features), self.reset, dtype)  # FIDELITY L9

    def gates(self, carry: tuple[jax.Array, jax.Array], x: jax.Array) -> dict[str, jax.Array]:
        """Activations of one step: out and in, `[..., blocks]`, and g, `[..., blocks * size]`."""
        gates, squashed = self._activations(carry, x)
        y_out, y_in = jnp.split(gates, 2, -1)
        return {"out": y_out, "in": y_in, "g": squashed}

    def __call__(
        self, carry: tuple[jax.Array, jax.Array], x: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        """One step: ((s, u), x `[..., n_in]`) -> ((new s, new u), y_c `[..., blocks * size]`).

        With shortcuts, x stands behind y_c.
        """
        s, _ = carry
        gates, squashed = self._activations(carry, x)
        y_out, y_in = jnp.split(jnp.repeat(gates, self.size, -1), 2, -1)
        s = s + y_in * squashed
        y_c = y_out * self.h.activate(s)
        new = s, jnp.concatenate([gates, y_c], -1)
        return new, jnp.concatenate([y_c, x], -1) if self.shortcuts else y_c

    def _activations(self, carry, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Of the gates, output gates first, and of the cells' inputs behind g."""
        _, u = carry
        if self.truncate:
            u = jax.lax.stop_gradient(u)  # FIDELITY L7
        net = x @ self.W_x + u @ self.W_h  # FIDELITY L2
        if self.b is not None:
            net += jnp.pad(self.b[...], (0, self.hidden_features - len(self.b)))
        return jax.nn.sigmoid(net[..., : 2 * self.blocks]), g(net[..., 2 * self.blocks :])

    @property
    def num_feature_axes(self) -> int:
        """Number of trailing axes of an input that are features rather than batch."""
        return 1


class ShortcutReadout(nnx.Module):
    """A readout of (y_c, x): of the cells as ever, and of the inputs.

    Attributes:
        kernel: `[cells, n_out]`.
        bias: `[n_out]` or None.
        direct: `[n_in, n_out]`, weights from the inputs.
    """

    def __init__(self, of_cells: nnx.Linear, direct: jax.Array):
        self.kernel, self.bias, self.direct = of_cells.kernel, of_cells.bias, nnx.Param(direct)

    def __call__(self, y: jax.Array) -> jax.Array:
        """Net inputs `[..., n_out]` from (y_c, x)."""
        y_c, x = jnp.split(y, [len(self.kernel)], -1)
        net = y_c @ self.kernel + x @ self.direct
        return net if self.bias is None else net + self.bias


@dataclass(frozen=True)
class Net97:
    """One hidden layer of memory-cell blocks; the output units see the cells only.

    Attributes:
        blocks: number of memory-cell blocks.
        size: cells per block.
        bias: units with a bias weight: "none", "gates", "hidden" (gates and cells) or "all"
            (hidden and output units).
        input_gate_bias: initial biases of the input gates, one per block; None draws them like
            every other weight.
        output_gate_bias: likewise for the output gates.
        init_range: r; initial weights are uniform in [-r, r].
        truncate: the gradient of the paper; False is full backpropagation through time.
    """

    blocks: int
    size: int
    bias: Bias = "none"
    input_gate_bias: tuple[float, ...] | None = None
    output_gate_bias: tuple[float, ...] | None = None
    init_range: float = 0.1
    truncate: bool = True

    growth = None
    batched = False
    reset = 0.0
    h = H
    shortcuts = False
    drawn_too = False

    def __post_init__(self):
        for name in ("input_gate_bias", "output_gate_bias"):
            given = getattr(self, name)
            if given is not None and (self.bias == "none" or len(given) != self.blocks):
                raise ValueError(
                    f"{name} needs a bias other than 'none' and {self.blocks} values, one per block"
                )

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> Network:
        """A freshly initialised network; weights depend on `rngs` only."""
        cell = LSTM97(
            n_in,
            self.blocks,
            self.size,
            bias="hidden" if self.bias == "all" else self.bias,
            input_gate_bias=self.input_gate_bias,
            output_gate_bias=self.output_gate_bias,
            init_range=self.init_range,
            truncate=self.truncate,
            reset=self.reset,
            h=self.h,
            shortcuts=self.shortcuts,
            drawn_too=self.drawn_too,
            rngs=rngs,
        )
        draw = uniform(self.init_range)
        readout = nnx.Linear(
            self.blocks * self.size,
            n_out,
            use_bias=self.bias == "all",
            kernel_init=draw,
            bias_init=draw,
            rngs=rngs,
        )
        if self.shortcuts:
            return Network(cell, ShortcutReadout(readout, draw(rngs.params(), (n_in, n_out))))
        return Network(cell, readout)  # FIDELITY L1


@dataclass(frozen=True)
class HalfReset97(Net97):
    """As `Net97`, but gates and cells begin a sequence with activations of 1/2 in place of 0.

    A logistic unit without net input has that activation. A reading of its own, since the paper has
    zero.
    """  # FIDELITY L9

    reset = 0.5


@dataclass(frozen=True)
class IdentityH97(Net97):
    """As `Net97`, but states are not squashed: h is the identity, as in experiments 2a and 2b."""

    h = IDENTITY


@dataclass(frozen=True)
class Shortcuts97(Net97):
    """As `Net97`, but inputs feed the output units, too, as in experiments 2a and 2b."""

    shortcuts = True


@dataclass(frozen=True)
class Simulator97(HalfReset97):
    """As the authors' later simulator has it, a program of their group.

    Activations begin with 1/2, and a stated bias of a gate is the stated value plus a draw.
    """

    drawn_too = True

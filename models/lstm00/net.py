"""Memory-cell blocks with forget gates, and the net of Gers, Schmidhuber & Cummins 2000."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import g, h, uniform
from models.network import Network


class LSTM00(nnx.RNNCellBase):
    r"""Memory-cell blocks that can forget; Gers, Schmidhuber & Cummins 2000.

    A block is `size` cells that share an output, an input and a forget gate. With the inputs and
    the activations of all cells as sources, :math:`u = (x_t, y^c_{t-1})`:

    .. math::

        net_t &= W u + b \\
        y^{out}_t, y^{in}_t, y^{f}_t &= \sigma(net^{out}_t), \sigma(net^{in}_t), \sigma(net^f_t) \\
        s_t &= y^f_t \, s_{t-1} + y^{in}_t \, g(net^c_t) \\
        y^c_t &= y^{out}_t \, h(s_t)

    Only gates have biases. Without forget gates :math:`y^f = 1`: what that paper calls standard
    LSTM. Other than in 1997 (`models.lstm97.net`), gates are no sources.

    Weights: (n_in + C) (G + C) + G with C = blocks size cells and G = 3 blocks gates, or 2 blocks
    without forget gates.

    The output of the cell is :math:`(x_t, y^c_t)`, since the inputs feed the output units, too; or
    :math:`y^c_t` alone without `shortcuts`.

    Warning:
        `jax.grad` of this cell is the truncated gradient of the paper, unless `truncate=False`.

    Attributes:
        carried: names of the vectors of the carry.
        blocks: number of memory-cell blocks.
        size: cells per block.
        forgets: whether there are forget gates.
        truncate: whether errors that reach a net input end there; s is then the only path back.
        shortcuts: whether inputs feed the output units.
        W: `[n_in + C, G + C]`; columns are output, input and forget gates, cells block by block.
        b: `[G]`, in that order.
    """  # FIDELITY N2

    carried = ("s", "y")

    def __init__(
        self,
        in_features: int,
        blocks: int,
        size: int,
        *,
        gate_bias: tuple[float, ...],
        forget_bias: tuple[float, ...] | None,
        init_range: float = 0.2,
        truncate: bool = True,
        shortcuts: bool = True,
        rngs: nnx.Rngs,
    ):
        self.blocks, self.size, self.truncate = blocks, size, truncate
        self.shortcuts = shortcuts
        self.forgets = forget_bias is not None
        cells = self.hidden_features = blocks * size
        biases = [*gate_bias, *gate_bias, *(forget_bias or ())]
        draw = uniform(init_range)
        self.W = nnx.Param(draw(rngs.params(), (in_features + cells, len(biases) + cells)))
        self.b = nnx.Param(jnp.array(biases, jnp.float32))

    def initialize_carry(
        self,
        input_shape: tuple[int, ...],
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry_init: nnx.Initializer | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        """States and activations of the cells before the first step, all zero.

        Args:
            input_shape: `(..., n_in)`; leading axes are batch.
            rngs: not used.
            carry_init: not used.

        Returns:
            s and y, `[..., C]` each.
        """
        nothing = jnp.zeros((*input_shape[:-1], self.hidden_features), self.W.dtype)
        return nothing, nothing

    def gates(self, carry: tuple[jax.Array, jax.Array], x: jax.Array) -> dict[str, jax.Array]:
        """Activations of one step: out, in and forget, `[..., blocks]`, and g, `[..., C]`."""
        y = carry[1]
        if self.truncate:
            y = jax.lax.stop_gradient(y)  # FIDELITY L7
        net = jnp.concatenate([x, y], -1) @ self.W
        n_gates = len(self.b)
        gates = jax.nn.sigmoid(net[..., :n_gates] + self.b)
        names = ("out", "in", "forget")[: n_gates // self.blocks]
        named = dict(zip(names, jnp.split(gates, len(names), -1), strict=True))
        return {**named, "g": g(net[..., n_gates:])}

    def __call__(
        self, carry: tuple[jax.Array, jax.Array], x: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        """One step: ((s, y), x `[..., n_in]`) -> ((new s, new y), (x, new y) `[..., n_in + C]`).

        Without `shortcuts` the second is the new y alone.
        """
        gates = self.gates(carry, x)
        of_cells = {name: jnp.repeat(gates[name], self.size, -1) for name in gates if name != "g"}
        kept = of_cells["forget"] * carry[0] if self.forgets else carry[0]
        s = kept + of_cells["in"] * gates["g"]
        y = of_cells["out"] * h(s)
        return (s, y), jnp.concatenate([x, y], -1) if self.shortcuts else y

    @property
    def num_feature_axes(self) -> int:
        """Number of trailing axes of an input that are features rather than batch."""
        return 1


@dataclass(frozen=True)
class Net00:
    """Blocks with forget gates; the biased output units see the cells and the inputs.

    With 7 inputs, 7 outputs and the blocks below, 424 weights, or 360 without forget gates.

    Attributes:
        blocks: number of memory-cell blocks.
        size: cells per block.
        gate_bias: initial biases of the input gates and of the output gates, one per block.
        forget_bias: likewise for the forget gates; None is a net without them.
        init_range: r; all other initial weights are uniform in [-r, r].
        truncate: the gradient of the paper; False is full backpropagation through time.
    """

    blocks: int = 4
    size: int = 2
    gate_bias: tuple[float, ...] = (-0.5, -1.0, -1.5, -2.0)
    forget_bias: tuple[float, ...] | None = (0.5, 1.0, 1.5, 2.0)
    init_range: float = 0.2
    truncate: bool = True

    growth = None
    batched = True
    shortcuts = True

    def __post_init__(self):
        for name in ("gate_bias", "forget_bias"):
            given = getattr(self, name)
            if given is not None and len(given) != self.blocks:
                raise ValueError(f"{name} needs {self.blocks} values, one per block")

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> Network:
        """A freshly initialised network; weights depend on `rngs` only."""
        cell = LSTM00(
            n_in,
            self.blocks,
            self.size,
            gate_bias=self.gate_bias,
            forget_bias=self.forget_bias,
            init_range=self.init_range,
            truncate=self.truncate,
            shortcuts=self.shortcuts,
            rngs=rngs,
        )
        draw = uniform(self.init_range)
        n_seen = self.blocks * self.size + (n_in if self.shortcuts else 0)
        readout = nnx.Linear(n_seen, n_out, kernel_init=draw, bias_init=draw, rngs=rngs)
        return Network(cell, readout)


@dataclass(frozen=True)
class CellsOnly00(Net00):
    """As `Net00`, but output units see the cells only, as in the nets of 1997."""  # FIDELITY N9

    shortcuts = False

"""What any cell can be put into: a stack of layers, layer normalisation, a net in both directions.

`Stack` and `Normalised` stand where a cell class stands, `Bidirectional` where
`models.network.Recurrent` does. All take flax's cells, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from models.network import Network

CellClass = Callable[..., nnx.RNNCellBase]
"""A class of cells, or a wrapper of one: `(in_features, hidden_features, *, rngs)` -> cell."""


@dataclass(frozen=True)
class _Wrapper:
    """What stands for a class of cells: its settings are those of the cell that it wraps.

    Attributes:
        cell: a class of cells, or a wrapper of one.
    """

    cell: CellClass

    @property
    def batched(self) -> bool:
        """Whether leading axes of what the cells are given are batch."""
        return getattr(self.cell, "batched", False)

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of numbers that the constructor takes and a search may choose."""
        return getattr(self.cell, "settings", ())


@dataclass(frozen=True)
class Stack(_Wrapper):
    """A cell of several layers, each fed by the output of the one below.

    Attributes:
        cell: what a layer is made of.
        layers: how many there are.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> from models.gru import GRU
        >>> from models.network import Recurrent
        >>> network = Recurrent(Stack(GRU, 2), hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
        >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
        (3, 50, 1)
        >>> [layer.W_x.shape for layer in network.cell.layers]
        [(2, 48), (16, 48)]
    """

    layers: int

    def __call__(
        self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs, **settings: Any
    ) -> "Stacked":
        """A freshly initialised cell; every layer gets the settings."""
        widths = [in_features] + [hidden_features] * (self.layers - 1)
        layers = [self.cell(n, hidden_features, rngs=rngs, **settings) for n in widths]
        return Stacked(layers, hidden_features)


class Stacked(nnx.RNNCellBase):
    r"""Layers as one cell: :math:`h^l_t` from :math:`h^{l-1}_t` and :math:`h^l_{t-1}`.

    Weights: those of one layer with n_in inputs and of the others with H.

    Attributes:
        layers: cells, from the input up.
        hidden_features: H, the number of units of each.
    """

    def __init__(self, layers: list[nnx.RNNCellBase], hidden: int):
        self.layers = nnx.List(layers)
        self.hidden_features = hidden

    @property
    def num_feature_axes(self) -> int:
        """Number of trailing axes of an input that are features rather than batch."""
        return 1

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """A tuple of the layers' carries; arguments as of `models.cell.Cell`."""
        carries = []
        for layer in self.layers:
            carries.append(layer.initialize_carry(input_shape, rngs, carry_init))
            input_shape = (*input_shape[:-1], self.hidden_features)
        return tuple(carries)

    def __call__(self, carry, x: jax.Array):
        """One step: (carries, x `[..., n_in]`) -> (new carries, output of the last layer)."""
        new = []
        for layer, own in zip(self.layers, carry, strict=True):
            own, x = layer(own, x)
            new.append(own)
        return tuple(new), x


@dataclass(frozen=True)
class Normalised(_Wrapper):
    """A cell whose output is normalised over its units at each step (Ba, Kiros & Hinton 2016).

    Attributes:
        cell: whose output it is.
        fed_back: whether the copy of the output that the carry holds is normalised, too. That
            suits an LSTM, whose h only shows what c keeps. In a GRU, h is the memory itself.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> from models.lstm import LSTM
        >>> cell = Normalised(LSTM, fed_back=True)(2, 16, rngs=nnx.Rngs(0))
        >>> (c, h), y = cell(cell.initialize_carry((3, 2)), jnp.ones((3, 2)))
        >>> bool(jnp.allclose(y.mean(-1), 0, atol=1e-6)), bool((h == y).all())
        (True, True)
    """

    fed_back: bool = False

    def __call__(
        self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs, **settings: Any
    ) -> "NormalisedCell":
        """A freshly initialised cell; the cell inside gets the settings."""
        inside = self.cell(in_features, hidden_features, rngs=rngs, **settings)
        return NormalisedCell(inside, hidden_features, self.fed_back, rngs)


class NormalisedCell(nnx.RNNCellBase):
    r"""A cell with output :math:`g \odot (y - \mu) / \sqrt{\sigma^2 + 10^{-5}} + b`.

    Mean and variance are those of the H numbers y of one step.

    Weights: those of the cell and 2H.

    Attributes:
        cell: the cell inside.
        norm: gain g and bias b.
        fed_back: whether the carry holds the normalised output in place of y.
        hidden_features: H.
    """

    def __init__(self, cell: nnx.RNNCellBase, hidden: int, fed_back: bool, rngs: nnx.Rngs):
        self.cell = cell
        self.fed_back = fed_back
        self.hidden_features = hidden
        self.norm = nnx.LayerNorm(hidden, epsilon=1e-5, use_fast_variance=False, rngs=rngs)

    @property
    def num_feature_axes(self) -> int:
        """Number of trailing axes of an input that are features rather than batch."""
        return 1

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """The carry of the cell inside."""
        return self.cell.initialize_carry(input_shape, rngs, carry_init)

    def __call__(self, carry, x: jax.Array):
        """One step: (carry, x `[..., n_in]`) -> (new carry, normalised output)."""
        new, y = self.cell(carry, x)
        normal = self.norm(y)  # FIDELITY C24
        if not self.fed_back:
            return new, normal
        if not any(part is y for part in jax.tree.leaves(new)):
            raise ValueError(f"the carry of {type(self.cell).__name__} holds no copy of its output")
        return jax.tree.map(lambda part: normal if part is y else part, new), normal


@dataclass(frozen=True)
class Bidirectional:
    """A net that reads its sequence from both ends (Schuster & Paliwal 1997).

    Attributes:
        cell: class of cells, or a wrapper of one.
        hidden: number of hidden units of each direction.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> from models.lstm import LSTM
        >>> network = Bidirectional(LSTM, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
        >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
        (3, 50, 1)
    """

    cell: CellClass
    hidden: int

    growth = None

    @property
    def batched(self) -> bool:
        """Whether the cell says that leading axes of what it is given are batch."""
        return getattr(self.cell, "batched", False)

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs, **settings: Any) -> "BothWays":
        """A freshly initialised network; the settings are for both cells."""

        def readout(use_bias: bool) -> nnx.Linear:
            # half the variance: a sum of two readouts is one of 2H inputs
            draw = nnx.initializers.variance_scaling(0.5, "fan_in", "truncated_normal")
            return nnx.Linear(self.hidden, n_out, use_bias=use_bias, kernel_init=draw, rngs=rngs)

        ahead, back = (self.cell(n_in, self.hidden, rngs=rngs, **settings) for _ in range(2))
        return BothWays(Network(ahead, readout(True)), Backwards(back, readout(False)))


class BothWays(nnx.Module):
    """Two networks over the same sequence; the sum is a linear readout of their joined states.

    Attributes:
        ahead: reads from the first step on.
        back: reads from the last step of the sequence back; its readout has no bias.
    """

    def __init__(self, ahead: Network, back: "Backwards"):
        self.ahead = ahead
        self.back = back

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """Net inputs of the output units `[..., T, n_out]`; arguments as of `Network`."""
        return self.ahead(inputs, length) + self.back(inputs, length)

    def last(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """As `__call__`, at the last step of every sequence only: `[..., n_out]`."""
        return self.ahead.last(inputs, length) + self.back.last(inputs, length)


class Backwards(Network):
    """A network that starts at the last step of a sequence, so that padding comes first.

    There the carry is held, at zero, as `Network` holds it after a sequence.
    """

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """As `Network`; the answer at a step rests on that step and those after it."""
        return jnp.flip(super().__call__(inputs, length), -2)

    def last(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """The answer at the last step, which is the first that is read."""
        at = jnp.asarray(length)[..., None, None] - 1  # FIDELITY C25
        x = jnp.take_along_axis(inputs, at, -2)[..., 0, :]
        return self.readout(self.cell(self.cell.initialize_carry(x.shape, nnx.Rngs(0)), x)[1])

    def _unrolled(self, inputs: jax.Array, length: jax.Array):
        cell, start, steps = super()._unrolled(inputs, length)
        return cell, start, jax.tree.map(lambda series: jnp.flip(series, 0), steps)

"""The LSTM with peepholes, and the changes to it that Greff et al. 2017 compared.

Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber 2017, "LSTM: A Search Space Odyssey". Their
vanilla LSTM is `PeepholeLSTM`; their eighth change, NP (no peepholes), is `models.lstm.LSTM`.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> for cell in (PeepholeLSTM, NIG, NFG, NOG, NIAF, NOAF, CIFG, FGR):
    ...     network = Recurrent(cell, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    ...     network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel, zero_bias
from models.products import product


def _linear(net: jax.Array) -> jax.Array:
    return net


class PeepholeLSTM(Cell):
    r"""LSTM whose gates see the cell state, the output gate the new one (Gers & Schmidhuber 2000).

    .. math::

        i &= \sigma(W_{xi} x_t + W_{hi} h_{t-1} + p_i \odot c_{t-1} + b_i) \\
        f &= \sigma(W_{xf} x_t + W_{hf} h_{t-1} + p_f \odot c_{t-1} + b_f) \\
        g &= \tanh(W_{xg} x_t + W_{hg} h_{t-1} + b_g) \\
        c_t &= f \odot c_{t-1} + i \odot g \\
        o &= \sigma(W_{xo} x_t + W_{ho} h_{t-1} + p_o \odot c_t + b_o) \\
        h_t &= o \odot \tanh(c_t)

    Weights: 4H (n_in + H + 1) + 3H.

    Attributes:
        carried: names of the vectors of the carry.
        parts: the gates that have weights, then g; columns of the kernels come in this order.
        squash_in: the function between the net input of g and g.
        squash_out: the function between c_t and what the output gate scales.
        coupled: whether i is 1 - f rather than a gate of its own.
        W_x: `[n_in, 4H]`, columns i, f, o, g; fewer where a gate is missing.
        W_h: `[H, 4H]`, columns likewise.
        b: `[4H]`, likewise.
        p: `[3H]`, the peepholes of i, f, o. They start at zero, as an LSTM without them.
    """

    carried: tuple[str, ...] = ("c", "h")
    settings: tuple[str, ...] = ("memory",)
    parts: tuple[str, ...] = ("i", "f", "o", "g")
    squash_in: Callable[[jax.Array], jax.Array] = staticmethod(jnp.tanh)
    squash_out: Callable[[jax.Array], jax.Array] = staticmethod(jnp.tanh)
    coupled = False

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H, n = hidden_features, len(self.parts)
        self.hidden_features = H
        self.W_x = input_kernel(in_features, n * H, rngs)
        self.W_h = recurrent_kernel(H, n, rngs)
        self.b = zero_bias(n * H)
        self.p = zero_bias((n - 1) * H)  # FIDELITY C13
        if "f" in self.parts:
            forget = 1.0 if memory is None else memory_bias(memory, H, rngs)  # FIDELITY C4
            at = self.parts.index("f") * H
            self.b = nnx.Param(self.b[...].at[at : at + H].set(forget))

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """As `Cell.initialize_carry`, for a tuple of `carried`, each `[..., H]`."""
        draw = super().initialize_carry
        return tuple(draw(input_shape, rngs, carry_init) for _ in self.carried)

    def net_inputs(self, carry: tuple[jax.Array, ...], x: jax.Array) -> jax.Array:
        """What reaches the parts other than through peepholes, in the order of the columns."""
        return product(x, self.W_x) + product(carry[1], self.W_h) + self.b

    def gates(self, carry: tuple[jax.Array, ...], x: jax.Array) -> dict[str, jax.Array]:
        """Activations i, f, g, o of one step, each `[..., H]`; 1 for a gate that is missing."""
        c, n = carry[0], len(self.parts)
        nets = jnp.split(self.net_inputs(carry, x), n, -1)
        net = dict(zip(self.parts, nets, strict=True))
        p = dict(zip(self.parts[:-1], jnp.split(self.p[...], n - 1), strict=True))

        def gate(part: str, c: jax.Array) -> jax.Array:
            return jax.nn.sigmoid(net[part] + p[part] * c) if part in p else jnp.ones_like(c)

        f = gate("f", c)
        i = 1 - f if self.coupled else gate("i", c)
        g = self.squash_in(net["g"])
        return {"i": i, "f": f, "g": g, "o": gate("o", f * c + i * g)}

    def __call__(
        self, carry: tuple[jax.Array, ...], x: jax.Array
    ) -> tuple[tuple[jax.Array, ...], jax.Array]:
        """One step: ((c, h) each `[..., H]`, x `[..., n_in]`) -> ((new c, new h), new h)."""
        i, f, g, o = self.gates(carry, x).values()
        c = f * carry[0] + i * g
        h = o * self.squash_out(c)
        return (c, h), h


class NIG(PeepholeLSTM):
    r"""Peephole LSTM without input gate: i = 1 (Greff et al. 2017).

    Weights: 3H (n_in + H + 1) + 2H. Columns f, o, g, peepholes f, o.
    """

    parts = ("f", "o", "g")


class NFG(PeepholeLSTM):
    r"""Peephole LSTM without forget gate: f = 1 (Greff et al. 2017).

    No gate keeps the state, so there is no memory to choose.

    Weights: 3H (n_in + H + 1) + 2H. Columns i, o, g, peepholes i, o.
    """

    parts = ("i", "o", "g")
    settings = ()

    def __init__(self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs):
        super().__init__(in_features, hidden_features, rngs=rngs)


class NOG(PeepholeLSTM):
    r"""Peephole LSTM without output gate: o = 1 (Greff et al. 2017).

    Weights: 3H (n_in + H + 1) + 2H. Columns i, f, g, peepholes i, f.
    """

    parts = ("i", "f", "g")


class NIAF(PeepholeLSTM):
    r"""Peephole LSTM without squashing of what enters the state: g is linear (Greff et al. 2017).

    Weights: 4H (n_in + H + 1) + 3H.
    """

    squash_in = staticmethod(_linear)


class NOAF(PeepholeLSTM):
    r"""Peephole LSTM without squashing of what leaves the state: h = o c (Greff et al. 2017).

    Weights: 4H (n_in + H + 1) + 3H.
    """

    squash_out = staticmethod(_linear)


class CIFG(PeepholeLSTM):
    r"""Peephole LSTM with coupled input and forget gate: i = 1 - f (Greff et al. 2017).

    Weights: 3H (n_in + H + 1) + 2H. Columns f, o, g, peepholes f, o.
    """

    parts = ("f", "o", "g")
    coupled = True


class FGR(PeepholeLSTM):
    r"""Peephole LSTM with full gate recurrence: all gates see all gates (Greff et al. 2017).

    The net input of each gate k of i, f, o gets another
    :math:`W_{ik} i_{t-1} + W_{fk} f_{t-1} + W_{ok} o_{t-1}`.

    Weights: 4H (n_in + H + 1) + 3H + 9H².

    Attributes:
        carried: names of the vectors of the carry.
        W_g: `[3H, 3H]`, rows from and columns to i, f, o.
    """

    carried = ("c", "h", "i", "f", "o")

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        super().__init__(in_features, hidden_features, memory=memory, rngs=rngs)
        nine = jnp.split(recurrent_kernel(hidden_features, 9, rngs)[...], 3, -1)
        self.W_g = nnx.Param(jnp.concatenate(nine))

    def net_inputs(self, carry: tuple[jax.Array, ...], x: jax.Array) -> jax.Array:
        """As of `PeepholeLSTM`, with what comes from the gates."""
        gates = product(jnp.concatenate(carry[2:], -1), self.W_g)  # FIDELITY C16
        others = jnp.zeros_like(carry[0])
        return super().net_inputs(carry, x) + jnp.concatenate([gates, others], -1)

    def __call__(
        self, carry: tuple[jax.Array, ...], x: jax.Array
    ) -> tuple[tuple[jax.Array, ...], jax.Array]:
        """One step: ((c, h, i, f, o), x `[..., n_in]`) -> (all five anew, new h)."""
        i, f, g, o = self.gates(carry, x).values()
        c = f * carry[0] + i * g
        h = o * jnp.tanh(c)
        return (c, h, i, f, o), h

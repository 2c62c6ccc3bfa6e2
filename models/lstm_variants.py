"""LSTMs with other initial biases or fewer gates; those with peepholes are in `peephole_lstm`.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> for cell in (ChronoLSTM, NoForgetLSTM, CoupledLSTM, JANET):
    ...     network = Recurrent(cell, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    ...     network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel, zero_bias
from models.lstm import LSTM
from models.products import product

CHRONO = (2.0, 100.0)  # steps  # FIDELITY C12


class ChronoLSTM(LSTM):
    r"""LSTM whose units start with different memories, from short to long (Tallec & Ollivier 2018).

    .. math::

        b_f \sim \log U(1, T - 1), \quad b_i = -b_f

    The equations are those of `LSTM`; `memory` = (2, T) is the line above, (2, 100) if None.

    Weights: 4H (n_in + H + 1).
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        steps = jnp.array(CHRONO) if memory is None else memory
        super().__init__(in_features, hidden_features, memory=steps, rngs=rngs)
        H = hidden_features
        self.b = nnx.Param(self.b[...].at[:H].set(-self.b[H : 2 * H]))


class NoForgetLSTM(LSTM):
    r"""LSTM without forget gate, which adds up what it is given and never lets go.

    .. math::

        c_t &= c_{t-1} + i \odot g \\
        h_t &= o \odot \tanh(c_t)

    The gates are those of `LSTM`. This is the idea of 1997 (Hochreiter & Schmidhuber) in the form
    of today, and `models.peephole_lstm.NFG` without peepholes. No gate keeps the state, so there
    is no memory to choose.

    Weights: 3H (n_in + H + 1).

    Attributes:
        W_x: `[n_in, 3H]`, columns i, g, o.
        W_h: `[H, 3H]`, columns likewise.
        b: `[3H]`, likewise.
    """

    settings = ()

    def __init__(self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs):
        H = self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, 3 * H, rngs)
        self.W_h = recurrent_kernel(H, 3, rngs)
        self.b = zero_bias(3 * H)

    def gates(self, carry: tuple[jax.Array, jax.Array], x: jax.Array) -> dict[str, jax.Array]:
        """Activations i, f = 1, g, o of one step, each `[..., H]`."""
        _, h = carry
        i, g, o = jnp.split(product(x, self.W_x) + product(h, self.W_h) + self.b, 3, -1)
        sigmoid = jax.nn.sigmoid
        return {"i": sigmoid(i), "f": jnp.ones_like(i), "g": jnp.tanh(g), "o": sigmoid(o)}


class CoupledLSTM(LSTM):
    r"""LSTM that adds as much of the new as it forgets of the old: i = 1 - f (Greff et al. 2017).

    .. math::

        c_t &= f \odot c_{t-1} + (1 - f) \odot g \\
        h_t &= o \odot \tanh(c_t)

    The other gates are those of `LSTM`; `models.peephole_lstm.CIFG` has peepholes, too.

    Weights: 3H (n_in + H + 1).

    Attributes:
        W_x: `[n_in, 3H]`, columns f, g, o.
        W_h: `[H, 3H]`, columns likewise.
        b: `[3H]`, likewise.
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, 3 * H, rngs)
        self.W_h = recurrent_kernel(H, 3, rngs)
        forget = 1.0 if memory is None else memory_bias(memory, H, rngs)  # FIDELITY C4
        self.b = nnx.Param(jnp.zeros(3 * H, jnp.float32).at[:H].set(forget))

    def gates(self, carry: tuple[jax.Array, jax.Array], x: jax.Array) -> dict[str, jax.Array]:
        """Activations i = 1 - f, f, g, o of one step, each `[..., H]`."""
        _, h = carry
        f, g, o = jnp.split(product(x, self.W_x) + product(h, self.W_h) + self.b, 3, -1)
        f = jax.nn.sigmoid(f)
        return {"i": 1 - f, "f": f, "g": jnp.tanh(g), "o": jax.nn.sigmoid(o)}


class JANET(Cell):
    r"""LSTM with nothing but a forget gate (van der Westhuizen & Lasenby 2018).

    .. math::

        a &= W_{xf} x_t + W_{hf} h_{t-1} + b_f \\
        f &= \sigma(a), \quad i = 1 - \sigma(a - 1) \\
        g &= \tanh(W_{xg} x_t + W_{hg} h_{t-1} + b_g) \\
        h_t &= f \odot h_{t-1} + i \odot g

    The 1 is the paper's :math:`\beta`: more is added than is forgotten, :math:`i / (1 - f)` from 1
    (f near 0) over 1.5 (f = 1/2) to e (f near 1).

    Weights: 2H (n_in + H + 1).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        memory: as of `ChronoLSTM`, whose start of f the paper takes.
        rngs: where initial weights come from.

    Attributes:
        W_x: `[n_in, 2H]`, columns f, g.
        W_h: `[H, 2H]`, columns likewise.
        b: `[2H]`, likewise.
    """

    settings = ("memory",)

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, 2 * H, rngs)
        self.W_h = recurrent_kernel(H, 2, rngs)
        keep = memory_bias(jnp.array(CHRONO) if memory is None else memory, H, rngs)
        self.b = nnx.Param(jnp.zeros(2 * H, jnp.float32).at[:H].set(keep))

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations i, f, g of one step, each `[..., H]`."""
        a, g = jnp.split(product(x, self.W_x) + product(carry, self.W_h) + self.b, 2, -1)
        sigmoid = jax.nn.sigmoid
        return {"i": sigmoid(1 - a), "f": sigmoid(a), "g": jnp.tanh(g)}

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        i, f, g = self.gates(carry, x).values()
        h = f * carry + i * g
        return h, h

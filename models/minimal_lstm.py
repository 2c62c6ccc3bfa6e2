"""The minimal LSTM, whose gates see the input only, so that the state enters linearly.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(MinimalLSTM, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, zero_bias
from models.parallel import held, linear_recurrence
from models.products import product

SHUT = -80.0
"""Net input of a gate that is as good as shut; what is smaller overflows."""


class MinimalLSTM(Cell):
    r"""minLSTM: gates of the input alone, normalised to sum to one (Feng et al. 2024).

    .. math::

        f &= \sigma(W_{xf} x_t + b_f) \\
        i &= \sigma(W_{xi} x_t + b_i) \\
        g &= W_{xg} x_t + b_g \\
        h_t &= \frac{f}{f + i} \odot h_{t-1} + \frac{i}{f + i} \odot g

    Nothing is recurrent but the state itself, so all steps can run at once; what one layer does
    with an input cannot depend on what it remembers.

    Weights: 3H (n_in + 1).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        memory: steps that a unit keeps its state for at the start, by b_f and b_i = -b_f: the
            normalised gate cannot exceed 2/3 while b_i = 0. If None, all biases are zero.
        rngs: where initial weights come from.

    Attributes:
        W_x: `[n_in, 3H]`, columns i, f, g.
        b: `[3H]`, likewise.
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
        self.W_x = input_kernel(in_features, 3 * H, rngs)
        self.b = zero_bias(3 * H)
        if memory is not None:
            keep = memory_bias(memory, H, rngs)
            self.b = nnx.Param(jnp.concatenate([-keep, keep, jnp.zeros_like(keep)]))

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Normalised gates i and f, and g, of one step, each `[..., H]`; the carry is not read."""
        i, f, g = jnp.split(product(x, self.W_x) + self.b, 3, -1)
        # i / f, from one over each gate, where nothing is divided by zero if both are shut
        over_i, over_f = (1 + jnp.exp(-jnp.maximum(gate, SHUT)) for gate in (i, f))
        ratio = over_f / over_i
        keep = 1 / (1 + ratio)
        return {"i": ratio * keep, "f": keep, "g": g}  # FIDELITY C14

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        i, f, g = self.gates(carry, x).values()
        h = f * carry + i * g
        return h, h

    def unrolled(self, xs: jax.Array, alive: jax.Array) -> jax.Array:
        """All steps at once: xs `[T, ..., n_in]`, alive `[T, ...]` bool -> h `[T, ..., H]`.

        As the steps one by one from a zero carry, the state held where not alive.
        """
        i, f, g = self.gates(xs, xs).values()
        return linear_recurrence(*held(alive, f, i * g))

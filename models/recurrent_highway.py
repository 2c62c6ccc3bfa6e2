"""The recurrent highway network: each step passes several layers with gates.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(RecurrentHighway, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_steps, recurrent_kernel
from models.products import product


class RecurrentHighway(Cell):
    r"""Recurrent highway network of depth n with coupled gates (Zilly et al. 2017, eq. 6 to 9).

    .. math::

        s^0 &= h_{t-1}, \quad
        u = \tanh(W_{xu} x_t [l = 1] + W^l_{su} s^{l-1} + b^l_u), \quad
        z = \sigma(W_{xz} x_t [l = 1] + W^l_{sz} s^{l-1} + b^l_z) \\
        s^l &= z \odot u + (1 - z) \odot s^{l-1}, \quad l = 1 \ldots n \\
        h_t &= s^n

    z is the transform gate, 1 - z the carry gate. Only the first layer sees the input.

    Weights: 2H (n_in + n (H + 1)).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        depth: n, the number of layers that a step passes.
        memory: steps that units keep their state for at the start: all carry gates of a step
            together leave 1 - 1 / memory (see `models.cell.memory_steps`). If None, transform
            gates have biases of -2.
        rngs: where initial weights come from.

    Attributes:
        W_x: `[n_in, 2H]`, columns u, z.
        W_s: `[H, 2nH]`, columns u, z of layer 1, and so on.
        b: `[2nH]`, likewise.
        depth: n.
    """

    settings = ("memory",)

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        depth: int = 3,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.depth = depth
        self.W_x = input_kernel(in_features, 2 * H, rngs)
        self.W_s = recurrent_kernel(H, 2 * depth, rngs)
        closed: float | jax.Array = -2.0  # FIDELITY C28
        if memory is not None:
            kept = (1 - 1 / memory_steps(memory, H, rngs)) ** (1 / depth)
            closed = jnp.log(1 / kept - 1)
        layer = jnp.zeros((2, H), jnp.float32).at[1].set(closed)
        self.b = nnx.Param(jnp.tile(layer.ravel(), depth))

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        s = carry
        kernels = jnp.split(self.W_s[...], self.depth, -1)
        biases = jnp.split(self.b[...], self.depth)
        for layer, (W, b) in enumerate(zip(kernels, biases, strict=True)):
            net = product(s, W) + b
            u, z = jnp.split(net if layer else net + product(x, self.W_x), 2, -1)
            z = jax.nn.sigmoid(z)
            s = z * jnp.tanh(u) + (1 - z) * s
        return s, s

"""Products of small matrices whose gradient by the weights is fast on a CPU."""

import jax
from flax import nnx


@jax.custom_vjp
def _product(x, W):
    return x @ W


def _product_back(saved, slope):
    x, W = saved
    rows, slopes = x.reshape(-1, x.shape[-1]), slope.reshape(-1, slope.shape[-1])
    # Barriers keep transpositions apart: XLA's products of transposed matrices are slow.
    apart = jax.lax.optimization_barrier
    return slope @ apart(W.T), apart(rows.T) @ slopes


_product.defvjp(lambda x, W: (x @ W, (x, W)), _product_back)


def product(x: jax.Array, W: nnx.Param | jax.Array) -> jax.Array:
    """The product of x `[..., from]` and W `[from, to]`, its gradient by W faster for a batch."""
    return _product(x, W[...])

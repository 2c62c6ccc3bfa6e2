"""Weights of many `Net97` networks, features first and trials last."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx


class Weights(NamedTuple):
    """Weights of the networks of many trials; also their gradient.

    Hidden units are in the order of `LSTM97`: output gates, input gates, cells block by block.

    Attributes:
        inputs: `[n_in, H, trials]`, from, to.
        hidden: `[H, H, trials]`, from, to.
        bias: `[n_biased, trials]` of the first `n_biased` hidden units, or None.
        readout: `[cells, n_out, trials]`, from, to.
        readout_bias: `[n_out, trials]` or None.
    """

    inputs: jax.Array
    hidden: jax.Array
    bias: jax.Array | None
    readout: jax.Array
    readout_bias: jax.Array | None


def from_params(params: nnx.State) -> Weights:
    """Weights of networks built by `Net97`, whose arrays have a leading trial axis."""
    last = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), nnx.to_pure_dict(params))
    cell, readout = last["cell"], last["readout"]
    return Weights(cell["W_x"], cell["W_h"], cell.get("b"), readout["kernel"], readout.get("bias"))


def to_params(weights: Weights, like: nnx.State) -> nnx.State:
    """Inverse of `from_params`; `like` lends its structure, not its numbers."""
    nested = {
        "cell": {"W_x": weights.inputs, "W_h": weights.hidden, "b": weights.bias},
        "readout": {"kernel": weights.readout, "bias": weights.readout_bias},
    }
    leaves = [jnp.moveaxis(leaf, -1, 0) for leaf in jax.tree.leaves(nested)]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)

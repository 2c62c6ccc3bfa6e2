"""The net of 2a and 2b with weights that change after every step of a sequence."""

import jax
import jax.numpy as jnp
from flax import nnx


def follow(
    params: nnx.State,
    inputs: jax.Array,
    length: jax.Array,
    targets: jax.Array,
    rate: jax.Array,
    grown: jax.Array,
) -> tuple[jax.Array, nnx.State]:
    """One sequence of one trial, with a teacher signal at each of its steps.

    The derivative of the cell's state by the weights to cell and gate is carried along, as in the
    forward accumulation of the paper.

    Args:
        params: of a `LagNetwork97`.
        inputs: `[T, n_in]`, one-hot.
        length: `[]` int32.
        targets: `[T, n_out]`.
        rate: `[]`, learning rate.
        grown: `[]` bool, whether the memory cell has joined.

    Returns:
        Outputs `[T, n_out]` when they were compared with the targets, and the changed parameters.
    """

    def one(now, given):
        params, s, trace = now
        x, target, alive = given
        symbol = jnp.argmax(x)
        y_in, squashed = jax.nn.sigmoid(params["hidden"][symbol])
        s = s + grown * y_in * squashed
        slopes = jnp.stack([y_in * (1 - y_in) * squashed, y_in * squashed * (1 - squashed)])
        trace = trace.at[symbol].add(grown * slopes)
        y = jax.nn.sigmoid(params["direct"][symbol] + s * params["kernel"])
        e = rate * alive * y * (1 - y) * (target - y)
        back = jnp.sum(e * params["kernel"])
        changed = {
            "direct": params["direct"].at[symbol].add(e),
            "hidden": params["hidden"] + back * trace,
            "kernel": params["kernel"] + s * e,
        }
        return (changed, s, trace), y

    pure = nnx.to_pure_dict(params)
    alive = jnp.arange(len(inputs)) < length
    start = (pure, jnp.zeros(()), jnp.zeros_like(pure["hidden"]))
    (changed, *_), outputs = jax.lax.scan(one, start, (inputs, targets, alive))
    leaves = jax.tree.leaves(changed)
    return outputs, jax.tree.unflatten(jax.tree.structure(params), leaves)

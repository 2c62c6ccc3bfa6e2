"""The net of 2a and 2b, its gradient by forward accumulation with an error at every step."""

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.forward import LOGISTIC, Output
from models.lstm97.net import LOGISTIC_G, Squash


def follow(
    params: nnx.State,
    inputs: jax.Array,
    scored: jax.Array,
    targets: jax.Array,
    rate: jax.Array,
    grown: jax.Array,
    at_once: bool,
    output: Output = LOGISTIC,
    g: Squash = LOGISTIC_G,
) -> tuple[jax.Array, nnx.State]:
    """One sequence of one trial, with a teacher signal at every step or at some.

    The derivative of the cell's state by the weights to cell and gate is carried along, as in the
    forward accumulation of the paper.

    Args:
        params: of a `LagNetwork97`.
        inputs: `[T, n_in]`, one-hot.
        scored: `[T]` bool, the steps at which there is a teacher signal.
        targets: `[T, n_out]`.
        rate: `[]`, learning rate.
        grown: `[]` bool, whether the memory cell has joined.
        at_once: whether every step goes with the weights that the step before has changed.
        output: kind of the output units.
        g: squashes the net input of the cell.

    Returns:
        Outputs `[T, n_out]` when they were compared with the targets, and the changed parameters.
    """

    def one(now, given):
        changed, s, trace = now
        used = changed if at_once else before
        x, target, counts = given
        symbol = jnp.argmax(x)
        net = used["hidden"][symbol]
        y_in, squashed = jax.nn.sigmoid(net[0]), g.activate(net[1])
        s = s + grown * y_in * squashed
        slopes = jnp.stack([y_in * (1 - y_in) * squashed, y_in * g.slope(squashed)])
        trace = trace.at[symbol].add(grown * slopes)
        y = output.activate(used["direct"][symbol] + s * used["kernel"])
        e = rate * counts * output.slope(y) * (target - y)
        back = jnp.sum(e * used["kernel"])
        changed = {
            "direct": changed["direct"].at[symbol].add(e),
            "hidden": changed["hidden"] + back * trace,
            "kernel": changed["kernel"] + s * e,
        }
        return (changed, s, trace), y

    before = jax.tree.map(jnp.asarray, nnx.to_pure_dict(params))
    start = (before, jnp.zeros(()), jnp.zeros_like(before["hidden"]))
    (changed, *_), outputs = jax.lax.scan(one, start, (inputs, targets, scored))
    leaves = jax.tree.leaves(changed)
    return outputs, jax.tree.unflatten(jax.tree.structure(params), leaves)

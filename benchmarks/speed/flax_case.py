"""flax's own recurrent layer, many trials by `jax.vmap`, as a case to be timed."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from benchmarks.speed.ours import RATE
from benchmarks.speed.work import CLIP, Sequences, Work


class FlaxNet(nnx.Module):
    """`nnx.RNN` of a cell, and a readout of the last step."""

    def __init__(
        self, cell: Callable[..., nnx.RNNCellBase], n_in: int, hidden: int, rngs: nnx.Rngs
    ):
        self.layer = nnx.RNN(cell(n_in, hidden, rngs=rngs), rngs=False)
        self.readout = nnx.Linear(hidden, 1, rngs=rngs)

    def __call__(self, inputs: jax.Array, last: jax.Array) -> jax.Array:
        """Inputs `[batch, T, n_in]`, number of the last step `[batch]` -> outputs `[batch, 1]`."""
        # A carry of zeros from outside: drawn inside, it would change the net's keys in a trace.
        carry = self.layer.cell.initialize_carry(inputs[:, 0].shape, nnx.Rngs(0))
        states = self.layer(inputs, initial_carry=carry)
        return self.readout(states[jnp.arange(len(last)), last])


@dataclass(frozen=True)
class Flax:
    """Training steps of trials side by side, a call of the compiled step each.

    Attributes:
        work: what is trained, but for its cell.
        cell: class of the cell.
        trials: how many trials.
        updates: training steps in a call.
    """

    work: Work
    cell: Callable[..., nnx.RNNCellBase]
    trials: int
    updates: int

    @property
    def amount(self) -> float:
        """Sequences that a call trains on, of all trials together."""
        return self.trials * self.updates * self.work.batch

    def prepare(self) -> Callable[[], object]:
        """Fresh trials and a batch for each."""
        sequences = jax.tree.map(jnp.asarray, self.work.sequences(self.trials))
        start, step = self.program()
        params = jax.vmap(start)(jax.random.split(jax.random.key(0), self.trials))
        now = [params, jax.vmap(ADAM.init)(params)]
        step = jax.jit(jax.vmap(step), donate_argnums=(0, 1))

        def train() -> None:
            for _ in range(self.updates):
                now[:] = step(*now, sequences)
            jax.block_until_ready(now)

        return train

    def program(self) -> tuple[Callable, Callable]:
        """Of one trial: key -> parameters, and (parameters, state of Adam, batch) -> both anew."""
        graph, _, *rest = nnx.split(self._net(jax.random.key(0)), nnx.Param, ...)

        def start(key: jax.Array) -> nnx.State:
            return nnx.state(self._net(key), nnx.Param)

        def step(params, state, batch: Sequences):
            gradient = jax.grad(lambda params: loss(nnx.merge(graph, params, *rest), batch))(params)
            change, state = ADAM.update(gradient, state, params)
            return optax.apply_updates(params, change), state

        return start, step

    def _net(self, key: jax.Array) -> FlaxNet:
        return FlaxNet(self.cell, 2, self.work.hidden, nnx.Rngs(key))


ADAM = optax.chain(optax.clip_by_global_norm(CLIP), optax.adam(RATE))


def loss(net: FlaxNet, batch: Sequences) -> jax.Array:
    """Squared error at the last step of each sequence, averaged over the batch."""
    outputs = net(jnp.asarray(batch.inputs), jnp.asarray(batch.last))
    return jnp.mean(jnp.sum((outputs - batch.targets) ** 2, -1))

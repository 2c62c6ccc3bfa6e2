"""The program of learners whose remedies work within backpropagation (`remedies.Remedied`)."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.learning.penalties import NormStabiliser, Omega
from benchmarks.learning.program import TEST, Drawn, Program, Setup, Trial
from benchmarks.learning.remedies import Remedied, penalised
from models.backflow import Nudged, Windowed
from models.network import Network, Preparing
from tasks.sequence import Sequence

DROP = TEST + 1  # one more stream of a trial's key


class RemediedProgram(Program):
    """As `Program`; the gradient is that of a loss with remedies. Tests and verdicts are as there.

    The readout is apart from the states, on which penalties and dropout work.
    """

    @property
    def learner(self) -> Remedied:
        """That of the recipe."""
        assert isinstance(self.recipe.learner, Remedied)  # `select` sees to it
        return self.recipe.learner

    def _gradient(self, setup: Setup, trial: Trial, batch: Drawn):
        sequences = jax.vmap(self._encoded)(batch)
        key = jax.random.fold_in(jax.random.fold_in(setup.key, DROP), trial.seen)
        strength = penalised(self.learner.penalty, setup.settings)
        if isinstance(self.learner.penalty, Omega):
            return self._with_omega(trial.params, sequences, key, strength)
        loss = self._penalised_loss
        return jax.value_and_grad(loss, has_aux=True)(trial.params, sequences, key, strength)

    def _penalised_loss(self, params, sequences: Sequence, key: jax.Array, strength):
        penalty = self.learner.penalty
        if penalty is None:
            return self._answered(params, self._answers(params, sequences), sequences, key)
        states = self._states(params, sequences.inputs, sequences.length)
        loss, verdicts = self._answered(params, self._asked(states, sequences), sequences, key)
        assert isinstance(penalty, NormStabiliser)
        return loss + strength * penalty.of_states(states, _alive(sequences)), verdicts

    def _with_omega(self, params, sequences: Sequence, key: jax.Array, strength):
        """One way back gives the gradient and the errors of all states; Omega's needs no other."""
        penalty, cell = self.learner.penalty, nnx.merge(self.graph, params).cell
        assert isinstance(penalty, Omega)
        inputs = jnp.moveaxis(sequences.inputs, -2, 0)
        offsets = jnp.zeros((*inputs.shape[:-1], cell.hidden_features))

        def loss(params, offsets):
            nudged = jnp.moveaxis(jnp.concatenate([inputs, offsets], -1), 0, -2)
            states = self._states(params, nudged, sequences.length, Nudged)
            asked = self._asked(states, sequences)
            loss, verdicts = self._answered(params, asked, sequences, key)
            return loss, (verdicts, states)

        def omega(params):
            cell = nnx.merge(self.graph, params).cell
            return strength * penalty.of_errors(cell, states, errors, _alive(sequences))

        there = jax.value_and_grad(loss, (0, 1), has_aux=True)
        (value, (verdicts, states)), (gradient, errors) = there(params, offsets)
        total = jax.tree.map(jnp.add, gradient, jax.grad(omega)(params))
        return (value, verdicts), total

    def _states(self, params, inputs: jax.Array, length: jax.Array, around: Any = None):
        """Outputs of the cell after every step, `[T, batch, H]`."""

        def unrolled(inputs, length):
            return self._stripped(params, around).states(inputs, length)

        if self.recipe.model.batched:
            return unrolled(inputs, length)
        return jax.vmap(unrolled, out_axes=1)(inputs, length)

    def _answers(self, params, sequences: Sequence) -> jax.Array:
        """Outputs of the cell where the net is asked, `[batch, answers, H]`."""

        def unrolled(inputs, length):
            network = self._stripped(params)
            if self.recipe.task.every_step:
                return network(inputs, length)
            return network.last(inputs, length)[..., None, :]

        batched = self.recipe.model.batched
        return (unrolled if batched else jax.vmap(unrolled))(sequences.inputs, sequences.length)

    def _stripped(self, params, around: Any = None) -> Network:
        """The network without its readout, its cell in what remedies put it into."""
        cell = nnx.merge(self.graph, params).cell
        cell = cell.prepared() if isinstance(cell, Preparing) else cell
        cell = around(cell) if around else cell
        if self.learner.window:
            cell = Windowed(cell, self.learner.window)  # FIDELITY D4
        return Network(cell, _itself)

    def _asked(self, states: jax.Array, sequences: Sequence) -> jax.Array:
        """Of all states, those where the net is asked, `[batch, answers, H]`."""
        if self.recipe.task.every_step:
            return jnp.moveaxis(states, 0, -2)
        return states[sequences.length - 1, jnp.arange(states.shape[1])][:, None]

    def _answered(self, params, asked: jax.Array, sequences: Sequence, key: jax.Array):
        """Mean loss of a batch, and the verdicts on it, from the states where the net is asked."""
        if self.learner.dropout:  # FIDELITY D5
            seen = jax.random.bernoulli(key, 1 - self.learner.dropout, asked.shape)
            asked = jnp.where(seen, asked / (1 - self.learner.dropout), 0)
        return self._judged(nnx.merge(self.graph, params).readout(asked), sequences)


def _alive(sequences: Sequence) -> jax.Array:
    """Which steps belong to their sequence, `[T, batch]`."""
    return jnp.arange(sequences.inputs.shape[-2])[:, None] < sequences.length


def _itself(y: jax.Array) -> jax.Array:
    return y

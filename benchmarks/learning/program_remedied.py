"""The program of learners whose remedies work within backpropagation (`remedies.Remedied`)."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.learning.penalties import NormStabiliser, Omega
from benchmarks.learning.program import TEST, Drawn, Program, Setup, Trial
from benchmarks.learning.remedies import Remedied, penalised
from models.backflow import Nudged, Windowed
from models.network import Network
from tasks.sequence import Sequence

DROP = TEST + 1  # one more stream of a trial's key


class RemediedProgram(Program):
    """As `Program`; the gradient is that of a loss with remedies. Tests and verdicts are as there.

    The readout is apart from the states of all steps, on which penalties are.
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
        states = self._states(params, sequences.inputs, sequences.length)
        loss, verdicts = self._answered(params, states, sequences, key)
        if isinstance(self.learner.penalty, NormStabiliser):
            loss += strength * self.learner.penalty.of_states(states, _alive(sequences))
        return loss, verdicts

    def _with_omega(self, params, sequences: Sequence, key: jax.Array, strength):
        """One way back gives the gradient and the errors of all states; Omega's needs no other."""
        penalty, cell = self.learner.penalty, nnx.merge(self.graph, params).cell
        assert isinstance(penalty, Omega)
        shape = (*sequences.inputs.shape[:-1], cell.hidden_features)

        def loss(params, offsets):
            inputs = jnp.concatenate([sequences.inputs, offsets], -1)
            states = self._states(params, inputs, sequences.length, Nudged)
            loss, verdicts = self._answered(params, states, sequences, key)
            return loss, (verdicts, states)

        def omega(params):
            cell = nnx.merge(self.graph, params).cell
            return strength * penalty.of_errors(cell, states, errors, _alive(sequences))

        there = jax.value_and_grad(loss, (0, 1), has_aux=True)
        (value, (verdicts, states)), (gradient, errors) = there(params, jnp.zeros(shape))
        total = jax.tree.map(jnp.add, gradient, jax.grad(omega)(params))
        return (value, verdicts), total

    def _states(self, params, inputs: jax.Array, length: jax.Array, around: Any = None):
        """Outputs of the cell after every step, `[batch, T, H]`."""

        def unrolled(inputs, length):
            cell = nnx.merge(self.graph, params).cell
            cell = around(cell) if around else cell
            if self.learner.window:
                cell = Windowed(cell, self.learner.window)  # FIDELITY R4
            return Network(cell, _itself)(inputs, length)

        batched = self.recipe.model.batched
        return (unrolled if batched else jax.vmap(unrolled))(inputs, length)

    def _answered(self, params, states: jax.Array, sequences: Sequence, key: jax.Array):
        """Mean loss of a batch, and the verdicts on it, from the states of all steps."""
        if not self.recipe.task.every_step:
            last = jnp.arange(states.shape[1]) == sequences.length[:, None] - 1
            # A product: the gradient of a gather would be slower.
            states = jnp.einsum("bt,bth->bh", last.astype(states.dtype), states)[:, None]
        if self.learner.dropout:  # FIDELITY R5
            seen = jax.random.bernoulli(key, 1 - self.learner.dropout, states.shape)
            states = jnp.where(seen, states / (1 - self.learner.dropout), 0)
        readout = nnx.merge(self.graph, params).readout
        return self._judged(readout(states), sequences)


def _alive(sequences: Sequence) -> jax.Array:
    """Which steps belong to their sequence, `[batch, T]`."""
    return jnp.arange(sequences.inputs.shape[-2]) < sequences.length[:, None]


def _itself(y: jax.Array) -> jax.Array:
    return y

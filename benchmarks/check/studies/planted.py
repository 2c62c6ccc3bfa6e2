"""Faults as somebody might make them, each planted in the experiments of a suite."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.learning.experiment import Experiment
from benchmarks.learning.learners import Adam, Momentum
from models.gru import GRU
from models.lstm import LSTM
from models.lstm97.net import Net97
from models.network import Recurrent
from tasks.adding import Adding
from tasks.pairs import hs97_pairs
from tasks.sequence import Sequence


class NoForgetBias(LSTM):
    """The forget bias starts at 0."""

    def __init__(self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs):
        super().__init__(in_features, hidden_features, memory=2.0, rngs=rngs)


class ForgetGateSign(LSTM):
    """The forget gate is the logistic function of minus its net input."""

    def __call__(self, carry, x):
        """One step."""
        c, h = carry
        i, f, g, o = jnp.split(x @ self.W_x + h @ self.W_h + self.b, 4, -1)
        c = jax.nn.sigmoid(-f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (c, h), h


class HiddenCut(LSTM):
    """No gradient through h, only through c."""

    def __call__(self, carry, x):
        """One step."""
        c, h = carry
        return super().__call__((c, jax.lax.stop_gradient(h)), x)


class UpdateGateSign(GRU):
    """The update gate keeps what it should replace; with zero biases the same cell by symmetry."""

    def __call__(self, carry, x):
        """One step."""
        h = carry
        xr, xz, xh = jnp.split(x @ self.W_x + self.b, 3, -1)
        hr, hz = jnp.split(h @ self.W_h, 2, -1)
        r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(-(xz + hz))
        h = z * h + (1 - z) * jnp.tanh(xh + (r * h) @ self.W_hh)
        return h, h


class StateCut(GRU):
    """No gradient through the state."""

    def __call__(self, carry, x):
        """One step."""
        return super().__call__(jax.lax.stop_gradient(carry), x)


@dataclass(frozen=True)
class AddingOffByOne(Adding):
    """The target adds the values that follow the marked ones."""

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        pairs = hs97_pairs(key, self.T)
        pairs = pairs._replace(values=2 * pairs.values - 1)
        late = pairs._replace(markers=jnp.roll(pairs.markers, 1), places=pairs.places + 1)
        return pairs.ask(0.5 + late.total() / 4)


class Fault(NamedTuple):
    """A fault; `plant` returns the experiment as it is where the fault does not touch it."""

    name: str
    what: str
    plant: Callable[[Experiment], Experiment]


def rate(factor: float) -> Callable[[Experiment], Experiment]:
    """Another learning rate everywhere."""
    return lambda each: replace(each, rate=factor * each.rate)


def cell(right: type, wrong: type) -> Callable[[Experiment], Experiment]:
    """Another cell in the place of one."""

    def planted(each: Experiment) -> Experiment:
        model = each.recipe.model
        if not (isinstance(model, Recurrent) and model.cell is right):
            return each
        return _with_recipe(each, model=replace(model, cell=wrong))

    return planted


def half_as_wide(each: Experiment) -> Experiment:
    """Half of the hidden units."""
    model = each.recipe.model
    if not isinstance(model, Recurrent):
        return each
    return _with_recipe(each, model=replace(model, hidden=model.hidden // 2))


def unclipped(each: Experiment) -> Experiment:
    """No bound on the gradient's norm."""
    learner = each.recipe.learner
    if not isinstance(learner, Adam | Momentum):
        return each
    return _with_recipe(each, learner=replace(learner, clip=float("inf")))


def off_by_one(each: Experiment) -> Experiment:
    """The wrong target of adding."""
    task = each.recipe.task
    return _with_recipe(each, task=AddingOffByOne(task.T)) if type(task) is Adding else each


def open_input_gates(each: Experiment) -> Experiment:
    """Input gates of 1997 that start open, not closed."""
    model = each.recipe.model
    if not (isinstance(model, Net97) and model.input_gate_bias):
        return each
    opened = tuple(-b for b in model.input_gate_bias)
    return _with_recipe(each, model=replace(model, input_gate_bias=opened))


def _with_recipe(each: Experiment, **changes) -> Experiment:
    return replace(each, recipe=replace(each.recipe, **changes))


FAULTS = (
    Fault("forget-bias", "LSTM: forget bias 0 instead of 1", cell(LSTM, NoForgetBias)),
    Fault("forget-sign", "LSTM: sign of the forget gate wrong", cell(LSTM, ForgetGateSign)),
    Fault("update-sign", "GRU: sign of the update gate wrong", cell(GRU, UpdateGateSign)),
    Fault("state-cut", "GRU: recurrent gradient cut", cell(GRU, StateCut)),
    Fault("hidden-cut", "LSTM: gradient through h cut, through c not", cell(LSTM, HiddenCut)),
    Fault("input-bias", "LSTM of 1997: sign of the input gates' bias wrong", open_input_gates),
    Fault("off-by-one", "adding: target of the values after the marked ones", off_by_one),
    Fault("no-clip", "gradient not clipped", unclipped),
    Fault("half-width", "half of the hidden units", half_as_wide),
    Fault("half-rate", "learning rate halved", rate(0.5)),
    Fault("double-rate", "learning rate doubled", rate(2.0)),
)

"""The fast program of the net of 2000, where the only teacher signal comes at the last step."""

from typing import Any

import jax
from flax import nnx

from benchmarks.learning.experiment import Recipe
from benchmarks.learning.program_forward import Ended, ForwardProgram
from models.lstm00 import ended, online
from models.lstm00.net import Net00


class ForwardProgram00(ForwardProgram):
    """The compiled functions of a recipe; see `Program`.

    Raises:
        ValueError: the net is not a `Net00` with the truncated gradient.
    """

    def _check(self, recipe: Recipe) -> None:
        if not isinstance(recipe.model, Net00) or not recipe.model.truncate:
            raise ValueError("forward accumulation needs a Net00 with the truncated gradient")
        self.blocks = recipe.model.blocks

    def _weights(self, params: nnx.State) -> Any:
        return online.from_params(params)

    def _params(self, weights: Any, like: nnx.State) -> nnx.State:
        return online.to_params(weights, like)

    def _answers(self, weights: Any, sequence: Ended) -> tuple[jax.Array, Any]:
        given = sequence.inputs, sequence.length, sequence.target
        return ended.gradient(weights, *given, self.blocks, self.output)

    def _outputs(self, weights: Any, tests: Ended) -> jax.Array:
        return ended.outputs(weights, tests.inputs, tests.length, self.blocks, self.output)

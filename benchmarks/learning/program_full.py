"""The fast program of the 1997 learner with the full gradient: trials in the last axis, too."""

from benchmarks.learning.experiment import Recipe
from benchmarks.learning.program_forward import ForwardProgram
from models.lstm97 import full
from models.lstm97.net import Net97


class FullProgram(ForwardProgram):
    """The compiled functions of a recipe; see `Program`.

    Raises:
        ValueError: the net is not a `Net97` with the full gradient.
    """

    gradient = staticmethod(full.gradient)

    def _check(self, recipe: Recipe) -> None:
        if not isinstance(recipe.model, Net97) or recipe.model.truncate:
            raise ValueError("this program is for a Net97 with the full gradient")
        self._require_no_shortcuts(recipe.model)

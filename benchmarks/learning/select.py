"""Which program trains a recipe."""

import functools

from benchmarks.learning.experiment import Recipe
from benchmarks.learning.learners import Online
from benchmarks.learning.program import Program
from benchmarks.learning.program_cascade import CascadeProgram
from benchmarks.learning.program_every_step import EveryStepProgram
from benchmarks.learning.program_forward import ForwardProgram
from benchmarks.learning.program_forward00 import ForwardProgram00
from benchmarks.learning.program_full import FullProgram
from benchmarks.learning.program_guessing import GuessProgram
from benchmarks.learning.program_online_stream import OnlineStreamProgram
from benchmarks.learning.program_remedied import RemediedProgram
from benchmarks.learning.program_rivals import Follows, RivalProgram
from benchmarks.learning.program_windows import WindowProgram
from models.lstm00.net import Net00
from models.lstm97.lag_net import LagNet97
from models.lstm97.net import Net97


@functools.cache
def program(recipe: Recipe) -> Program:
    """The program of a recipe; asking twice does not compile twice."""
    if recipe.learner.program == "bptt":
        return FullProgram(recipe) if _full_97(recipe) else Program(recipe)
    special = {
        "remedied": RemediedProgram,
        "guessing": GuessProgram,
        "cascade": CascadeProgram,
        "windows": WindowProgram,
        "stream": OnlineStreamProgram,
    }
    if recipe.learner.program in special:
        return special[recipe.learner.program](recipe)
    if isinstance(recipe.model, Follows):
        return RivalProgram(recipe)
    if recipe.task.every_step or isinstance(recipe.model, LagNet97):
        return EveryStepProgram(recipe)
    forward = ForwardProgram00 if isinstance(recipe.model, Net00) else ForwardProgram
    return forward(recipe)


def _full_97(recipe: Recipe) -> bool:
    """Whether it is the learner of 1997, but with the full gradient, of an error at the end."""
    full = isinstance(recipe.model, Net97) and not recipe.model.truncate
    return full and isinstance(recipe.learner, Online) and not recipe.task.every_step

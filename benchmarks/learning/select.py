"""Which program trains a recipe."""

import functools

from benchmarks.learning.experiment import Recipe
from benchmarks.learning.program import Program
from benchmarks.learning.program_every_step import EveryStepProgram
from benchmarks.learning.program_forward import ForwardProgram


@functools.cache
def program(recipe: Recipe) -> Program:
    """The program of a recipe; asking twice does not compile twice."""
    if recipe.learner.program == "bptt":
        return Program(recipe)
    return EveryStepProgram(recipe) if recipe.task.every_step else ForwardProgram(recipe)

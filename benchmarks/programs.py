"""Which program trains a recipe."""

import functools

from benchmarks.every_step import EveryStepProgram
from benchmarks.experiment import Recipe
from benchmarks.forward import ForwardProgram
from benchmarks.trial import Program


@functools.cache
def program(recipe: Recipe) -> Program:
    """The program of a recipe; asking twice does not compile twice."""
    if recipe.learner.program == "bptt":
        return Program(recipe)
    return EveryStepProgram(recipe) if recipe.task.every_step else ForwardProgram(recipe)

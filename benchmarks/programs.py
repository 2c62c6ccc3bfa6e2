"""Which program trains a recipe."""

import functools

from benchmarks.experiment import Recipe
from benchmarks.forward import ForwardProgram
from benchmarks.trial import Program


@functools.cache
def program(recipe: Recipe) -> Program:
    """The program of a recipe; asking twice does not compile twice."""
    return ForwardProgram(recipe) if recipe.learner.forward else Program(recipe)

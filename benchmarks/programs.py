"""Which program trains a recipe."""

import functools

from benchmarks.experiment import Recipe
from benchmarks.forward import ForwardProgram
from benchmarks.stepwise import StepwiseProgram
from benchmarks.trial import Program

PROGRAMS = {"bptt": Program, "forward": ForwardProgram, "stepwise": StepwiseProgram}


@functools.cache
def program(recipe: Recipe) -> Program:
    """The program of a recipe; asking twice does not compile twice."""
    return PROGRAMS[recipe.learner.program](recipe)

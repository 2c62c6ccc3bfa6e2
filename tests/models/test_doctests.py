import doctest
import inspect
import re
import sys

import pytest

from benchmarks.suites.cells import EVERY
from models import wrappers
from models.wrappers import Bidirectional, Normalised, Stack

CELLS = [cell for cell in EVERY.values() if inspect.isclass(cell)]
MODULES = list(dict.fromkeys(sys.modules[cell.__module__] for cell in CELLS))


@pytest.mark.parametrize("module", [*MODULES, wrappers], ids=lambda module: module.__name__)
def test_examples_run(module):
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0


@pytest.mark.parametrize("thing", [*CELLS, Stack, Normalised, Bidirectional])
def test_every_cell_and_wrapper_has_an_example(thing):
    examples = doctest.DocTestFinder().find(sys.modules[thing.__module__])
    code = "".join(example.source for test in examples for example in test.examples)
    assert thing.__name__ in re.findall(r"\w+", code)

import itertools
import linecache
import sys

import pytest
from flax import nnx

from benchmarks.learning.experiment import describe
from benchmarks.learning.own_source import own_source
from models.gru import GRU

CELL = """
import functools
import jax
import jax.numpy as jnp
import helper

SCALE = 2.0
unrelated = 1
h = 1

def squash(x):
    return SCALE * jnp.tanh(x)

class Base:
    def start(self):
        return 0

def made(bias):
    class Mine(Base):
        gain = 3

        def __init__(self, n, keep=0.5):
            self.n = n

        def __call__(self, x):
            h = squash(x) + bias
            return helper.doubled(h)

        @property
        def width(self):
            return 4

        @staticmethod
        def order():
            return 5

        @functools.partial(jax.jit, static_argnums=0)
        def compiled(self, x):
            return [x + i for i in range(6)]

    return Mine

Mine = made(7)
"""
HELPER = "def doubled(x):\n    return 2 * x\n"
number = itertools.count()


@pytest.fixture(params=[True, False], ids=["text", "no text"])
def digest(request, tmp_path, monkeypatch):
    """The digest of the class in a notebook's cell, or typed at a prompt that keeps no text."""
    monkeypatch.syspath_prepend(tmp_path)

    def of(cell=CELL, helper=HELPER):
        name = f"<cell {next(number)}>"
        if request.param:
            linecache.cache[name] = (len(cell), None, cell.splitlines(True), name)
        (tmp_path / "helper.py").write_text(helper)
        sys.modules.pop("helper", None)
        linecache.checkcache(str(tmp_path / "helper.py"))
        space = {"__name__": "__main__"}
        exec(compile(cell, name, "exec"), space)
        return own_source(space["Mine"])

    yield of
    sys.modules.pop("helper", None)


def test_the_same_source_is_the_same_class(digest):
    assert digest() == digest() != ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.n = n", "self.n = n + 1"),  # a method
        ("keep=0.5", "keep=0.6"),  # a default
        ("gain = 3", "gain = 4"),  # an attribute
        ("return 4", "return 5"),  # a property
        ("return 5", "return 6"),  # a static method
        ("range(6)", "range(7)"),  # within a compiled method
        ("return 0", "return 1"),  # a base class
        ("jnp.tanh", "jnp.sin"),  # a function that it calls
        ("SCALE = 2.0", "SCALE = 2.5"),  # a number that this one uses
        ("made(7)", "made(8)"),  # what it encloses
    ],
)
def test_an_edit_makes_another_class(digest, old, new):
    assert CELL.count(old) == 1
    assert digest(CELL.replace(old, new)) != digest()


def test_an_edit_of_an_imported_module_makes_another_class(digest):
    assert digest(helper=HELPER.replace("2", "3")) != digest()


@pytest.mark.parametrize(("old", "new"), [("unrelated = 1", "unrelated = 2"), ("h = 1", "h = 2")])
def test_what_it_does_not_use_is_no_part_of_it(digest, old, new):
    assert CELL.count(f"\n{old}") == 1
    assert digest(CELL.replace(f"\n{old}", f"\n{new}")) == digest()


@pytest.mark.parametrize("thing", [GRU, nnx.GRUCell, nnx.Linear, dict, describe])
def test_code_of_the_project_and_of_packages_is_known_by_its_name(thing):
    assert own_source(thing) == ""

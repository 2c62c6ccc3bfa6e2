import functools
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from benchmarks.cli.changes import Changes
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import describe
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.running import guarded, source_file
from benchmarks.running.cell_file import cell_from, cells_from
from tests.cells.leaky import Leaky
from tests.support.documents import python_of
from tests.support.tiny import EXPERIMENT

CELLS = Path(__file__).parents[1] / "cells"
FILE = str(CELLS / "leaky.py")
SMALL = SimpleNamespace(name="small", experiments=[EXPERIMENT], matched=False)  # a suite
STACKED = str(CELLS / "stacked_gru.py")


def test_a_users_cell_is_made_and_travels_to_workers():
    cell = pickle.loads(pickle.dumps(cell_from(f"{FILE}:Leaky")))
    made = cell(3, 5, rngs=nnx.Rngs(0))
    assert type(made).__name__ == "Leaky"
    assert made.inner.kernel.shape == (8, 5)


def test_a_cell_is_the_same_wherever_its_file_lies_and_another_when_the_text_changes(tmp_path):
    original = cell_from(f"{FILE}:Leaky")
    copy = tmp_path / "copy.py"
    copy.write_text(Path(FILE).read_text())
    assert cell_from(f"{copy}:Leaky") == original
    assert describe(cell_from(f"{copy}:Leaky")) == describe(original)
    copy.write_text(Path(FILE).read_text() + "# changed\n")
    assert describe(cell_from(f"{copy}:Leaky")) != describe(original)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("WrongOutput", r"output of shape \(8,\).*must be \(5,\)"),
        ("WrongCarry", "changes the shape of its carry"),
        ("Crashing", "RuntimeError: out of order with a second line$"),
        ("NoRngs", r"does not work as cell\(3, 5, rngs=...\)"),
        ("Missing", "has no class Missing"),
    ],
)
def test_an_unfit_cell_is_refused_in_one_line(name, message):
    with pytest.raises(UsageError, match=message) as refusal:
        cell_from(f"{FILE}:{name}")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("spec", ["file.py", "file.py:", "file.py:not a name", ""])
def test_a_spec_that_is_none(spec):
    with pytest.raises(UsageError, match=r"wants FILE.py:ClassName"):
        cell_from(spec)


def test_a_file_that_is_not_there():
    with pytest.raises(UsageError, match="cannot read the cell file nowhere"):
        cell_from("nowhere.py:Cell")


@pytest.mark.parametrize(
    "text",
    [
        "import nonsense_module",
        "def broken(:",
        "1 / 0",
        "\x00",
        "import sys; sys.exit(0)",
        "exit(7)",
        "import os; os._exit(0)",
        "raise GeneratorExit",
    ],
)
def test_a_file_that_does_not_import(tmp_path, text):
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(UsageError, match="does not import") as refusal:
        cell_from(f"{tmp_path / 'bad.py'}:Cell")
    assert "\n" not in str(refusal.value)


def test_what_the_file_imports_from_its_folder_is_part_of_the_cell(tmp_path):
    (tmp_path / "cell.py").write_text("from helper import Leaky as Cell\n")
    (tmp_path / "helper.py").write_text(Path(FILE).read_text())
    (tmp_path / "other.py").write_text("")  # not imported
    before = cell_from(f"{tmp_path / 'cell.py'}:Cell")
    (tmp_path / "other.py").write_text("# changed\n")
    assert cell_from(f"{tmp_path / 'cell.py'}:Cell") == before
    (tmp_path / "helper.py").write_text(Path(FILE).read_text() + "# changed\n")
    assert describe(cell_from(f"{tmp_path / 'cell.py'}:Cell")) != describe(before)


def test_an_attribute_error_inside_the_file_is_told_as_what_it_is(tmp_path):
    (tmp_path / "bad.py").write_text("import math\nmath.nothing\n")
    with pytest.raises(UsageError, match="does not import: AttributeError: module 'math'"):
        cell_from(f"{tmp_path / 'bad.py'}:Cell")


def test_a_subclass_does_not_inherit_the_identity_of_its_parent():
    class Parent:
        fingerprint = "old.path"

    class Child(Parent):
        pass

    assert describe(Parent) == "old.path"
    assert describe(Child).endswith("Child")


def test_an_endless_loop_in_the_file_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(guarded, "PATIENCE", 0.05)
    (tmp_path / "bad.py").write_text("while True:\n    try: 1 / 0\n    except Exception: pass\n")
    with pytest.raises(UsageError, match=r"does not import: .*not done after .* endless loop"):
        cell_from(f"{tmp_path / 'bad.py'}:Cell")


def test_arguments_reach_the_cell_and_are_part_of_its_label_and_identity():
    plain, one, three = (
        cell_from(f"{STACKED}:StackedGRU{a}") for a in ("", "(layers=1)", "(layers=3)")
    )
    assert [plain.label, one.label, three.label] == [
        "StackedGRU",
        "StackedGRU(layers=1)",
        "StackedGRU(layers=3)",
    ]
    assert [len(c(3, 5, rngs=nnx.Rngs(0)).layers) for c in (plain, one, three)] == [2, 1, 3]
    assert len({describe(each) for each in (plain, one, three)}) == 3


@pytest.mark.parametrize("made", [np.zeros, jnp.zeros])
def test_long_arrays_among_arguments_are_told_apart(made):
    """By all of their numbers, of which a text of them shows a few."""
    one, same = (functools.partial(Leaky, table=np.asarray(made(3000))) for _ in range(2))
    table = np.zeros(3000)
    table[1500] = 1
    other = functools.partial(Leaky, table=jnp.asarray(table) if made is jnp.zeros else table)
    assert describe(one) == describe(same) != describe(other)
    assert describe(one) != describe(functools.partial(Leaky, table=made((3000, 1))))


def test_order_and_spelling_of_arguments_make_no_other_cell(tmp_path):
    (tmp_path / "my.py").write_text(
        Path(FILE).read_text()
        + "class Mine(Leaky):\n"
        + "    def __init__(self, n_in, n_hidden, *, a, b, rngs):\n"
        + "        super().__init__(n_in, n_hidden, rngs=rngs)\n"
    )
    specs = ["Mine(a=16,b=['x y', -1.5])", 'Mine( b = ["x y",-1.50], a=0x10 )']
    (cell,) = cells_from([f"{tmp_path / 'my.py'}:{spec}" for spec in specs])
    assert cell.keywords == {"a": 16, "b": ["x y", -1.5]}
    assert cell.label == "Mine(a=16,b=(xy,-1.5))"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("(layers=__import__('os'))", "not literal values"),
        ("(layers=1 + len('x'))", "not literal values"),
        ("(layers=2).mro(x=1)", "not literal values"),
        ("(layers=", "wants FILE.py:ClassName"),
        ("(layers=2, layers=3)", "must be given by name, each once"),
        ("(2)", "must be given by name"),
        ("(**{})", "must be given by name"),
        ("(depth=2)", "does not work as cell.*unexpected keyword argument 'depth'"),
        (f"(name={'x' * 100!r})", "too long for the name of a results file"),
    ],
)
def test_arguments_that_are_none(arguments, message):
    with pytest.raises(UsageError, match=message) as refusal:
        cell_from(f"{STACKED}:StackedGRU{arguments}")
    assert "\n" not in str(refusal.value)


def test_cells_of_one_name_have_different_labels_and_identities(tmp_path):
    text = Path(FILE).read_text()
    paths = [tmp_path / name for name in ("one/my.py", "two/my.py", "other.py")]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text}# {number}\n")
    cells = cells_from([*(f"{path}:Leaky" for path in paths), "flax.nnx:GRUCell"])
    assert [each.label for each in cells] == [
        "one.my.Leaky",
        "two.my.Leaky",
        "other.Leaky",
        "GRUCell",
    ]
    assert len({describe(each) for each in cells}) == 4
    assert [each.label for each in cells_from([f"{paths[0]}:Leaky"])] == ["Leaky"]


def test_a_device_is_not_read():
    with pytest.raises(UsageError, match=r"^/dev/zero is not a file$"):
        cell_from("/dev/zero:Leaky")


def test_a_label_is_no_formula(tmp_path):
    paths = [tmp_path / "=1+1.py", tmp_path / "other.py"]
    for path in paths:
        path.write_text(f"{Path(FILE).read_text()}# {path.name}\n")
    labels = [each.label for each in cells_from([f"{path}:Leaky" for path in paths])]
    assert labels == ["_1+1.Leaky", "other.Leaky"]


def test_a_cell_that_is_named_twice_is_one():
    assert len(cells_from([f"{FILE}:Leaky", f"{FILE}:Leaky"])) == 1


def test_helpers_of_one_name_are_those_of_the_own_folder(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my.py").write_text("from own_helper import Leaky, NAME\n")
        (tmp_path / folder / "own_helper.py").write_text(
            f"{Path(FILE).read_text()}\nNAME = {folder!r}\n"
        )
    cells = cells_from([f"{tmp_path / folder / 'my.py'}:Leaky" for folder in ("one", "two")])
    assert "own_helper" not in sys.modules
    assert [c.load().__init__.__globals__["NAME"] for c in cells] == ["one", "two"]


def test_a_file_that_is_changed_before_a_worker_reads_it_is_refused(tmp_path):
    path = tmp_path / "my.py"
    path.write_text(Path(FILE).read_text())
    cell = cell_from(f"{path}:Leaky")
    path.write_text(Path(FILE).read_text() + "# changed\n")
    assert cell(3, 5, rngs=nnx.Rngs(0))  # as it was when it was loaded
    source_file.executed.cache_clear()  # as in another process
    with pytest.raises(UsageError, match="has been changed since"):
        cell(3, 5, rngs=nnx.Rngs(0))


def test_a_module_of_ones_own_counts_with_its_source(tmp_path, monkeypatch):
    package = tmp_path / "own_package_of_cells"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "cells.py").write_text("from .helper import Leaky\n")
    (package / "helper.py").write_text(Path(FILE).read_text())
    monkeypatch.syspath_prepend(tmp_path)
    spec = "own_package_of_cells.cells:Leaky"
    before = cell_from(spec)
    (package / "unrelated.py").write_text("")
    assert cell_from(spec) == before
    (package / "helper.py").write_text(Path(FILE).read_text() + "# changed\n")
    assert cell_from(spec).source != before.source


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere_at_all:Cell", "no Python module nowhere_at_all"),
        ("nowhere_at_all.deep:Cell", "nowhere_at_all.deep does not import"),
        ("flax.nnx:NoSuchCell", "flax.nnx has no class NoSuchCell"),
        ("flax.linen:GRUCell", "is a Linen module; the cell must be an nnx cell"),
        ("builtins:dict", "no Python module builtins"),
    ],
)
def test_a_module_or_class_that_is_none(spec, message):
    with pytest.raises(UsageError, match=message) as refusal:
        cell_from(spec)
    assert "\n" not in str(refusal.value)


STATEFUL = """
from flax import nnx
import jax.numpy as jnp

class Base(nnx.RNNCellBase):
    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return jnp.zeros(5)

class Drops(Base):
    def __init__(self, n, h, *, rngs):
        self.part = nnx.Dropout(0.1, rngs=rngs)

class Normalises(Base):
    def __init__(self, n, h, *, rngs):
        self.parts = nnx.List([nnx.BatchNorm(h, rngs=rngs)])

class Counts(Base):
    def __init__(self, n, h, *, rngs):
        self.count = nnx.Variable(jnp.zeros(()))

class Listed(Base):
    def __init__(self, n, h, *, rngs):
        self.layers = [nnx.Linear(n, h, rngs=rngs)]

class Module:
    pass

Module.__module__ = "equinox._module"

class OfEquinox(Module):
    pass

class Plain:
    def __init__(self, n, h, *, rngs):
        pass
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Drops", r"keeps state other than nnx.Param, in part \(Dropout\);"),
        ("Normalises", r"keeps state other than nnx.Param, in parts.0 \(BatchNorm\);"),
        ("Counts", "keeps state other than nnx.Param, in itself;"),
        ("Listed", r"static attribute 'layers'.*try using nnx.List\(...\)"),
        ("OfEquinox", "is an Equinox module; the cell must be an nnx cell"),
        ("Plain", "the cell must be an nnx.Module"),
    ],
)
def test_what_is_no_cell_of_weights_and_carry_is_named(tmp_path, name, message):
    (tmp_path / "my.py").write_text(STATEFUL)
    with pytest.raises(UsageError, match=message) as refusal:
        cell_from(f"{tmp_path / 'my.py'}:{name}")
    assert "\n" not in str(refusal.value)


ODD = """
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from flax import nnx


@dataclass
class Sizes:
    more: int = 0
    fewer: ClassVar[int] = 0


class Good(nnx.RNNCellBase):
    sizes = Sizes()

    def __init__(self, n_in, n_hidden, *, rngs):
        self.n_hidden = n_hidden + self.sizes.more
        self.w = nnx.Linear(n_in + n_hidden, n_hidden, rngs=rngs)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return jnp.zeros((*input_shape[:-1], self.n_hidden))

    def __call__(self, carry, x):
        h = jnp.tanh(self.w(jnp.concatenate([carry, x], -1)))
        return h, h


class Counts(Good):
    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return super().initialize_carry(input_shape), 0, 0.5, None

    def __call__(self, carry, x):
        h, y = super().__call__(carry[0], x)
        return (h, carry[1] + 1, carry[2], None), y


class Whole(Good):
    def __init__(self, n_in, n_hidden, *, rngs):
        super().__init__(n_in, n_hidden, rngs=rngs)
        self.k = nnx.Param(jnp.zeros(3, jnp.int32))


class OneSize(Good):
    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return jnp.zeros((*input_shape[:-1], 5))


class NoGradient(Good):
    def __call__(self, carry, x):
        h, y = super().__call__(carry, x)
        return nnx.while_loop(lambda c: c.sum() > 99, lambda c: c - self.w.bias[0], h), y


class Setting(Good):
    settings = 3


class OtherSetting(Good):
    settings = ("depth",)


class Promises(Good):
    settings = ("memory",)


class Batched(Good):
    batched = "yes"
"""


@pytest.fixture
def odd(tmp_path):
    (tmp_path / "odd.py").write_text(ODD)
    return tmp_path / "odd.py"


@pytest.mark.parametrize("name", ["Good", "Counts"])
def test_postponed_annotations_of_a_dataclass_and_numbers_in_the_carry_work(odd, name):
    (experiment,) = Changes(cells=(f"{odd}:{name}",)).applied(SMALL)
    lanes = Lanes(0, [Run(experiment, 0)])
    lanes.advance()
    assert np.isfinite(
        np.concatenate([p.ravel() for p in jax.tree.leaves(lanes.trials.params)])
    ).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Whole", "has a parameter k of int32, which cannot be trained; make it a constant"),
        ("OneSize", r"two-sequence-10.OneSize cannot be trained with 4 hidden units: TypeError"),
        (
            "NoGradient",
            "NoGradient cannot be trained with 4 hidden units: ValueError: Reverse-mode",
        ),
        ("Setting", r"settings must be a tuple of 'memory' or 'scale', not 3"),
        ("OtherSetting", r"settings must be a tuple of 'memory' or 'scale', not \('depth',\)"),
        ("Promises", "unexpected keyword argument 'memory'"),
        ("Batched", "batched must be True or False, not 'yes'"),
    ],
)
def test_what_would_fail_in_a_worker_is_refused_before(odd, name, message):
    with pytest.raises(UsageError, match=message) as refusal:
        Changes(cells=(f"{odd}:{name}",)).applied(SMALL)
    assert "\n" not in str(refusal.value)


UNTELLABLE = "type('E', (Exception,), {'__str__': lambda self: 1 / 0})()"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("settings = 3", "settings = property(lambda self: 1 / 0)", "not <property object"),
        ("class Setting(Good):", f"raise {UNTELLABLE}\nclass A:", "E: <exception str.. failed>$"),
        (
            "class Setting(Good):",
            "class Meta(type(Good)):\n    settings = property(lambda s: 1 / 0)"
            "\n\nclass Setting(Good, metaclass=Meta):\n    pass\nclass A:",
            "a cell: ZeroDivisionError",
        ),
    ],
)
def test_what_a_class_or_an_error_does_when_it_is_asked_is_told(odd, old, new, message):
    odd.write_text(ODD.replace(old, new, 1))
    with pytest.raises(UsageError, match=message):
        cell_from(f"{odd}:Setting")


@pytest.mark.parametrize("name", ["odd", "odd.txt"])
def test_a_file_that_does_not_end_in_py_is_refused(odd, name):
    odd.rename(odd.with_name(name))
    with pytest.raises(UsageError, match=rf"{name} is no Python file; its name must end in \.py"):
        cell_from(f"{odd.with_name(name)}:Good")


def test_the_link_of_a_refusal_leads_to_a_wrapper_that_works(tmp_path):
    with pytest.raises(UsageError, match=r"CONTRIBUTING.md#a-cell-of-another-library"):
        cell_from("flax.linen:GRUCell")
    (tmp_path / "my.py").write_text(python_of("CONTRIBUTING.md", "A cell of another library"))
    cell = cell_from(f"{tmp_path / 'my.py'}:LinenGRU")(3, 5, rngs=nnx.Rngs(0))
    h, x = jnp.linspace(-1, 1, 5), jnp.linspace(0, 1, 3)
    weights = linen.GRUCell(5).init(nnx.Rngs(0).params(), h, x)
    expected = linen.GRUCell(5).apply(weights, h, x)
    for found, wanted in zip(jax.tree.leaves(cell(h, x)), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)

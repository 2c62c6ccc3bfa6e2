import pickle
from pathlib import Path

import pytest
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import describe
from benchmarks.running.cell_file import cell_from

FILE = str(Path(__file__).parents[1] / "cells" / "leaky.py")


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
        ("NoRngs", r"does not work as cell\(in_features, hidden_features, rngs=...\)"),
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


@pytest.mark.parametrize("text", ["import nonsense_module", "def broken(:", "1 / 0", "\x00"])
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

import importlib
import shutil
import sys

import pytest

from benchmarks.errors import UsageError
from benchmarks.running import cell_file, parcel, source_file
from benchmarks.running.cell_file import cell_from

CELL = """
from flax import nnx
from parts.size import FACTOR

class Wide(nnx.GRUCell):
    factor = FACTOR
"""


@pytest.fixture
def cell(tmp_path):
    """A cell from a file that imports another."""
    folder = tmp_path / "there"
    (folder / "parts").mkdir(parents=True)
    (folder / "wide.py").write_text(CELL)
    (folder / "parts" / "__init__.py").write_text("")
    (folder / "parts" / "size.py").write_text("FACTOR = 3\n")
    return cell_from(f"{folder}/wide.py:Wide")


def test_a_cell_from_a_file_brings_the_file_and_what_it_imports(cell, tmp_path):
    sent = parcel.packed([cell, cell])
    shutil.rmtree(tmp_path / "there")
    source_file.executed.cache_clear()
    here, same = parcel.unpacked(sent, tmp_path / "here")
    assert here == same == cell
    assert here.label == cell.label == "Wide"
    assert here.load().factor == 3
    assert str(tmp_path / "here") in here.where


def test_a_file_that_is_gone_before_it_is_sent(cell, tmp_path):
    shutil.rmtree(tmp_path / "there")
    with pytest.raises(UsageError, match=r"wide\.py"):
        parcel.packed(cell)


def test_a_cell_of_a_package_must_be_the_same_there(tmp_path, monkeypatch):
    cell = cell_from("flax.nnx:GRUCell")
    assert parcel.unpacked(parcel.packed(cell), tmp_path) == cell
    sent = parcel.packed(cell)
    monkeypatch.setattr(source_file, "module_digest", lambda name: "flax 0.1")
    with pytest.raises(UsageError, match=r"^flax\.nnx is another version on a worker than here$"):
        parcel.unpacked(sent, tmp_path)


def test_what_stands_in_a_module_of_the_users_is_sent(tmp_path, monkeypatch):
    (tmp_path / "my_parts.py").write_text(
        "def twice(x):\n    return 2 * _given(x)\n\ndef _given(x):\n    return x\n"
    )
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        module = importlib.import_module("my_parts")
        sent = parcel.packed([module.twice, cell_file.cell_from])
    del sys.modules["my_parts"]
    twice, known = parcel.unpacked(sent, tmp_path)
    assert twice(4) == 8
    assert known is cell_file.cell_from  # of the project: named, not sent

import pytest

from benchmarks import suites
from benchmarks.cli.changes import Changes
from benchmarks.report import glossary
from tests.support.tiny import experiment


@pytest.mark.parametrize("name", ["quick", "paper", "fidelity", "gradient-flow"])
def test_every_task_and_cell_is_explained_once(name):
    experiments = suites.load(name).experiments
    for entries, label in ((glossary.tasks, "task"), (glossary.cells, "cell")):
        found = entries(experiments)
        labels = [each for key in found for each in key.split(", ")]
        assert sorted(labels) == sorted({getattr(each, label) for each in experiments})
        assert len(set(found.values())) == len(found)
        assert all(text[0].isupper() and text[-1] in ".?" for text in found.values())


def test_the_text_is_the_first_line_of_the_docstring():
    assert glossary.cells([experiment()]) == {"rnn": "Fully recurrent tanh units (Elman 1990)."}
    quick = suites.load("quick").experiments
    assert glossary.tasks(quick)["adding"] == "Sum of two marked values out of many."


def test_a_stack_is_its_cell_in_layers():
    (chosen,) = [e for e in suites.load("compare").experiments if e.name == "copy-100.lru-2"]
    text = glossary.cells([chosen])["lru-2"]
    assert text.startswith("Linear recurrent unit: ")
    assert text.endswith(". Here in 2 layers.")


def test_a_cell_of_ones_own_is_explained_by_its_own_docstring(tmp_path):
    code = 'from flax import nnx\nclass Mine(nnx.GRUCell):\n    """Mine, all mine."""\n'
    (tmp_path / "my.py").write_text(code)
    own = Changes(cells=(f"{tmp_path}/my.py:Mine",)).applied(suites.load("tiny"))
    assert glossary.cells(own) == {"Mine": "Mine, all mine."}

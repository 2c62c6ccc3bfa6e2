"""A task of one's own: what CONTRIBUTING shows, and what is refused."""

import re

import cloudpickle
import jax
import numpy as np
import pytest

from benchmarks.errors import UsageError
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.running import task_file
from benchmarks.running.task_file import task_from
from tasks import adding, lag, reber, temporal_order, two_sequence
from tests.support.documents import python_of
from tests.support.tiny import experiment

TEXT = python_of("CONTRIBUTING.md", "A task in one file")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my.py"
    path.write_text(TEXT)
    return path


def test_the_task_of_the_document_is_taken_with_its_arguments(file):
    task = task_from(f"{file}:Recall(T=7)")
    assert (task.T, task.steps, task.lag, task_from(f"{file}:Recall").T) == (7, 7, 6, 20)
    sequence = jax.device_get(task.sample(jax.random.key(3)))
    assert sequence.targets[6] == sequence.inputs[0]
    assert (sequence.targets[:6] == 0).all()
    assert sequence.scored.tolist() == [False] * 6 + [True]
    assert np.asarray(task.relevant(sequence)).tolist() == [True] + [False] * 6
    outputs = np.zeros((7, 1), np.float32)
    for off, wrong in ((0.09, False), (0.11, True)):
        outputs[6] = sequence.targets[6] + off
        assert bool(task.judge(outputs, sequence).wrong) is wrong


def test_the_task_of_the_document_trains(file):
    lanes = Lanes(0, [Run(experiment(task=task_from(f"{file}:Recall(T=5)")), 0)])
    lanes.advance()
    assert int(lanes.trials.seen[0]) == 40


def test_a_task_travels_to_workers(file):
    task = task_from(f"{file}:Recall(T=7)")
    travelled = cloudpickle.loads(cloudpickle.dumps(task))
    key = jax.random.key(1)
    np.testing.assert_array_equal(travelled.sample(key).inputs, task.sample(key).inputs)
    assert type(travelled).__name__ == "Recall"


def digest(spec):
    return experiment(task=task_from(spec)).digest


def test_a_task_counts_with_its_arguments_and_its_source(file, tmp_path):
    found = [digest(f"{file}:Recall(T={T})") for T in (7, 8)]
    assert digest(f"{file}:Recall(T=7)") == found[0]
    other = tmp_path / "other.py"
    other.write_text(TEXT)
    assert digest(f"{other}:Recall(T=7)") == found[0]  # the same, wherever it lies
    other.write_text(TEXT.replace("numbers[0]", "1 - numbers[0]"))
    found.append(digest(f"{other}:Recall(T=7)"))
    assert len(set(found)) == 3


def test_a_helper_counts_too(file, tmp_path):
    text = TEXT.replace("numbers[0]", "asked(numbers)")
    file.write_text(f"from asking import asked\n{text}")
    helper = tmp_path / "asking.py"
    helper.write_text("def asked(numbers):\n    return numbers[0]\n")
    first = digest(f"{file}:Recall")
    assert cloudpickle.loads(cloudpickle.dumps(task_from(f"{file}:Recall"))).sample
    helper.write_text("def asked(numbers):\n    return numbers[1]\n")
    assert digest(f"{file}:Recall") != first


def test_a_task_of_the_project_stays_what_it_is():
    task = task_from("tasks.adding:Adding(T=30)")
    assert task == adding.Adding(30)
    assert experiment(task=task).digest == experiment(task=adding.Adding(30)).digest


@pytest.mark.parametrize(
    "task",
    [
        adding.Adding(20),
        lag.Lag2a(4),
        lag.Lag2c(5, 3),
        reber.Reber(20),
        temporal_order.TemporalOrder6a(20),
        two_sequence.TwoSequence3c(20, 3),
    ],
    ids=str,
)
def test_the_tasks_of_the_project_are_without_fault(task):
    assert list(task_file._faults(task)) == []


CHANGES = {
    "frozen": ("@dataclass(frozen=True)", "@dataclass", "dataclass with frozen=True"),
    "incomplete": ("    n_out = 1\n", "", "it has no n_out$"),
    "field": ("T: int = 20", "T: int", "missing 1 required positional argument: 'T'"),
    "objective": ("objective = REGRESSION", "objective = 3", "objective must be one of"),
    "chance": ("right=0.2", "right=2.0", r"chance must be Chance\(right=0 to 1"),
    "right": ("right=0.2", "right=0.0", r"its chance is \(0.0, 0.25\), but the constant output"),
    "error": ("error=0.25", "error=0.5", r"its chance is \(0.2, 0.5\), but the constant output"),
    "steps": (
        "return self.T\n",
        "return self.T + 1\n",
        r"inputs of a sequence is float32\[20, 1\]",
    ),
    "type": ("jnp.float32)", "jnp.float16)", r"float16\[20, 1\], not float32\[20, 1\]"),
    "sample": ("return ask_at_end(", "return tuple(ask_at_end)(", "does not work as a task: Type"),
    "sequence": (
        "return ask_at_end(numbers",
        "return numbers, (numbers",
        "must return a tasks.seq",
    ),
    "scored": (
        "tolerance = 0.1",
        "every_step = True\n    tolerance = 0.1",
        "scored must be true at",
    ),
    "finite": ("numbers[0]", "numbers[0] / 0", "not finite"),
    "length": ("jnp.int32(self.T)", "jnp.int32(self.T + 1)", "length must lie between 1 and steps"),
    "relevant": ("jnp.arange(self.T) == 0", "jnp.arange(self.T)", r"relevant is int32\[20\]"),
    "judge": ("tolerance = 0.1", "tolerance = -1.0", "judge calls the targets themselves wrong"),
    "exits": ("numbers = jax", "import sys; sys.exit()\n        numbers = jax", "SystemExit"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_task_is_told_in_one_line(file, change):
    old, new, message = CHANGES[change]
    assert old in TEXT
    file.write_text(TEXT.replace(old, new))
    with pytest.raises(UsageError) as refusal:
        task_from(f"{file}:Recall")
    assert re.search(message, str(refusal.value))
    assert "\n" not in str(refusal.value)


def test_fields_that_the_task_refuses_are_told_in_its_words():
    with pytest.raises(UsageError, match="T must be at least 20"):
        task_from("tasks.adding:Adding(T=3)")


def test_a_spec_that_is_none():
    with pytest.raises(UsageError, match=r"--task wants FILE\.py:ClassName"):
        task_from("nothing")
    with pytest.raises(UsageError, match=r"cannot read the task file nowhere\.py"):
        task_from("nowhere.py:Task")

import itertools
import math
import re
from collections import Counter

import jax
import numpy as np
import pytest

from tasks import copying
from tasks.copying import CopyMemory, SelectiveCopying
from tests.support.drawing import close, draw, judge

COPY, SELECTIVE = CopyMemory(4, 3, 3), SelectiveCopying(4, 3, 3)
EACH = pytest.mark.parametrize("task", [COPY, SELECTIVE], ids=str)
N = 4 * 4096


def numbers(one_hot):
    """Symbol numbers of one-hot rows."""
    assert (np.sort(one_hot, -1)[..., -1] == 1).all()
    assert (one_hot.sum(-1) == 1).all()
    return one_hot.argmax(-1).tolist()


def recalled(task, symbols):
    """Targets in plain Python: blanks, then the data symbols that were seen, in their order."""
    data = [symbol for symbol in symbols if 1 <= symbol <= task.alphabet]
    return [0] * (len(symbols) - len(data)) + data


@EACH
def test_targets_are_the_data_in_their_order(task):
    s = draw(task)
    for inputs, targets in zip(numbers(s.inputs), numbers(s.targets), strict=True):
        assert targets == recalled(task, inputs)
        assert sum(1 <= symbol <= 3 for symbol in inputs) == task.K
    assert s.scored.all()
    assert (s.length == task.T + 2 * task.K).all()


def test_layout_of_copy_memory():
    for inputs in numbers(draw(COPY).inputs):
        assert re.fullmatch("[123]{3}0004000", "".join(map(str, inputs)))


def test_layout_of_selective_copying():
    for inputs in numbers(draw(SELECTIVE).inputs):
        assert re.fullmatch("[0123]{7}444", "".join(map(str, inputs)))


@EACH
def test_data_are_uniform_and_independent(task):
    data = Counter(tuple(targets[-3:]) for targets in numbers(draw(task, N).targets))
    assert len(data) == 27
    assert all(close(n / N, 1 / 27, N) for n in data.values())


def test_every_set_of_places_is_equally_likely():
    shown = np.asarray(numbers(draw(SELECTIVE, N).inputs))
    places = Counter(tuple(np.flatnonzero((row > 0) & (row < 4))) for row in shown)
    assert set(places) == set(itertools.combinations(range(7), 3))
    assert all(close(n / N, 1 / 35, N) for n in places.values())


def test_places_and_data_do_not_depend_on_each_other():
    first = np.asarray(numbers(draw(SELECTIVE, N).inputs))[:, 0]
    assert all(close((first == symbol).mean(), 3 / 7 / 3, N) for symbol in (1, 2, 3))


def test_lags_from_the_samples():
    waits = {COPY: [], SELECTIVE: []}
    for task, found in waits.items():
        for inputs in numbers(draw(task).inputs):
            shown = [step for step, symbol in enumerate(inputs) if 1 <= symbol <= 3]
            found.extend(task.T + task.K + i - step for i, step in enumerate(shown))
        assert min(found) == task.lag
    assert set(waits[COPY]) == {7}
    spread = np.reshape(waits[SELECTIVE], (-1, 3)).mean(-1)
    assert abs(spread.mean() - (4 / 2 + 3)) < 5 * spread.std() / 64  # the docstring's T/2 + K


@EACH
def test_relevant_steps_show_data(task):
    s = draw(task)
    relevant = np.asarray(jax.vmap(task.relevant)(s))
    shown = np.asarray(numbers(s.inputs))
    np.testing.assert_array_equal(relevant, (shown >= 1) & (shown <= 3))


@EACH
def test_judge_looks_at_the_recalled_symbols_only(task):
    s = draw(task)
    error, wrong = judge(task, s.targets, s)
    assert not wrong.any()
    assert (error == 0).all()
    outputs = s.targets.copy()
    outputs[:, :-3] = np.roll(outputs[:, :-3], 1, -1)  # wrong wherever the blank is wanted
    error, wrong = judge(task, outputs, s)
    assert not wrong.any()
    np.testing.assert_allclose(error, 2 * 7 / (10 * 4), rtol=1e-6)
    for step in (-3, -2, -1):
        outputs = s.targets.copy()
        outputs[:, step] = np.roll(outputs[:, step], 1, -1)
        assert judge(task, outputs, s)[1].all()


@EACH
def test_judge_wants_the_right_symbol_strictly_first(task):
    s = draw(task)
    assert not judge(task, 0.01 * s.targets - 0.6, s)[1].any()
    assert judge(task, np.zeros_like(s.targets), s)[1].all()
    for bad in (np.nan, np.inf, -np.inf):
        for unit in range(task.n_out):
            outputs = s.targets.copy()
            outputs[:, -2, unit] = bad
            assert judge(task, outputs, s)[1].all()


@EACH
def test_chance_is_what_the_clock_alone_reaches(task):
    s = draw(task, N)
    answers = Counter(tuple(targets[-3:]) for targets in numbers(s.targets))
    assert close(task.chance.right, answers.most_common(1)[0][1] / N, N / 2)
    guess = np.broadcast_to(s.targets[0], s.targets[:4096].shape)
    assert close(1 - judge(task, guess, draw(task))[1].mean(), task.chance.right, 4096)
    median = np.median(s.targets, 0)  # of every output at every step
    assert abs(abs(s.targets - median).mean() - task.chance.error) < 1e-6


@EACH
def test_no_constant_output_is_better_than_chance(task):
    s = draw(task)
    median = np.median(s.targets, (0, 1))
    constant = abs(s.targets - median).mean()
    assert abs(constant - 2 * task.chance.error) < 1e-6
    rights = [
        1 - judge(task, np.broadcast_to(symbol, s.targets.shape), s)[1].mean()
        for symbol in np.eye(task.n_out)
    ]
    assert rights[0] == 0
    assert all(close(right, task.chance.right, 4096) for right in rights[1:])


@EACH
def test_loss_without_memory(task):
    often = draw(task, N).targets.mean(0)
    entropy = -np.sum(often * np.log(often, where=often > 0, out=np.zeros_like(often)), -1)
    assert abs(entropy.mean() - task.memoryless_loss) < 1e-3
    assert task.memoryless_loss == pytest.approx(3 * math.log(3) / 10)
    assert copying.ARJOVSKY16_100.memoryless_loss == pytest.approx(10 * math.log(8) / 120)


@pytest.mark.parametrize("cls", [CopyMemory, SelectiveCopying])
def test_worked_example(cls):
    rows = {
        name: [int({".": 0, "d": -1}.get(cell, cell)) for cell in cells.split()]
        for name, cells in re.findall(r"^ +(input|target) +(.+)$", cls.__doc__, re.M)
    }
    task = cls(4, 3)
    delimiter = task.alphabet + 1
    inputs = [delimiter if symbol < 0 else symbol for symbol in rows["input"]]
    assert len(inputs) == task.steps
    assert recalled(task, inputs) == rows["target"]
    assert inputs.index(delimiter) == task.T + task.K - (cls is CopyMemory)
    if cls is CopyMemory:
        assert inputs[: task.K] == rows["target"][-task.K :]


def test_settings_of_the_papers():
    copy, selective = copying.ARJOVSKY16_200, copying.GU_DAO23
    assert (copy.n_in, copy.n_out, copy.steps, copy.lag) == (10, 9, 220, 210)
    assert (selective.n_in, selective.n_out, selective.K) == (16, 15, 16)
    assert copy.chance.right == pytest.approx(8.0**-10)
    symbols = selective.symbols(jax.random.key(0))
    assert recalled(selective, symbols.inputs.tolist()) == symbols.targets.tolist()


@pytest.mark.parametrize("cls", [CopyMemory, SelectiveCopying])
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((0, 3), "T and K must be at least 1, not 0 and 3"),
        ((4, 0), "T and K must be at least 1, not 4 and 0"),
        ((4, 3, 1), "alphabet must be at least 2 symbols, not 1"),
    ],
)
def test_impossible_fields_are_refused_in_one_line(cls, fields, message):
    with pytest.raises(ValueError, match=message) as refusal:
        cls(*fields)
    assert "\n" not in str(refusal.value)


def test_the_smallest_fields_work():
    for cls in (CopyMemory, SelectiveCopying):
        task = cls(1, 1, 2)
        for inputs, targets in zip(*map(numbers, draw(task, 50)[:2]), strict=True):
            assert targets == recalled(task, inputs)

"""What `tasks.sequence.Growing` promises: the same task, with its delay k times as long."""

import jax
import numpy as np
import pytest

from tasks import adding, lag, multiplication, reber, temporal_order, two_sequence, variants
from tasks.copying import CopyMemory, SelectiveCopying
from tasks.delayed_xor import DelayedXor
from tasks.latch import LatchI, LatchII
from tasks.parity import Parity
from tasks.sequence import Growing
from tests.support.drawing import draw, judge

SAME_LAG = [  # the last input, or one of the last K, may be relevant whatever the length
    variants.AddingArjovsky16(20),
    variants.AddingBai18(20),
    SelectiveCopying(20, 3),
    Parity(20, 0.2),
]
GROWING = [
    adding.Adding(20),
    multiplication.Multiplication(20),
    variants.AddingMS11(20),
    variants.AddingPascanu13(20),
    variants.MultiplicationMS11(20),
    variants.MultiplicationPascanu13(20),
    temporal_order.TemporalOrder6a(20),
    temporal_order.TemporalOrder6b(20),
    temporal_order.TemporalOrderPascanu13(30, 20),
    temporal_order.TemporalOrderPascanu13Three(30, 20),
    DelayedXor(20),
    two_sequence.TwoSequence3a(20, 1),
    two_sequence.TwoSequence3b(20, 3),
    two_sequence.TwoSequence3c(20, 3),
    lag.Lag2c(4, 20, longest_tail=9),
    CopyMemory(20, 3),
    LatchI(20),
    LatchII(20),
    *SAME_LAG,
]
K = 3


def moments(values):
    """Mean and standard deviation of each column."""
    return values.mean(0, dtype=float), values.std(0, dtype=float)


def assert_alike(one, other, sequences):
    """Rows of two samples have the same means and spreads, as far as so many sequences tell."""
    for a, b, spread in zip(moments(one), moments(other), 2 * [moments(one)[1]], strict=True):
        assert (abs(a - b) <= 5 * (spread + 1e-6) * (2 / sequences) ** 0.5).all()


@pytest.mark.parametrize("task", GROWING, ids=str)
def test_longer_tasks_are_the_same_but_for_the_delay(task):
    assert isinstance(task, Growing)
    longer = task.longer(K)
    assert type(longer) is type(task)
    for name in ("n_in", "n_out", "tolerance", "objective", "every_step"):
        np.testing.assert_equal(getattr(longer, name), getattr(task, name))
    assert task.longer(1) == task
    assert longer.longer(2) == task.longer(2 * K)
    with pytest.raises(ValueError, match="must"):
        task.longer(0)


@pytest.mark.parametrize("task", GROWING, ids=str)
def test_lag_and_length_grow(task):
    longer = task.longer(K)
    assert longer.steps > 2 * task.steps
    if task in SAME_LAG:
        assert longer.lag == task.lag
    else:
        assert 0.8 * K <= longer.lag / task.lag <= 1.2 * K


@pytest.mark.parametrize("task", GROWING, ids=str)
def test_longer_samples_are_valid(task):
    longer = task.longer(K)
    s = draw(longer)
    step = np.arange(longer.steps)
    assert s.inputs.shape == (4096, longer.steps, task.n_in)
    assert s.targets.shape == (4096, longer.steps, task.n_out)
    assert [leaf.dtype for leaf in s] == [np.float32, np.float32, np.bool_, np.int32]
    assert (s.inputs[step >= s.length[:, None]] == 0).all()
    last = s.length[:, None] - 1
    np.testing.assert_array_equal(s.scored, step <= last if task.every_step else step == last)
    if not isinstance(task, two_sequence.TwoSequence3c):  # its targets are noisy
        assert not judge(longer, s.targets, s)[1].any()


@pytest.mark.parametrize("task", GROWING, ids=str)
def test_what_must_be_remembered_is_distributed_alike(task):
    shown = []
    for each in (task, task.longer(K)):
        s = draw(each)
        shown.append(s.inputs[np.asarray(jax.vmap(each.relevant)(s))])
    if type(task) in (adding.Adding, multiplication.Multiplication):
        # Their first pair counts for nothing, and is drawn less often from more pairs.
        assert len(shown[0]) < len(shown[1])
    else:
        assert (
            abs(len(shown[0]) / len(shown[1]) - (1 / K if isinstance(task, Parity) else 1)) < 0.02
        )
    assert_alike(*shown, sequences=4096)


@pytest.mark.parametrize("task", [t for t in GROWING if not isinstance(t, CopyMemory)], ids=str)
def test_what_lies_between_is_distributed_alike(task):
    between = []
    for each in (task, task.longer(K)):
        s = draw(each)
        step = np.arange(each.steps)
        inside = (step > 2) & (step < s.length[:, None] - 1)
        if not isinstance(task, Parity):
            inside &= ~np.asarray(jax.vmap(each.relevant)(s))
        between.append(s.inputs[inside])
    assert_alike(*between, sequences=4096)


@pytest.mark.parametrize("task", GROWING, ids=str)
def test_types_do_not_depend_on_the_precision_of_jax(task):
    usual = jax.eval_shape(task.sample, jax.random.key(0))
    with jax.enable_x64(True):
        assert jax.eval_shape(task.sample, jax.random.key(0)) == usual


@pytest.mark.parametrize("task", [reber.Reber(20), lag.Lag2a(4), lag.Lag2b(4)], ids=str)
def test_other_tasks_cannot_grow(task):
    assert not isinstance(task, Growing)

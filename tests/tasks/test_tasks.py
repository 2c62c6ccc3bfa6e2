"""What all tasks promise alike: the contract of `tasks.sequence`."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tasks import adding, lag, multiplication, reber, temporal_order, two_sequence, variants
from tasks.building import SymbolTask
from tasks.sequence import FiniteTask
from tests.support.drawing import QUICKLY_COMPILED, close, draw, judge, keys

RANDOM_LENGTH = [
    two_sequence.HS97_3A_100_3,
    two_sequence.HS97_3B_100_3,
    two_sequence.HS97_3C_100_3,
    adding.HS97_100,
    multiplication.HS97_100,
    temporal_order.HS97_6A,
    temporal_order.HS97_6B,
    variants.AddingMS11(20),
    variants.AddingPascanu13(20),
    variants.MultiplicationMS11(20),
    variants.MultiplicationPascanu13(20),
]
ALL = [
    *RANDOM_LENGTH,
    reber.Reber(20),
    lag.Lag2a(4),
    lag.Lag2b(4),
    lag.Lag2bEndError(4),
    lag.Lag2c(5, 3),
    variants.AddingArjovsky16(10),
    variants.AddingBai18(10),
]
WITH_TOLERANCE = [task for task in ALL if not isinstance(task, reber.Reber)]
MODULES = [adding, lag, multiplication, reber, temporal_order, two_sequence, variants]
NAMED = [
    thing
    for module in MODULES
    for name, thing in vars(module).items()
    if name.isupper() and dataclasses.is_dataclass(thing)
]

each = pytest.mark.parametrize("task", ALL, ids=str)
each_with_tolerance = pytest.mark.parametrize("task", WITH_TOLERANCE, ids=str)


def right_outputs(task, sequences):
    """Outputs without error: the targets, and in 3c those without their noise."""
    if isinstance(task, two_sequence.TwoSequence3c):
        first_class = sequences.inputs[:, :1] == 1
        return np.where(sequences.scored[..., None], np.where(first_class, 0.2, 0.8), 0)
    return sequences.targets


@each
def test_shapes_and_types(task):
    s = draw(task)
    n, T = len(s.length), task.steps
    assert s.inputs.shape == (n, T, task.n_in)
    assert s.targets.shape == (n, T, task.n_out)
    assert s.scored.shape == (n, T)
    assert [x.dtype for x in s] == [np.float32, np.float32, np.bool_, np.int32]


@each
def test_shapes_and_types_do_not_depend_on_the_precision_of_jax(task):
    key = jax.random.key(0)
    usual = jax.eval_shape(task.sample, key)
    with jax.enable_x64(True):
        assert jax.eval_shape(task.sample, key) == usual


@each
def test_padding_is_blank_and_only_steps_before_it_are_scored(task):
    s = draw(task)
    padding = np.arange(task.steps) >= s.length[:, None]
    assert (s.length >= 1).all()
    assert (s.length <= task.steps).all()
    assert (s.inputs[padding] == 0).all()
    assert not s.scored[padding].any()
    assert (s.targets[~s.scored] == 0).all()
    assert np.take_along_axis(s.scored, s.length[:, None] - 1, 1).all()


@pytest.mark.parametrize("task", ALL, ids=str)
def test_a_teacher_signal_comes_at_every_step_or_at_the_last(task):
    drawn = draw(task, 50)
    for scored, length in zip(drawn.scored, drawn.length, strict=True):
        steps = range(length) if task.every_step else [length - 1]
        assert np.flatnonzero(scored).tolist() == list(steps)


@pytest.mark.parametrize("task", RANDOM_LENGTH, ids=str)
def test_lengths_are_uniform_with_both_ends(task):
    length = draw(task).length
    possible = range(task.T, task.T + task.T // 10 + 1)
    assert set(length) == set(possible)
    assert all(close(np.mean(length == n), 1 / len(possible), len(length)) for n in possible)
    assert not draw(task).scored[:, : task.T - 1].any()


@pytest.mark.parametrize("task", ALL[::3], ids=str)
def test_a_key_fixes_the_sequence(task):
    s = draw(task)
    again = jax.jit(task.sample)(keys()[7])
    for one, other in zip(again, s, strict=True):
        np.testing.assert_allclose(one, other[7], rtol=1e-6, atol=1e-7)
    assert any((x[0] != x[i]).any() for x in s for i in range(1, 100))


@each_with_tolerance
def test_judge_accepts_right_outputs(task):
    s = draw(task)
    error, wrong = judge(task, right_outputs(task, s), s)
    assert error.max() < 1e-6
    assert not wrong.any()


@each_with_tolerance
@pytest.mark.parametrize(("share", "expected"), [(0.99, False), (-0.99, False), (1.01, True)])
def test_judge_has_the_tolerance_of_the_task(task, share, expected):
    s = draw(task)
    outputs = right_outputs(task, s).copy()
    rows = np.arange(len(outputs))
    outputs[rows, s.length - 1, rows % task.n_out] += share * task.tolerance
    error, wrong = judge(task, outputs, s)
    assert (wrong == expected).all()
    scored = s.scored.sum(-1)
    np.testing.assert_allclose(
        error, abs(share) * task.tolerance / task.n_out / scored, rtol=1e-4, atol=1e-7
    )


@each
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_judge_rejects_what_is_not_finite(task, bad):
    s = draw(task)
    outputs = s.targets.copy()
    outputs[np.arange(len(outputs)), s.length - 1, -1] = bad
    assert judge(task, outputs, s)[1].all()


@each
def test_outputs_at_other_steps_do_not_count(task):
    s = draw(task)
    noise = np.random.default_rng(3).normal(size=s.targets.shape).astype(np.float32)
    for one, other in zip(
        judge(task, s.targets, s),
        judge(task, np.where(s.scored[..., None], s.targets, noise), s),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def remembered(task, inputs):
    """The target, in plain Python, from the inputs of the relevant steps and no others."""
    values = inputs[:, 0].tolist()
    symbols = inputs.argmax(-1).tolist()
    match task:
        case adding.Adding():
            return [0.5 + sum(values) / 4]
        case variants.AddingMS11():
            return [sum(values) / 2]
        case variants.AddingArjovsky16() | variants.AddingBai18():
            return [sum(values)]
        case multiplication.Multiplication() | variants.MultiplicationMS11():
            return [math.prod(values)]
        case temporal_order.TemporalOrder6a():
            order = int("".join(str("XY".index("EBabcdXY"[s])) for s in symbols), 2)
            return np.eye(task.n_out)[order]
        case two_sequence.TwoSequence3a():
            assert len(values) == task.N
            return [float(values[0] > 0)]
        case lag.Lag2c():
            return inputs[0, -2:]
    return inputs[0]  # 2a, 2b and Reber: the symbol returns


@pytest.mark.parametrize(
    "task",
    [t for t in ALL if type(t).__name__ not in ("TwoSequence3b", "TwoSequence3c")],  # noisy ones
    ids=str,
)
def test_relevant_steps_tell_the_target(task):
    drawn = draw(task, 40)
    for at in range(40):
        sequence = type(drawn)(*(leaf[at] for leaf in drawn))
        relevant = np.asarray(task.relevant(sequence))
        assert relevant.shape == (task.steps,)
        asked = sequence.length - (2 if isinstance(task, reber.Reber) else 1)
        np.testing.assert_allclose(
            sequence.targets[asked], remembered(task, sequence.inputs[relevant]), atol=1e-6
        )


@each
def test_identity_is_the_fields(task):
    fields = {f.name: getattr(task, f.name) for f in dataclasses.fields(task)}
    assert all(isinstance(value, int) for value in fields.values())
    twin = type(task)(**fields)
    assert twin == task
    assert hash(twin) == hash(task)
    name, value = next(iter(fields.items()))
    assert dataclasses.replace(task, **{name: value + 1}) != task
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(task, name, value)


def test_classes_with_the_same_fields_are_not_equal():
    assert variants.AddingMS11(20) != variants.AddingPascanu13(20)
    assert two_sequence.TwoSequence3a(20, 3) != two_sequence.TwoSequence3b(20, 3)


@pytest.mark.parametrize("task", NAMED, ids=str)
def test_named_instances_have_all_that_a_task_needs(task):
    assert 0 <= task.lag < task.steps
    assert 0 <= task.chance.right < 1
    assert 0 < task.chance.error <= 0.5
    assert task.tolerance > 0 or isinstance(task, reber.Reber)
    net = jnp.zeros((3, task.n_out))
    assert task.objective.activate(net).shape == net.shape
    assert task.objective.loss(net, net).shape == (3,)
    assert isinstance(task, FiniteTask) == isinstance(task, reber.Reber)


@pytest.mark.parametrize("task", [t for t in ALL if isinstance(t, SymbolTask)], ids=str)
def test_symbols_are_the_sequence(task):
    symbols = jax.jit(jax.vmap(task.symbols), compiler_options=QUICKLY_COMPILED)(keys())
    s = draw(task)
    assert [x.dtype for x in symbols] == [np.int32] * 3
    for numbers, one_hot in ((symbols.inputs, s.inputs), (symbols.targets, s.targets)):
        numbers = np.asarray(numbers)
        np.testing.assert_array_equal(one_hot.sum(-1), numbers >= 0)
        np.testing.assert_array_equal(
            np.where(numbers >= 0, one_hot.argmax(-1), -1), np.where(numbers >= 0, numbers, -1)
        )
    np.testing.assert_array_equal(symbols.length, s.length)
    np.testing.assert_array_equal(np.asarray(symbols.targets) >= 0, s.scored)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adding.Adding(19), "T must be at least 20"),
        (lambda: multiplication.Multiplication(0), "T must be at least 20"),
        (lambda: variants.AddingMS11(9), "T must be at least 10"),
        (lambda: variants.MultiplicationPascanu13(9), "T must be at least 10"),
        (lambda: variants.AddingBai18(1), "T must be at least 2"),
        (lambda: temporal_order.TemporalOrder6a(19), "T must be at least 20"),
        (lambda: temporal_order.TemporalOrder6b(-1), "T must be at least 20"),
        (lambda: two_sequence.TwoSequence3a(100, 0), "N must lie between 1 and T = 100"),
        (lambda: two_sequence.TwoSequence3c(10, 11), "N must lie between 1 and T = 10"),
        (lambda: lag.Lag2a(1), "p must be at least 2"),
        (lambda: lag.Lag2b(0), "p must be at least 2"),
        (lambda: lag.Lag2c(0, 5), "p and q must be at least 1"),
        (lambda: lag.Lag2c(5, 0), "p and q must be at least 1"),
        (lambda: reber.Reber(19), "longest must be at least 20"),
        (lambda: reber.Reber(n_train=0), "n_train and n_test must lie between 1 and 256"),
        (lambda: reber.Reber(n_test=257), "n_train and n_test must lie between 1 and 256"),
    ],
)
def test_impossible_fields_are_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as refusal:
        make()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "task",
    [
        adding.Adding(20),
        variants.AddingMS11(10),
        variants.AddingArjovsky16(2),
        variants.AddingBai18(2),
        temporal_order.TemporalOrder6b(20),
        two_sequence.TwoSequence3a(1, 1),
        lag.Lag2a(2),
        lag.Lag2b(2),
        lag.Lag2c(1, 1),
    ],
    ids=str,
)
def test_the_smallest_possible_fields_work(task):
    s = draw(task)
    assert s.scored.any(-1).all()
    assert np.isfinite(s.targets).all()

from collections import Counter
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tasks import lag
from tasks.lag import Lag2a, Lag2aInTurn, Lag2b, Lag2bEndError, Lag2c
from tests.support.drawing import close, draw, judge, spelled

P = 4
ALPHABET = "abcxy"  # a_1, a_2, a_3, x, y with p = 4
ALPHABET_2C = "12345ebxy"  # a_1, ..., a_5, e, b, x, y with p = 5
TASK_2C = Lag2c(5, 3)


def decoded(task):
    """Input and target strings of samples of 2a or 2b."""
    s = draw(task)
    return [
        (spelled(x, ALPHABET), spelled(y, ALPHABET))
        for x, y in zip(s.inputs, s.targets, strict=True)
    ]


def test_2a_has_two_sequences_equally_likely():
    seen = Counter(decoded(Lag2a(P)))
    assert set(seen) == {("xabc", "abcx"), ("yabc", "abcy")}
    assert close(seen["xabc", "abcx"] / 4096, 0.5, 4096)
    assert draw(Lag2a(P)).scored.all()


def test_2b_is_random_between_and_returns_to_the_first():
    pairs = decoded(Lag2b(P))
    assert all(y == x[1:] + x[0] for x, y in pairs)
    seen = Counter(x for x, _ in pairs)
    assert len(seen) == 2 * (P - 1) ** (P - 1)
    assert all(close(n / 4096, 1 / len(seen), 4096) for n in seen.values())


def test_2a_is_judged_at_every_step_and_2b_at_the_end():
    for task, expected in ((Lag2a(P), True), (Lag2b(P), False)):
        s = draw(task)
        outputs = s.targets.copy()
        outputs[:, 1, 0] += 0.26
        assert (judge(task, outputs, s)[1] == expected).all()
        outputs = s.targets.copy()
        outputs[:, -1, 0] += 0.26
        error, wrong = judge(task, outputs, s)
        assert wrong.all()
        np.testing.assert_allclose(error, 0.26 / (P * (P + 1)), rtol=1e-5)


def test_with_an_error_at_the_end_2b_is_the_same_but_for_its_teacher_signal():
    plain, at_end = draw(Lag2b(P)), draw(Lag2bEndError(P))
    np.testing.assert_array_equal(at_end.inputs, plain.inputs)
    np.testing.assert_array_equal(at_end.targets[:, -1], plain.targets[:, -1])
    assert (at_end.scored == (np.arange(P) == P - 1)).all()


def test_in_turn_2a_is_trained_and_tested_on_both_of_its_sequences():
    task = Lag2aInTurn(P)
    for each in task.draw_sets(jax.random.key(0)):
        found = [
            (spelled(x, ALPHABET), spelled(y, ALPHABET))
            for x, y in zip(each.inputs, each.targets, strict=True)
        ]
        assert found == [("xabc", "abcx"), ("yabc", "abcy")]
        assert each.scored.all()
        assert each.length.tolist() == [P, P]


@pytest.mark.parametrize("task", [lag.HS97_2A_P100, lag.HS97_2B_P100], ids=str)
def test_long_2a_and_2b(task):
    symbols = task.symbols(jax.random.key(0))
    first, *between = symbols.inputs.tolist()
    assert first in (99, 100)
    assert set(between) <= set(range(99))
    assert symbols.targets.tolist() == [*between, first]
    assert (task.n_in, task.n_out, task.steps) == (101, 101, 100)


def further(sequences):
    return sequences.length - 3 - TASK_2C.q


def test_2c_is_spelled_as_in_the_paper():
    s = draw(TASK_2C)
    for inputs, targets, n in zip(s.inputs, s.targets, s.length, strict=True):
        string = spelled(inputs[:n], ALPHABET_2C)
        assert string[0] == "b"
        assert string[1] in "xy"
        assert set(string[2:-1]) <= set("12345")
        assert len(string[2:-1]) >= TASK_2C.q
        assert string[-1] == "e"
        assert targets[n - 1].tolist() == [string[1] == "x", string[1] == "y"]
    assert close(s.inputs[:, 1, 7].mean(), 0.5, 4096)


def test_2c_distractors_are_uniform():
    s = draw(TASK_2C)
    counts = s.inputs[..., : TASK_2C.p].sum((0, 1))
    assert all(close(c / counts.sum(), 1 / TASK_2C.p, counts.sum()) for c in counts)


def test_2c_number_of_further_distractors():
    n = 8 * 4096
    k = further(draw(TASK_2C, n))
    assert k.min() == 0
    assert abs(k.mean() - 9) < 5 * 90**0.5 / n**0.5  # the paper's length of q + 14 is one too many
    for i in range(40):
        assert close(np.mean(k == i), 0.1 * 0.9**i, n)


def test_2c_lost_probability():
    kept = sum(Fraction(1, 10) * Fraction(9, 10) ** k for k in range(lag.LONGEST_TAIL + 1))
    assert abs(Lag2c(5, 3).lost / float(1 - kept) - 1) < 1e-9
    assert f"{Lag2c(5, 3).lost:.2e}" == "7.06e-10"


def test_2c_whole_range_of_the_random_word_is_used():
    words = jnp.asarray([0, 1, 2**8, 2**31, 2**32 - 1], jnp.uint32)
    k = [int(lag.further_distractors(word)) for word in words]
    assert k[0] >= lag.LONGEST_TAIL - 1  # P(k = 199) is below 2^-32
    assert k[1] > 185  # beyond what 24 random bits reach
    assert 100 < k[2] < 170
    assert k[3] == 6  # P(k >= 7) = 0.478 < 0.5
    assert k[4] == 0


def test_2c_sizes():
    task = lag.HS97_2C_P50_Q1000
    assert (task.n_in, task.n_out, task.lag) == (54, 2, 1001)
    assert task.steps == 1000 + lag.LONGEST_TAIL + 3
    assert lag.HS97_2C_P1000_Q1000.n_in == 1004


def test_2c_with_a_shorter_tail():
    task = Lag2c(5, 3, longest_tail=4)
    assert task.steps == 10
    k = draw(task).length - 3 - 3
    assert set(k.tolist()) == {0, 1, 2, 3, 4}
    for value in range(5):
        expected = 0.1 * 0.9**value / (1 - task.lost)
        assert close((k == value).mean(), expected, 4096)

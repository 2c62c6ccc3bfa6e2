import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import reber
from tasks.reber import Reber, ReberAllLegal
from tasks.reber_grammar import SYMBOLS, legal_next
from tests.support import oracles
from tests.support.drawing import close, draw, judge, spelled

SHORT = Reber(20)
LONG = 2**17  # so many strings tell the conditional distribution from the unconditional one


def strings(sequences):
    """The strings of stacked sequences, the final symbol put back from the targets."""
    return [
        spelled(x[:n], SYMBOLS) + spelled(y[n - 1 : n], SYMBOLS)
        for x, y, n in zip(sequences.inputs, sequences.targets, sequences.length, strict=True)
    ]


def test_the_two_oracles_agree_with_the_known_counts():
    assert len(oracles.inner_strings(8)) == 7
    assert len(oracles.inner_strings(20)) == 783
    for n in range(5, 13):
        assert all(oracles.INNER_REBER.fullmatch(s) for s in oracles.inner_strings(n))
    every = ("".join(s) for s in itertools.product("TPSXV", repeat=6))
    assert sum(bool(oracles.INNER_REBER.fullmatch(f"B{s}E")) for s in every) == 7
    assert oracles.INNER_REBER.fullmatch("BTSXXVPSE")
    assert not oracles.INNER_REBER.fullmatch("BTXXXSE")


padded_legal_next = jax.jit(legal_next)


def legal_sets(string):
    """Symbols that `legal_next` allows behind each prefix of a string."""
    numbers = jnp.asarray([SYMBOLS.index(s) for s in string] + [-1] * (64 - len(string)))
    legal = np.asarray(padded_legal_next(jax.nn.one_hot(numbers, 7)))[: len(string)]
    return [{s for s, ok in zip(SYMBOLS, row, strict=True) if ok} for row in legal]


def test_all_legal_symbols_can_be_targets():
    plain, task = draw(SHORT), ReberAllLegal(20)
    s = draw(task)
    np.testing.assert_array_equal(s.inputs, plain.inputs)
    for string, targets in zip(strings(plain)[:200], s.targets[:200], strict=True):
        found = [{SYMBOLS[i] for i in np.flatnonzero(row)} for row in targets]
        n = len(string) - 1
        assert found == legal_sets(string)[:n] + [set()] * (len(targets) - n)
    errors, wrong = judge(task, s.targets, s)
    assert not errors.any()
    assert not wrong.any()


def test_what_a_constant_misses_of_all_legal_symbols():
    task = ReberAllLegal()
    s = draw(task)
    assert (s.targets.mean((0, 1)) < 0.5).all()  # the median is 0
    error, _ = judge(task, np.zeros_like(s.targets), s)
    assert abs(error.mean() - task.chance.error) < 4 * error.std() / len(error) ** 0.5


@pytest.mark.parametrize("inner", ["BTXSE", "BPVVE", "BTSXXVPSE", "BTSSXXTTVPXVVE"])
@pytest.mark.parametrize("branch", "TP")
def test_known_strings_are_legal(inner, branch):
    string = f"B{branch}{inner}{branch}E"
    sets = legal_sets(string)
    assert all(symbol in legal for symbol, legal in zip(string[1:], sets, strict=False))
    assert sets[-3] == {branch}
    assert sets[-2:] == [{"E"}, set()]


def test_a_known_slip_is_illegal():
    assert "X" not in legal_sets("BTBTXXXSE")[5]
    assert legal_sets("BTBTXXXSE")[6:] == [set()] * 3


@given(st.data())
def test_legal_symbols_agree_with_the_oracle(data):
    string = "B"
    for _ in range(data.draw(st.integers(0, 40))):
        options = oracles.legal_after(string)
        if not options:
            break
        string += data.draw(st.sampled_from(sorted(options)))
    string += data.draw(st.text(SYMBOLS, max_size=3))
    expected = [oracles.legal_after(string[: i + 1]) for i in range(len(string))]
    assert legal_sets(string) == expected


def test_samples_are_strings_of_the_grammar_with_the_next_symbol_as_target():
    s = draw(reber.HS97)
    for string, inputs, targets, scored, n in zip(strings(s), *s, strict=True):
        assert oracles.EMBEDDED_REBER.fullmatch(string)
        assert spelled(inputs[:n], SYMBOLS) == string[:-1]
        assert spelled(targets[:n], SYMBOLS) == string[1:]
        assert scored[:n].all()


def test_lengths_follow_the_grammar_given_that_they_fit():
    s = draw(SHORT, LONG)
    law = {n: float(oracles.embedded_length_probability(n)) for n in range(9, 21)}
    fits = sum(law.values())
    assert fits < 0.98  # so that the condition matters
    lengths = s.length + 1
    assert set(lengths) == set(law)
    for n, p in law.items():
        assert close(np.mean(lengths == n), p / fits, LONG)


def test_single_strings_follow_the_grammar():
    seen = strings(draw(reber.HS97, 2**14))
    for string in ("BTBTXSETE", "BPBPVVEPE", "BTBPVVETE", "BPBTSXSEPE", "BTBTXXVVETE"):
        p = float(oracles.embedded_probability(string))
        assert close(seen.count(string) / len(seen), p, len(seen))


@pytest.mark.parametrize("task", [SHORT, reber.HS97, Reber(64)], ids=str)
def test_lost_probability(task):
    kept = sum(oracles.embedded_length_probability(n) for n in range(task.longest + 1))
    np.testing.assert_allclose(task.lost, float(1 - kept), rtol=1e-6)


def test_documented_numbers():
    assert f"{reber.HS97.lost:.2e}" == "2.53e-06"
    mean = sum(n * oracles.embedded_length_probability(n) for n in range(400))
    assert math.isclose(mean, 12, rel_tol=1e-9)
    shortest = min(n for n in range(20) if oracles.embedded_length_probability(n))
    assert shortest == 9
    # BTBTXSETE: symbol 1 is to be predicted again at symbol 6, as symbol 7.
    assert reber.HS97.lag == (shortest - 3) - 1


def by_legality(string, steps):
    """Outputs 1 for legal and 0 for illegal next symbols, `[steps, 7]`."""
    rows = [
        [float(s in oracles.legal_after(string[: i + 1])) for s in SYMBOLS]
        for i in range(len(string) - 1)
    ]
    return np.pad(np.asarray(rows), ((0, steps + 1 - len(string)), (0, 0)))


def test_right_means_that_legal_symbols_are_the_most_active():
    s = jax.tree.map(lambda x: x[:512], draw(reber.HS97))
    right = np.stack([by_legality(string, reber.HS97.steps) for string in strings(s)])
    step = np.arange(512) % s.length
    rows = np.arange(512)
    assert not judge(reber.HS97, right, s)[1].any()
    assert not judge(reber.HS97, 1e-3 * right - 5.0, s)[1].any()
    tie = right.copy()
    tie[rows, step] = 1.0
    assert judge(reber.HS97, tie, s)[1].all()
    spoilt = right.copy()  # one illegal symbol overtakes
    spoilt[rows, step, right[rows, step].argmin(-1)] = 1.01
    assert judge(reber.HS97, spoilt, s)[1].all()
    # Only one of two legal symbols active is not enough, even if it is the one that comes.
    assert judge(reber.HS97, s.targets, s)[1].all()


def test_error_is_absolute_and_against_the_next_symbol():
    s = jax.tree.map(lambda x: x[:256], draw(reber.HS97))
    outputs = np.random.default_rng(1).uniform(size=s.targets.shape).astype(np.float32)
    error, _ = judge(reber.HS97, outputs, s)
    for got, y, out, n in zip(error, s.targets, outputs, s.length, strict=True):
        np.testing.assert_allclose(got, abs(y[:n] - out[:n]).mean(), rtol=1e-5)


def test_sets():
    keys = jax.random.split(jax.random.key(0), 4)
    train, test = jax.jit(jax.vmap(reber.HS97.draw_sets))(keys)
    assert train.inputs.shape == test.inputs.shape == (4, 256, 49, 7)
    kept = []
    for i in range(4):
        one = strings(jax.tree.map(lambda x, i=i: np.asarray(x[i]), train))
        other = strings(jax.tree.map(lambda x, i=i: np.asarray(x[i]), test))
        assert all(oracles.EMBEDDED_REBER.fullmatch(s) for s in one + other)
        assert not set(one) & set(other)
        assert len(set(one)) < 256  # strings may occur twice
        kept.append(one)
    assert kept[0] != kept[1]


def test_sizes_of_sets():
    train, test = jax.eval_shape(Reber(20, 8, 5).draw_sets, jax.random.key(0))
    assert (train.length.shape, test.length.shape) == ((8,), (5,))


def test_too_few_fresh_strings_are_repeated(monkeypatch):
    monkeypatch.setattr(reber, "CANDIDATES", 64)
    train, test = map(strings, jax.device_get(jax.jit(SHORT.draw_sets)(jax.random.key(0))))
    assert not set(train) & set(test)
    assert len(test) == 256
    assert len(set(test)) <= 64


def test_there_are_enough_candidates():
    """Chernoff bound on fewer than 256 fresh strings, where strings are fewest."""
    words = [f"BT{w}TE" for n in range(5, 17) for w in oracles.inner_strings(n)]
    p = np.array([float(oracles.embedded_probability(w)) for w in words])
    p /= 2 * p.sum()  # given that they fit; there are as many with P as with T
    fresh = 2 * (p * (1 - p) ** 256).sum()
    assert abs(fresh - 0.224) < 0.001
    need = reber.SETS_OF_1997 / reber.CANDIDATES
    bits = need * math.log(need / fresh) + (1 - need) * math.log((1 - need) / (1 - fresh))
    assert math.exp(-reber.CANDIDATES * bits) < 1e-20

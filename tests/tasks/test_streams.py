import itertools
import math
import re
from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tasks.continual_reber import (
    CHOICES,
    GERS00,
    GERS00_RESETS,
    MEAN_LENGTH,
    ContinualReber,
    ContinualReberGers00,
)
from tasks.reber_grammar import SYMBOLS
from tasks.texts import Brackets, Hello, Quotes
from tests.support import oracles
from tests.support.drawing import draw, judge, spelled

REBER, GERS = ContinualReber(400), ContinualReberGers00(400)
HELLO, BRACKETS, QUOTES = Hello(50), Brackets(400, depth=3), Quotes(400, shortest=3)
ALL = [REBER, replace(REBER, resets=True), GERS, HELLO, BRACKETS, QUOTES]
MANY = 256

each = pytest.mark.parametrize("task", ALL, ids=str)


def texts(task, n=MANY):
    """Some streams as texts, the last target put back."""
    s = draw(task)
    last = s.targets[:n, -1].argmax(-1)  # of several that may come, the first one
    return [
        spelled(x, task.alphabet) + task.alphabet[i]
        for x, i in zip(s.inputs[:n], last, strict=True)
    ]


# --- What may come next, in plain Python ----------------------------------------------------------


def after_reber(text):
    open_string = oracles.EMBEDDED_REBER.sub("", text)
    return {"B"} if open_string == "" else oracles.legal_after(open_string)


def after_brackets(text, depth):
    pairs, opened = dict(zip("([{", ")]}", strict=True)), []
    for character in text:
        if character in pairs:
            opened.append(pairs[character])
        elif character != "x":
            assert character == opened.pop()
    legal = {"x"} | (set("([{") if len(opened) < depth else set())
    return legal | set(opened[-1:])


def after_quotes(text, shortest):
    mark = None
    for character in text:
        if character in "'\"":
            mark = None if mark else character
    letters = len(re.search("[ab]*$", text)[0])
    if letters < shortest:
        return set("ab")
    return set("ab") | (set(mark) if mark else set("'\""))


def legal_after(task, text):
    match task:
        case ContinualReber():
            return after_reber(text)
        case Hello():
            return {"hello"[len(text) % 5]}
        case Brackets():
            return after_brackets(text, task.depth)
    return after_quotes(text, task.shortest)


@each
def test_streams_are_of_their_source_and_targets_are_what_comes_next(task):
    s = draw(task)
    legal_sets = jax.jit(task.legal)
    for i, text in enumerate(texts(task, 4)):
        legal = np.asarray(legal_sets(s.inputs[i]))
        for t in range(task.length):
            allowed = {c for c, ok in zip(task.alphabet, legal[t], strict=True) if ok}
            assert allowed == legal_after(task, text[: t + 1])
            if t + 1 < task.length:
                assert text[t + 1] in allowed
        if not isinstance(task, ContinualReberGers00):
            assert spelled(s.targets[i], task.alphabet) == text[1:]


@each
def test_shapes_types_and_what_is_scored(task):
    s = draw(task)
    shape = (4096, task.length, len(task.alphabet))
    assert s.inputs.shape == s.targets.shape == shape
    assert [x.dtype for x in s] == [np.float32, np.float32, np.bool_, np.int32]
    assert s.scored.all()
    assert (s.length == task.length).all()
    assert (s.inputs.sum(-1) == 1).all()


@each
def test_right_is_what_is_predicted_at_every_step(task):
    s = jax.tree.map(lambda leaf: leaf[:64], draw(task))
    legal = np.asarray(jax.vmap(task.legal)(s.inputs)).astype(np.float32)
    rows, step = np.arange(64), (legal.min(-1) == 0).argmax(-1)  # the first where not all may come
    assert not judge(task, legal, s)[1].any()
    spoilt = legal.copy()
    spoilt[rows, step, legal[rows, step].argmin(-1)] = 1.01  # what may not come comes first
    assert judge(task, spoilt, s)[1].all()
    for bad in (np.nan, np.inf, -np.inf):
        broken = legal.copy()
        broken[rows, step, -1] = bad
        assert judge(task, broken, s)[1].all()


@each
def test_chance(task):
    s = jax.tree.map(lambda leaf: leaf[:MANY], draw(task))
    shape = s.targets.shape
    constants = [*np.eye(task.n_out), np.zeros(task.n_out), np.full(task.n_out, 0.5)]
    for constant in constants:
        assert judge(task, np.broadcast_to(constant, shape), s)[1].all()
    assert task.chance.right == 0
    error, _ = judge(task, np.zeros(shape), s)
    assert abs(error.mean() - task.chance.error) < 0.002
    assert (s.targets.mean((0, 1)) < 0.52).all()  # so that no constant errs less than zero


def test_strings_of_the_stream_follow_the_grammar():
    strings = [
        string
        for text in texts(REBER, 2048)
        for string in [found[0] for found in oracles.EMBEDDED_REBER.finditer(text)]
    ]
    whole = [
        "".join(found[0] for found in oracles.EMBEDDED_REBER.finditer(t)) for t in texts(REBER)
    ]
    assert all(text.startswith(own) for text, own in zip(texts(REBER), whole, strict=True))
    seen, n = Counter(strings), len(strings)
    for string in ("BTBTXSETE", "BPBPVVEPE", "BTBPVVETE", "BPBTSXSEPE"):
        # Streams end: long strings at their end are missing, which favours short ones a little.
        assert abs(seen[string] / n / float(oracles.embedded_probability(string)) - 1) < 0.1


def test_documented_numbers_of_the_grammar():
    law = {n: float(oracles.embedded_length_probability(n)) for n in range(9, 400)}
    assert math.isclose(sum(n * p for n, p in law.items()), MEAN_LENGTH, rel_tol=1e-9)
    # Of a string with n symbols all but 5 are chosen between two: B, B, E, T or P again, E.
    assert math.isclose(sum((n - 5) * p for n, p in law.items()), CHOICES, rel_tol=1e-9)
    assert f"{CHOICES / MEAN_LENGTH:.3f}" == "0.583"
    s = draw(GERS)
    assert abs(s.targets.sum(-1).mean() - (1 + CHOICES / MEAN_LENGTH)) < 0.01


def test_targets_of_2000_are_all_symbols_that_may_come():
    s = draw(GERS)
    for i in range(8):
        text = spelled(s.inputs[i], SYMBOLS)
        for t in range(GERS.length):
            allowed = {c for c, ok in zip(SYMBOLS, s.targets[i, t], strict=True) if ok}
            assert allowed == after_reber(text[: t + 1])


def test_the_tolerance_of_2000():
    """0.49 of the absolute error; of the squared error, a constant 1/2 would solve the task."""
    s = jax.tree.map(lambda leaf: leaf[:64], draw(GERS))
    for share, wrong in ((0.99, False), (1.01, True)):
        near = np.abs(s.targets - share * GERS.tolerance)
        assert (judge(GERS, near, s)[1] == wrong).all()
    half = np.full(s.targets.shape, 0.5)
    assert judge(GERS, half, s)[1].all()
    assert (np.square(half - s.targets) < GERS.tolerance).all()
    # With the symbol that comes as the only target, no output is near enough where two may come.
    assert GERS.tolerance < 0.5


def test_the_named_instances():
    assert (GERS00.length, GERS00.resets, GERS00_RESETS.resets) == (100_000, False, True)
    assert GERS00 != GERS00_RESETS


@pytest.mark.parametrize("task", [REBER, HELLO, BRACKETS, QUOTES], ids=str)
def test_symbols_come_as_often_as_their_source_says(task):
    """Counted by what the source says of each, from its own chances."""
    s = draw(task)
    for i in range(4):
        states = task.states(jnp.asarray(s.inputs[i]))
        chances = np.asarray(jax.vmap(task.chances)(states))
        np.testing.assert_allclose(chances.sum(-1), 1, rtol=1e-6)
    inputs, targets = (np.asarray(leaf[:512]) for leaf in (s.inputs, s.targets))
    chances = np.asarray(
        jax.jit(jax.vmap(lambda x: jax.vmap(task.chances)(task.states(x))))(inputs)
    )
    deviation = np.sqrt((chances * (1 - chances)).sum((0, 1)))
    difference = targets.sum((0, 1)) - chances.sum((0, 1))
    assert (abs(difference) <= 5 * deviation + 0.5).all()


def test_lengths_of_quotations():
    found = [len(m[1]) for text in texts(QUOTES) for m in re.finditer(r"'([ab]*)'", text)]
    lengths = np.array(found)
    assert lengths.min() == QUOTES.shortest
    assert abs(lengths.mean() - (2 * QUOTES.shortest - 1)) < 0.3


def test_brackets_close_in_their_order():
    deepest = 0
    for text in texts(BRACKETS):
        bare = text.replace("x", "")
        height = np.cumsum([1 if c in "([{" else -1 for c in bare] or [0])
        deepest = max(deepest, height.max())
        while (fewer := re.sub(r"\(\)|\[\]|\{\}", "", bare)) != bare:
            bare = fewer
        assert re.fullmatch(r"[(\[{]*", bare)
    assert deepest == BRACKETS.depth


@pytest.mark.parametrize(
    ("task", "text", "legal"),
    [
        (ContinualReber(10), "BTBTXSETEB", "TP B TP SX SX E T E B TP"),
        (Hello(7), "hellohe", "e l l o h e l"),
        (Brackets(9, depth=2), "(x[x])x{x", "([{)x ([{)x ]x ]x ([{)x ([{x ([{x ([{}x ([{}x"),
        (Quotes(10, shortest=2), "ab'baa'ba\"", "ab ab'\" ab ab ab' ab' ab ab ab'\" ab"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_worked_examples(task, text, legal):
    one_hot = np.eye(task.n_in, dtype=np.float32)[[task.alphabet.index(c) for c in text]]
    found = np.asarray(task.legal(jnp.asarray(one_hot)))
    shown = [{c for c, ok in zip(task.alphabet, row, strict=True) if ok} for row in found]
    assert shown == [set(part) for part in legal.split()]


@pytest.mark.parametrize("task", [REBER, HELLO, BRACKETS, QUOTES], ids=str)
def test_a_word_of_all_ones_draws_what_may_come(task):
    state = task.begin()
    for _ in range(30):
        symbol = task.draw(state, jnp.uint32(2**32 - 1))
        assert task.chances(state)[symbol] > 0
        state = task.follow(state, symbol)


@pytest.mark.parametrize(
    ("task", "marked"),
    [
        (ContinualReber(10), "BTBTXSETEB BPBPVVEPEB"),
        (Hello(10), "hellohello"),
        (Brackets(9, depth=2), "(x[x])x{x"),
        (Quotes(10, shortest=2), "ab'baa'ba\""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_relevant_steps(task, marked):
    kinds = {"ContinualReber": r"(?<=^B)[TP]", "Hello": "(?<=he)l", "Brackets": r"[(\[{]"}
    for text in marked.split():
        one_hot = np.eye(task.n_in, dtype=np.float32)[[task.alphabet.index(c) for c in text]]
        s = jax.tree.map(lambda leaf: leaf[0], draw(task))._replace(inputs=jnp.asarray(one_hot))
        pattern = kinds.get(type(task).__name__, "['\"]")
        wanted = [m.start() for m in re.finditer(pattern, text)]
        if isinstance(task, Hello):
            wanted = [at - 1 for at in wanted]
        assert np.flatnonzero(task.relevant(s)).tolist() == wanted


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ContinualReber(1), "length must be at least 2, not 1"),
        (lambda: Hello(0), "length must be at least 2, not 0"),
        (lambda: Brackets(depth=0), "depth must be at least 1, not 0"),
        (lambda: Quotes(shortest=0), "shortest must be at least 1, not 0"),
    ],
)
def test_impossible_fields_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_smallest_fields_work():
    for task in (Brackets(2, depth=1), Quotes(2, shortest=1)):
        assert draw(task).inputs.shape == (4096, 2, task.n_in)
    assert set(itertools.chain(*texts(Quotes(40, shortest=1), 50))) == set(Quotes.alphabet)

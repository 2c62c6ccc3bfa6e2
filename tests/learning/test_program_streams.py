import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning.criteria import Inspection, Recent
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.learning.learners import Online
from benchmarks.learning.program import SPENT, TEST, TRAIN, numbered, setups
from benchmarks.learning.program_streams import CONTEXTS, passage
from benchmarks.learning.select import program
from benchmarks.learning.stream_learners import OnlineStream, Windows
from benchmarks.running import store
from models.gru import GRU
from models.lstm00 import online
from models.lstm00.net import Net00
from models.lstm97.net import HalfReset97, IdentityH97, Net97
from models.network import Recurrent
from models.rnn import RNN
from tasks.building import bits_at, unit
from tasks.continual_reber import ContinualReber, ContinualReberGers00
from tasks.texts import Hello, Quotes
from tasks.two_sequence import TwoSequence3a
from tests.support import oracle00, oracle_stream
from tests.support.training import train

SMALL = Net00(2, 1, gate_bias=(-0.5, -1.0), forget_bias=(0.5, 1.0))
PERFECT = Inspection(3, wrong_at_most=0)


def recipe(task, model, learner, updates=50, budget=None, test_size=3):
    chunk = updates * learner.batch
    return Recipe(task, model, learner, PERFECT, budget or chunk, updates, test_size=test_size)


ONLINE = recipe(ContinualReberGers00(200), SMALL, OnlineStream(), 120)
WINDOWS = recipe(Quotes(200, shortest=3), Recurrent(RNN, 4), Windows(2, 7), 3)


def started(own, seed=0, lanes=2, rate=0.1):
    run = program(own)
    setup = setups(seed, range(lanes), [rate] * lanes)
    return run, setup, run.start(setup)


def advanced(run, setup, trials, times=1):
    for _ in range(times):
        trials = run.train(setup, trials, run.source.training(setup.key, trials.seen, 0, None))
    return trials


# --- Passages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "task", [ContinualReber(40, resets=True), ContinualReberGers00(40), Quotes(40, shortest=2)]
)
def test_passages_join_to_the_stream_of_the_same_words(task):
    key = jax.random.key(3)
    whole = task.sample(key)
    source, parts = task.begin(), []
    for first in (0, 15, 25):
        words = bits_at(key, first + jnp.arange(16 if first != 15 else 11))
        source, part = passage(task, source, words)
        parts.append(part)
    joined = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    np.testing.assert_array_equal(joined.inputs, whole.inputs)
    np.testing.assert_array_equal(joined.targets, whole.targets)
    np.testing.assert_array_equal(joined.legal, task.legal(whole.inputs))
    numbers = task.symbols(key)
    np.testing.assert_array_equal(joined.next, numbers.targets)
    text = "".join(task.alphabet[i] for i in numbers.inputs)
    begins = [i == 0 or text[i - 1] == "E" != text[i] for i in range(40)]
    begins = [first and text[i] == "B" for i, first in enumerate(begins)]
    if task.resets:
        # An inner string's E is followed by the symbol that returns.
        assert joined.fresh.tolist() == begins
    else:
        assert not joined.fresh.any()


# --- Truncated backpropagation through time -------------------------------------------------------


def unrolled(network, carry, inputs):
    """A stream's window by steps of the cell, one after the other."""
    nets = []
    for x in inputs:
        carry, y = network.cell(carry, x)
        nets.append(network.readout(y))
    return carry, jnp.stack(nets)


@pytest.mark.parametrize("cell", [pytest.param(RNN, marks=pytest.mark.slow), GRU])
def test_windows_are_learnt_one_after_the_other(cell):
    """Against a loop over cells, windows and streams that carries states on as plain numbers.

    Of three windows the last one begins anew, since streams have as many symbols as two.
    """
    own = replace(WINDOWS, model=Recurrent(cell, 4), task=Quotes(13, shortest=3))
    run, setup, trials = started(own, lanes=1)
    task, (streams, window) = own.task, (own.learner.streams, own.learner.window)
    params = jax.tree.map(lambda leaf: leaf[0], trials.params)
    keys = numbered(setup.key[0], TRAIN, 0, streams)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam())
    state = optimizer.init(params)
    zero = nnx.merge(run.graph, params).cell.initialize_carry((4,), nnx.Rngs(0))

    @jax.jit
    @functools.partial(jax.grad, has_aux=True)
    def slope(params, texts, carries):
        network, losses, after = nnx.merge(run.graph, params), [], []
        for text, carry in zip(texts, carries, strict=True):
            carry, nets = unrolled(network, carry, text.inputs)
            losses.append(optax.softmax_cross_entropy(nets, text.targets).mean())
            after.append(carry)
        return sum(losses) / streams, after

    for number in range(3):
        if number in (0, 2):
            sources, carries = [task.begin()] * streams, [zero] * streams
        words = [bits_at(key, number * window + jnp.arange(window + 1)) for key in keys]
        parts = [passage(task, *each) for each in zip(sources, words, strict=True)]
        sources, texts = zip(*parts, strict=True)

        gradient, carries = slope(params, texts, carries)
        carries = jax.tree.map(np.asarray, carries)
        direction, state = optimizer.update(gradient, state)
        params = jax.tree.map(lambda w, d: w - 0.1 * d, params, direction)
    after = advanced(run, setup, trials)
    assert after.seen.tolist() == [3 * streams * window]
    for one, other in zip(*map(jax.tree.leaves, (after.params, params)), strict=True):
        np.testing.assert_allclose(one[0], other, rtol=2e-4, atol=2e-6)
    for one, other in zip(after.stream.carries[0], carries, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-6)


def test_a_net_is_reset_where_the_task_says_so():
    own = replace(WINDOWS, task=ContinualReber(200, resets=True))
    network = Recurrent(RNN, 4).build(7, 7, nnx.Rngs(1))
    inputs = own.task.sample(jax.random.key(0)).inputs[:30]
    fresh = np.zeros(30, bool)
    fresh[[0, 11]] = True
    zero = network.cell.initialize_carry((7,), nnx.Rngs(0))
    nets = network.resume(zero, inputs, jnp.asarray(fresh))[1]
    for part in (slice(0, 11), slice(11, 30)):
        np.testing.assert_allclose(nets[part], unrolled(network, zero, inputs[part])[1], atol=1e-6)


def test_the_gradient_stops_at_the_border():
    """Of the carry: finite differences of a loss that starts from it as a number."""
    with jax.enable_x64(True):
        network = Recurrent(GRU, 3).build(4, 4, nnx.Rngs(0))
        graph, params = nnx.split(network)
        params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), params)
        text = Quotes(20, shortest=2).sample(jax.random.key(0))
        inputs, targets = text.inputs.astype(jnp.float64), text.targets
        not_fresh = jnp.zeros(10, bool)

        def loss(params, carry):
            nets = nnx.merge(graph, params).resume(carry, inputs[10:], not_fresh)[1]
            return optax.softmax_cross_entropy(nets, targets[10:]).mean()

        loss = jax.jit(loss)

        @jax.jit
        def first(params):
            zero = jnp.zeros(3, jnp.float64)
            return nnx.merge(graph, params).resume(zero, inputs[:10], not_fresh)[0]

        gradient = jax.grad(loss)(params, first(params))
        leaves, structure = jax.tree.flatten(params)
        for i, leaf in enumerate(leaves):
            for place in [(0,) * leaf.ndim, tuple(n - 1 for n in leaf.shape)]:
                moved = [[*leaves], [*leaves]]
                for sign, way in zip((1, -1), moved, strict=True):
                    way[i] = leaf.at[place].add(sign * 1e-6)
                up, down = (
                    loss(jax.tree.unflatten(structure, way), first(params)) for way in moved
                )
                found = jax.tree.leaves(gradient)[i][place]
                np.testing.assert_allclose(found, (up - down) / 2e-6, rtol=1e-6, atol=1e-9)


# --- On-line learning -----------------------------------------------------------------------------


@pytest.mark.parametrize("forget", [True, False])
@pytest.mark.parametrize(
    ("learner", "resets"),
    [(OnlineStream(), False), (OnlineStream(decay=0.9, longest=20), True)],
    ids=["plain", "decay-resets"],
)
def test_streams_are_learnt_as_the_equations_say(forget, learner, resets):
    net = SMALL if forget else replace(SMALL, forget_bias=None)
    own = replace(ONLINE, model=net, learner=learner, task=replace(ONLINE.task, resets=resets))
    run, setup, trials = started(own, rate=0.5)
    # From weights with which some predictions are right, so that streams go on for a while.
    trials = advanced(run, setup, trials, 5)
    before = online.from_params(trials.params)
    first = trials._replace(stream=run.start(setup).stream)
    first = first._replace(stream=first.stream._replace(tested=first.params))
    after = advanced(run, setup, jax.tree.map(jnp.copy, first))
    weights = online.from_params(after.params)
    for lane in range(2):
        words = bits_at(
            jax.random.fold_in(setup.key[lane], TRAIN), int(first.seen[lane]) + np.arange(120)
        )
        given = oracle00.Net(
            net.blocks, net.size, *(np.asarray(leaf[..., lane], float) for leaf in before)
        )
        wanted, ended, tested = oracle_stream.learn(
            given,
            np.asarray(unit(words), float),
            0.5,
            decay=learner.decay,
            longest=learner.longest,
            resets=resets,
        )
        assert int(after.stream.ended[lane]) == ended
        assert ended > 1
        at_the_end = online.from_params(after.stream.tested)
        for found, expected in ((weights, wanted), (at_the_end, tested)):
            for one, other in zip(found, expected[2:], strict=True):
                np.testing.assert_allclose(one[..., lane], other, rtol=1e-3, atol=1e-5)


def test_no_more_training_streams_than_a_trial_may_have():
    own = replace(ONLINE, learner=OnlineStream(most=3), budget=1200)
    run, setup, trials = started(own)
    after = advanced(run, setup, trials)
    assert after.stream.ended.tolist() == [3, 3]
    seen = after.seen.tolist()
    assert max(seen) < 120
    keys = run.source.tests(setup.key, TEST, jnp.zeros(2, jnp.int32), 32)
    tested = [np.asarray(leaf) for leaf in jax.tree.leaves(after.stream.tested)]
    shown = run.inspect(after, run.verdicts(after, keys))
    assert shown.outcome.tolist() == [SPENT, SPENT]
    assert shown.stream.inspected.tolist() == [3, 3]
    for one, other in zip(jax.tree.leaves(shown.params), tested, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_net_of_1997_learns_along_streams():
    own = replace(ONLINE, model=Net97(2, 1, "gates", init_range=0.2))
    run, setup, trials = started(own, rate=0.5)
    before = jax.tree.map(np.asarray, trials.params)
    after = advanced(run, setup, trials)
    assert (after.stream.ended > 0).all()
    moved = [
        abs(a - b).max() for a, b in zip(*map(jax.tree.leaves, (before, after.params)), strict=True)
    ]
    assert min(moved) > 0


# --- Tests and measurements -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(ONLINE, id="online"),
        pytest.param(WINDOWS, id="windows", marks=pytest.mark.slow),
    ],
)
def test_prefixes_end_with_the_first_wrong_prediction(own):
    """Against the task's own judgement of outputs over the whole stream."""
    run, setup, trials = started(own, rate=0.5 if own is ONLINE else 0.05)
    trials = advanced(run, setup, trials, 30)
    keys = run.source.tests(setup.key, TEST, jnp.zeros(2, jnp.int32), 32)
    assert keys.shape == (2, 3)
    ended = jnp.full(2, SPENT, jnp.int8)
    verdicts, seen = run.verdicts(trials._replace(outcome=ended), keys), []
    for lane in range(2):
        params = jax.tree.map(lambda leaf, i=lane: leaf[i], run._tested(trials))
        network = nnx.merge(run.graph, params)
        prefixes, _ = run._prefixes(params, keys[lane], 3)
        for i, key in enumerate(keys[lane]):
            text = own.task.sample(key)
            outputs = run.objective.activate(network(text.inputs, text.length))
            right = np.asarray(own.task.predicted(outputs, own.task.legal(text.inputs)))
            expected = own.task.length if right.all() else int(right.argmin())
            assert int(prefixes[i]) == expected
            assert bool(verdicts.wrong[lane, i]) == (expected < own.task.length)
            seen.append(expected)
    assert max(seen) > 0
    if own is ONLINE:  # weights that have been tested are not tested again
        again = trials._replace(stream=trials.stream._replace(inspected=trials.stream.ended))
        skipped = run.verdicts(again, keys)
        assert skipped.wrong.all()
        assert np.isnan(skipped.error).all()
    early = run.verdicts(trials, keys)  # of a running trial: one error is enough
    assert (early.wrong.any(1) == verdicts.wrong.any(1)).all()
    assert (early.wrong >= verdicts.wrong).all()


def test_figures_of_a_net_without_memory_do_not_depend_on_the_context():
    own = recipe(Quotes(200, shortest=3), Recurrent(RNN, 4), Windows(2, 7), 3)
    run, setup, trials = started(own)
    trials.params["cell"]["W_hh"][...] = jnp.zeros((2, 4, 4))
    found = run.measured(setup, trials, 0)
    assert set(found) == set(store.STREAMED)
    for k in CONTEXTS:
        assert abs(found[f"context_{k}"] - found["bits"]) < 1e-3


def test_bits_of_a_net_that_knows_the_word():
    own = recipe(Hello(100), Recurrent(RNN, 8), Windows(4, 25), 100)
    run, setup, trials = started(own, lanes=1, rate=0.02)
    trials = advanced(run, setup, trials, 5)
    found = run.measured(setup, trials, 0)
    assert found["floor"] == 0
    assert found["bits"] < 0.05
    assert found["prefix"] == 100
    # Behind an l alone comes an l or an o.
    assert found["context_1"] > 0.2
    assert found["context_4"] < found["context_1"]


@pytest.mark.slow
def test_floor_is_the_entropy_of_the_source():
    own = recipe(ContinualReber(200), Recurrent(RNN, 4), Windows(2, 7), 3, test_size=40)
    run, setup, trials = started(own, lanes=1)
    assert abs(run.measured(setup, trials, 0)["floor"] - 7 / 12) < 0.02


def rows_of(blocks):
    rows = [row for block in blocks for result in block for row in result.rows]
    return store.frame(rows).drop(columns="seconds").sort_values("trial", ignore_index=True)


def test_trials_come_to_rows():
    own = recipe(Hello(60), Recurrent(RNN, 8), Windows(4, 25), 50, budget=40_000)
    experiment = Experiment("hello", 5, "rnn", own, 0.02, 2)
    frame = rows_of(train(0, [Run(experiment, i) for i in range(2)]))
    assert set(frame["outcome"]) == {"solved"}
    assert (frame["prefix"] == 60).all()
    assert (frame["test_wrong"] == 0).all()
    assert (frame["sequences"] % 5000 == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("own", [ONLINE, WINDOWS], ids=["online", "windows"])
def test_an_interrupted_trial_ends_with_the_same_row(own):
    own = replace(own, budget=4 * own.inspect_every * own.learner.batch)
    runs = [Run(Experiment("t", 1, "c", own, 0.1, 3), i) for i in range(3)]
    whole = rows_of(train(1, runs))
    lanes = Lanes(1, runs)
    for _ in range(2):
        lanes.block()
    pd.testing.assert_frame_equal(rows_of(train(1, runs, lanes.state())), whole)
    assert (whole["outcome"] == "spent").all()
    if own is ONLINE:
        assert (whole["streams"] > 1).all()


@pytest.mark.slow
def test_a_trial_ends_with_its_last_training_stream():
    own = replace(ONLINE, learner=OnlineStream(most=3), budget=1200)
    (row,) = rows_of(train(0, [Run(Experiment("t", 1, "c", own, 0.1, 1), 0)])).to_dict("records")
    assert (row["outcome"], row["streams"]) == ("spent", 3)
    assert row["seen"] < 1200


@pytest.mark.slow
def test_a_trial_that_its_budget_ends_counts_the_stream_that_had_begun():
    own = replace(ONLINE, budget=120)
    (row,) = rows_of(train(0, [Run(Experiment("t", 1, "c", own, 0.1, 1), 0)])).to_dict("records")
    run, setup, trials = started(own, lanes=1)
    ended = int(advanced(run, setup, trials).stream.ended[0])
    assert (row["outcome"], row["streams"]) == ("spent", ended + 1)


@pytest.mark.parametrize("own", [ONLINE, WINDOWS], ids=["online", "windows"])
def test_a_stream_has_no_learning_curve(own):
    """Tests stop at the first stream with an error, and would call the others wrong, too."""
    results = [
        each for block in train(0, [Run(Experiment("t", 1, "c", own, 0.1, 1), 0)]) for each in block
    ]
    assert [row["outcome"] for each in results for row in each.rows] == ["spent"]
    assert not any(each.points for each in results)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (lambda: replace(WINDOWS, criterion=Recent()), "no training sequences for a criterion"),
        (lambda: replace(ONLINE, model=Recurrent(RNN, 4)), "needs the net of 1997 or of 2000"),
        (lambda: replace(ONLINE, model=replace(SMALL, truncate=False)), "truncated"),
        *(
            (lambda kind=kind: replace(ONLINE, model=kind(2, 1)), "needs the net of 1997")
            for kind in (HalfReset97, IdentityH97)
        ),
    ],
)
def test_what_does_not_fit_is_refused(own, message):
    with pytest.raises(UsageError, match=message):
        program(own())


@pytest.mark.parametrize("learner", [Windows(), OnlineStream()])
def test_learners_of_streams_learn_from_nothing_else(learner):
    task = TwoSequence3a(10, 2)
    with pytest.raises(UsageError, match="learns from streams, and TwoSequence3a"):
        Recipe(task, SMALL, learner, PERFECT, 100 * learner.batch)


def test_a_window_is_not_longer_than_the_stream():
    with pytest.raises(UsageError, match="which has 200 symbols, not 201"):
        replace(WINDOWS, learner=Windows(2, 201), budget=3 * 402)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Windows(streams=0), "streams and window must be at least 1, not 0 and 50"),
        (lambda: Windows(window=-3), "not 10 and -3"),
        (lambda: OnlineStream(decay=0.0), "decay must be above 0 and at most 1, not 0.0"),
        (lambda: OnlineStream(decay=1.1), "not 1.1"),
        (lambda: OnlineStream(longest=0), "longest and most must be at least 1"),
        (lambda: OnlineStream(most=0), "not 1000000 and 0"),
    ],
)
def test_impossible_learners_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.slow
def test_the_net_of_2000_learns_from_ends_of_sequences_as_automatic_differentiation_does():
    task = TwoSequence3a(T=8, N=2)
    trained = []
    for learner in (Online(), Online(forward=False)):
        own = Recipe(task, SMALL, learner, Inspection(10), 40, 20, test_size=10)
        run, setup, trials = started(own, lanes=run_lanes(own), rate=0.5)
        for _ in range(2):
            drawn = run.source.training(setup.key, jnp.copy(trials.seen), 20, None)
            trials = run.train(setup, trials, drawn)
        trained.append(jax.tree.leaves(trials.params))
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one[:2], other[:2], rtol=1e-3, atol=1e-5)


def run_lanes(own):
    return program(own).lanes(4)

"""The pure core: a fixed number of trials side by side ("lanes") in compiled programs.

A trial is a pytree; every function here is compiled over a leading lane axis. Nothing touches
disk, clock or screen. All randomness comes from keys folded from (seed, trial, stream, counter),
and the number of lanes is the same however many trials there are, or one of two that compute the
same, so a trial is the same bit for bit whatever runs beside it, whatever the host's block size,
and after an interruption.
"""

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning import xla
from benchmarks.learning.experiment import OF_LEARNER, Recipe, Settings
from tasks.building import Symbols, SymbolTask
from tasks.sequence import FiniteTask, Ordered, Sequence, Task, Verdict

RUNNING, SOLVED, SPENT, DIVERGED = range(4)
OUTCOMES = ("running", "solved", "spent", "diverged")
"""Names of the outcomes; spent: the budget ended it (censored), diverged: a number overflowed."""

INIT, TRAIN, INSPECT, TEST = range(4)  # streams of a trial's key
TRIALS, SETS = range(2)  # streams of the seed's key
ALONE = 10_000  # weights; measured: with so many, a batch costs as much alone as beside others
GPU_LANES = 4096  # elsewhere a step costs the same until the chip is full
JUDGED_NUMBERS = 2**17  # outputs that are judged at a time, for each lane: what the cache holds
TEST_GROUP = 256  # sequences that one call judges: every test has a multiple, cut to its size


Drawn = Sequence | Symbols
"""Sequences as they are drawn: one-hot symbols as numbers, until a network sees them."""


class Setup(NamedTuple):
    """What is fixed in a trial.

    Attributes:
        key: of all that is random in it.
        sets_key: key of its training set.
        rate: learning rate.
        settings: the `Settings` that have values, by name; `memory` is `[2]`, the others `[]`.
    """

    key: jax.Array
    sets_key: jax.Array
    rate: jax.Array
    settings: dict[str, jax.Array]


class Trial(NamedTuple):
    """What changes in a trial; frozen bit for bit once `outcome` is not RUNNING.

    States and parameters are pytrees of arrays, `()` where they are left out.

    Attributes:
        params: trainable arrays of the network.
        opt_state: state of the optimiser.
        criterion: state of the criterion.
        milestone: state of the milestone criterion, None without one.
        growth: state of the rule by which the network grows, None where it does not.
        seen: `[]` int32; training sequences so far. Of a solved trial: sequences to success.
        milestone_at: `[]` int32; value of `seen` when the milestone was first met, else -1.
        outcome: `[]` int8; RUNNING, SOLVED, SPENT or DIVERGED.
        stream: where in its streams it is, if it learns from streams.
    """

    params: Any
    opt_state: optax.OptState
    criterion: Any
    milestone: Any
    growth: Any
    seen: jax.Array
    milestone_at: jax.Array
    outcome: jax.Array
    stream: Any = ()


def setups(
    seed: int,
    indices: Iterable[int],
    rates: Iterable[float],
    data_sets: int = 0,
    settings: Iterable[Settings] = (),
) -> Setup:
    """Keys, rates and settings of the trials with these indices, stacked along the lane axis.

    Args:
        seed: seed of the run.
        indices: numbers of the trials, from 0.
        rates: learning rate of each.
        data_sets: number of different training sets that the trials take in turn; 0 gives each
            trial its own.
        settings: those of each, all with values for the same; none leaves them to the recipe.
    """
    given = [each.given() for each in settings]
    root = jax.random.key(seed)
    trial = jnp.asarray(indices, jnp.uint32)
    data = trial % data_sets if data_sets else trial
    fold = jax.vmap(jax.random.fold_in, (None, 0))
    return Setup(
        fold(jax.random.fold_in(root, TRIALS), trial),
        fold(jax.random.fold_in(root, SETS), data),
        jnp.asarray(rates, jnp.float32),
        {
            name: jnp.asarray([each[name] for each in given], jnp.float32)
            for name in (given[0] if given else ())
        },
    )


class Source:
    """Sequences of a task for every lane. Apart from the network, so that all cells share it.

    Attributes:
        finite: whether the task has fixed sets.
        fresh: (keys `[lane]`, stream, first `[lane]`, count) -> sequences `[lane, count, ...]`,
            numbers `first`, `first + 1`, ... of the stream, all spelt out.
        sets: keys `[lane]` -> training and test set of a finite task, `[lane, n, ...]` each.
        picked: as `fresh`, with the training set as last argument: sequences picked from it, or
            those that are next in it.
    """

    finite = False

    def __init__(self, task: Task):
        options = xla.quick_compile_options(jax.default_backend())
        compiled = functools.partial(jax.jit, compiler_options=options)

        def many(draw):
            return compiled(
                lambda keys, stream, first, count: jax.vmap(
                    lambda key, at: jax.vmap(draw)(numbered(key, stream, at, count))
                )(keys, first),
                static_argnums=3,
            )

        self.fresh = many(task.sample)
        self._drawn = many(task.symbols) if isinstance(task, SymbolTask) else self.fresh
        if isinstance(task, FiniteTask):
            self.finite = True
            self.sets = compiled(jax.vmap(task.draw_sets))
            numbers = _in_order if isinstance(task, Ordered) else _at_random
            pick = jax.vmap(functools.partial(_pick, numbers), (0, None, 0, None, 0))
            self.picked = compiled(pick, static_argnums=3)

    def training(self, keys: jax.Array, first: jax.Array, count: int, sets) -> Drawn:
        """The next `count` training sequences of each lane, as `Program.train` takes them."""
        if self.finite:
            return self.picked(keys, TRAIN, first, count, sets[0])
        return self._drawn(keys, TRAIN, first, count)

    def tests(self, keys: jax.Array, stream: int, first: jax.Array, count: int) -> Drawn:
        """`count` fresh sequences for each lane, as `Program.verdicts` takes them."""
        return self._drawn(keys, stream, first, count)


class Program:
    """The compiled functions of a recipe, each over a leading lane axis.

    Attributes:
        source: where its sequences come from.
        start: setups -> freshly initialised trials.
        merge: (which `[lane]`, trials, trials) -> the first where marked, else the second.
        train: (setups, trials, sequences `[lane, update * batch, ...]`) -> trials.
        verdicts: (trials, sequences `[lane, n, ...]`) -> verdicts `[lane, n]`.
        inspect: (trials, verdicts) -> trials; shows the criteria a test, then the budget may end
            the trial.
        weights: number of trainable numbers in the network; a complex one counts as two.
        cpu_lanes: how many trials train side by side on a CPU.
        curves: whether inspections tell enough for a learning curve.
    """

    curves = True
    cpu_lanes = 4  # measured: fewer waste the vector units, more wait for the slowest trial

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.source: Any = source(recipe.task)
        self.objective = recipe.learner.objective(recipe.task)
        self.graph, self.weights, self.complex, sizes = _structure(recipe)
        backend = jax.default_backend()
        compiled = functools.partial(jax.jit, compiler_options=xla.lane_options(backend, sizes))
        quick_jit = functools.partial(jax.jit, compiler_options=xla.quick_compile_options(backend))
        self.start = quick_jit(jax.vmap(self._start))
        self.merge = quick_jit(jax.vmap(select))
        self.train = compiled(jax.vmap(self._train), donate_argnums=1)
        self.verdicts = compiled(jax.vmap(self._verdicts))
        self.inspect = quick_jit(jax.vmap(self._inspect), donate_argnums=0)

    def lanes(self, trials: int) -> int:
        """How many lanes train so many trials.

        On a CPU always as many, so that a row depends on its trial only: XLA vectorises other
        widths in another way. Large networks that see batches train alone there, so that no lane
        is computed in vain when few trials are left.
        """
        if jax.default_backend() != "cpu":
            return min(GPU_LANES, trials)
        return 1 if self.weights >= ALONE and self.recipe.learner.batch > 1 else self.cpu_lanes

    def lanes_at_the_end(self, lanes: int, trials: int, steps: int) -> int:
        """How many of the lanes go on with the last trials, which have so many steps to go."""
        del trials, steps
        return lanes

    def updates_per_call(self) -> int:
        """How many updates one call of `train` makes; a divisor of `inspect_every`."""
        return self.recipe.inspect_every

    def measured(self, setups: Setup, trials: Trial, lane: int) -> dict[str, float]:
        """Further columns of the row of a trial that has ended; none but of streams."""
        del setups, trials, lane
        return {}

    def _start(self, setup: Setup) -> Trial:
        recipe = self.recipe
        start = {name: value for name, value in setup.settings.items() if name not in OF_LEARNER}
        network = _build(recipe, jax.random.fold_in(setup.key, INIT), **start)
        params = nnx.state(network, nnx.Param)
        return Trial(
            params,
            self._optimizer(setup).init(params),
            recipe.criterion.init(),
            recipe.milestone and recipe.milestone.init(),
            recipe.model.growth and recipe.model.growth.init(),
            seen=jnp.zeros((), jnp.int32),
            milestone_at=jnp.full((), -1, jnp.int32),
            outcome=jnp.full((), RUNNING, jnp.int8),
        )

    def _optimizer(self, setup: Setup) -> optax.GradientTransformation:
        chosen = {name: value for name, value in setup.settings.items() if name in OF_LEARNER}
        optimizer = self.recipe.learner.optimizer(**chosen)
        if not self.complex:
            return optimizer
        # learns as the same cell in real numbers would
        return optax.contrib.split_real_and_imaginary(optimizer)

    def _train(self, setup: Setup, trial: Trial, sequences: Drawn) -> Trial:
        def update(trial, batch):
            return freeze_finished(trial, self._update(setup, trial, batch)), None

        batch = self.recipe.learner.batch
        batches = jax.tree.map(lambda a: a.reshape(-1, batch, *a.shape[1:]), sequences)
        return jax.lax.scan(update, trial, batches)[0]

    def _update(self, setup: Setup, trial: Trial, batch: Drawn) -> Trial:
        """One update of the weights, then a look at the criteria."""
        (loss, verdicts), gradient = self._gradient(setup, trial, batch)
        # Of a complex weight, jax gives the conjugate of the direction of steepest ascent.
        gradient = jax.tree.map(jnp.conj, gradient)
        optimizer = self._optimizer(setup)
        direction, opt_state = optimizer.update(gradient, trial.opt_state, trial.params)
        step = jax.tree.map(lambda d: -setup.rate * d, direction)
        finite = jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(step))
        moved = self._observe(trial, verdicts)._replace(
            params=optax.apply_updates(trial.params, step), opt_state=opt_state
        )
        # A diverged trial keeps its last finite weights and the count of sequences up to there.
        return self._conclude(select(finite, moved, trial), finite)

    def _gradient(self, setup: Setup, trial: Trial, batch: Drawn):
        """((loss, verdicts), gradient of the loss by the weights) of a batch."""
        del setup
        return jax.value_and_grad(self._loss, has_aux=True)(trial.params, trial, batch)

    def _observe(self, trial: Trial, verdicts: Verdict) -> Trial:
        """The trial, but for its weights, after training sequences `[batch]`."""
        recipe = self.recipe
        growth = recipe.model.growth
        return trial._replace(
            criterion=recipe.criterion.observe(trial.criterion, verdicts),
            milestone=recipe.milestone and recipe.milestone.observe(trial.milestone, verdicts),
            growth=growth and growth.observe(trial.growth, verdicts.error.mean()),
            seen=trial.seen + recipe.learner.batch,
        )

    def _loss(self, params, trial: Trial, batch: Drawn):
        """Mean loss over a batch of sequences, and the verdicts on them."""
        sequences = jax.vmap(self._encoded)(batch)
        return self._judged(self._nets(params, trial, sequences), sequences)

    def _judged(self, nets: jax.Array, sequences: Sequence):
        """As `_loss`, from the net inputs of the output units, `[batch, answers, n_out]`."""

        def one(sequence, net):
            losses = jnp.where(sequence.scored, self.objective.loss(net, sequence.targets), 0.0)
            verdict = self.recipe.task.judge(self.objective.activate(net), sequence)
            steps = 1 if self.recipe.learner.summed else sequence.scored.sum()
            return losses.sum() / steps, verdict

        losses, verdicts = jax.vmap(one)(sequences, nets)
        return losses.mean(), verdicts

    def _encoded(self, drawn: Drawn) -> Sequence:
        """A sequence, with targets for those steps only that the network answers."""
        sequence = encoded(self.recipe.task, drawn)
        if self.recipe.task.every_step:
            return sequence
        last = sequence.targets[sequence.length - 1]
        return sequence._replace(targets=last[None], scored=jnp.ones(1, bool))

    def _nets(self, params, trial: Trial, batch: Sequence) -> jax.Array:
        """Net inputs of the output units for a batch of sequences, `[batch, answers, n_out]`."""
        if self.recipe.model.batched:
            return self._net(params, trial, batch)
        if len(batch.length) > 1:
            return jax.vmap(functools.partial(self._net, params, trial))(batch)
        # Gradients of gathers are several times slower to compute behind a batch axis of one.
        return self._net(params, trial, jax.tree.map(lambda leaf: leaf[0], batch))[None]

    def _verdicts(self, trial: Trial, sequences: Drawn) -> Verdict:
        task = self.recipe.task

        def one(sequence):
            sequence = self._encoded(sequence)
            outputs = self.objective.activate(self._net(trial.params, trial, sequence))
            return task.judge(outputs, sequence)

        judged = task.steps * task.n_out if task.every_step else task.n_out
        at_a_time = max(1, JUDGED_NUMBERS // judged)
        if len(sequences.length) <= at_a_time:
            return jax.vmap(one)(sequences)
        return jax.lax.map(one, sequences, batch_size=at_a_time)

    def _net(self, params, trial: Trial, sequence: Sequence) -> jax.Array:
        """Net inputs `[..., answers, n_out]`: at every step, or after the last one only."""
        network = nnx.merge(self.graph, params)
        grown = (trial.growth.grown,) if self.recipe.model.growth else ()
        if not self.recipe.task.every_step:
            return network.last(sequence.inputs, sequence.length, *grown)[..., None, :]
        return network(sequence.inputs, sequence.length, *grown)

    def _inspect(self, trial: Trial, verdicts: Verdict) -> Trial:
        recipe = self.recipe
        shown = trial._replace(
            criterion=recipe.criterion.inspect(trial.criterion, verdicts),
            milestone=recipe.milestone and recipe.milestone.inspect(trial.milestone, verdicts),
        )
        shown = self._conclude(shown, jnp.array(True))
        spent = (shown.outcome == RUNNING) & (shown.seen >= recipe.budget)
        outcome = jnp.where(spent, SPENT, shown.outcome).astype(jnp.int8)
        return freeze_finished(trial, shown._replace(outcome=outcome))

    def _conclude(self, trial: Trial, finite: jax.Array) -> Trial:
        """Sets outcome and time of the milestone from the criteria as they stand."""
        recipe = self.recipe
        if recipe.milestone:
            first = (trial.milestone_at < 0) & recipe.milestone.met(trial.milestone)
            trial = trial._replace(milestone_at=jnp.where(first, trial.seen, trial.milestone_at))
        outcome = jnp.where(recipe.criterion.met(trial.criterion), SOLVED, RUNNING)
        return trial._replace(outcome=jnp.where(finite, outcome, DIVERGED).astype(jnp.int8))


@functools.cache
def source(task: Task) -> Source:
    """The source of a task; asking twice does not compile twice."""
    return Source(task)


def _build(recipe: Recipe, key: jax.Array, **settings: jax.Array) -> nnx.Module:
    return recipe.model.build(recipe.task.n_in, recipe.task.n_out, nnx.Rngs(key), **settings)


def _structure(recipe: Recipe) -> tuple[nnx.GraphDef, int, bool, set[int]]:
    """Structure of the network without its numbers.

    Returns:
        The structure, how many numbers there are, if any is complex, and the sizes of their axes.
    """
    abstract = nnx.eval_shape(lambda: _build(recipe, jax.random.key(0)))
    graph, params, *rest = nnx.split(abstract, nnx.Param, ...)
    if jax.tree.leaves(rest):
        raise UsageError(
            "the cell keeps state other than nnx.Param; a trial's state is its params and the "
            "carry only, so pass what changes through the carry"
        )
    leaves = jax.tree.leaves(params)
    complex_ones = sum(leaf.size for leaf in leaves if jnp.iscomplexobj(leaf))
    sizes = {size for leaf in leaves for size in leaf.shape}
    return graph, sum(leaf.size for leaf in leaves) + complex_ones, complex_ones > 0, sizes


def numbered(key: jax.Array, stream: int, first: jax.Array, count: int) -> jax.Array:
    """Keys number `first`, ..., `first + count - 1` of a stream."""
    stream_key = jax.random.fold_in(key, stream)
    return jax.vmap(lambda i: jax.random.fold_in(stream_key, first + i))(jnp.arange(count))


def encoded(task: Task, drawn: Drawn) -> Sequence:
    """A sequence as networks and judges see it."""
    if isinstance(drawn, Sequence):
        return drawn
    assert isinstance(task, SymbolTask)  # no other draws symbols
    return task.encode(drawn)


def _pick(numbers, key, stream, first, count, training_set: Sequence) -> Sequence:
    """Sequences picked from a training set by their numbers in it."""
    chosen = numbers(key, stream, first, count, len(training_set.length))
    return jax.tree.map(lambda leaf: leaf[chosen], training_set)


def _at_random(key, stream, first, count, size: int) -> jax.Array:
    """One key each."""
    pick = jax.vmap(lambda key: jax.random.randint(key, (), 0, size))
    return pick(numbered(key, stream, first, count))


def _in_order(key, stream, first, count, size: int) -> jax.Array:
    """Over and over."""
    del key, stream
    return (first + jnp.arange(count)) % size


def select(condition: jax.Array, new, old):
    """Every leaf from `new` where the condition holds, else from `old`."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


def freeze_finished(old: Trial, new: Trial) -> Trial:
    """The new trial, unless the old one was finished."""
    return select(old.outcome == RUNNING, new, old)

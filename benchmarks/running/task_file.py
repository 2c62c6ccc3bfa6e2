"""A task of the user's own, from a Python file or a package, without registration."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.errors import UsageError
from benchmarks.running.guarded import guarded
from benchmarks.running.own_class import OwnClass
from tasks.sequence import Chance, Objective, Sequence, Task, Verdict

DRAWN = 256  # sequences that are looked at
ATTRIBUTES = ("n_in", "n_out", "steps", "lag", "every_step", "tolerance", "chance", "objective")
METHODS = ("sample", "judge", "relevant")
CLEARLY = 0.8, 0.2  # a constant has at most so much of chance's error, or is so much more right


def task_from(spec: str) -> Task:
    """The task that `FILE:CLASS` or `package.module:CLASS` names, checked on some sequences.

    Arguments are literals, by name, in brackets: `my.py:MyTask(T=200)`.

    Raises:
        UsageError: no such file or class, it does not import, or it is no task: `tasks.sequence`
            says what one promises.
    """
    own = OwnClass.named(spec, "task")
    kind = own.load()
    with guarded(spec):
        task = kind(**own.keywords)
    with guarded(f"{spec} does not work as a task"):
        for fault in _faults(task):  # each rests on there being none before it
            raise UsageError(f"{spec}: {fault}")
    return task


def _faults(task) -> Iterator[str]:
    yield from _form(task)
    yield from _shapes(task)
    drawn = jax.jit(jax.vmap(task.sample))(jax.random.split(jax.random.key(0), DRAWN))
    yield from _sequences(task, jax.tree.map(np.asarray, drawn))
    yield from _floor(task, drawn)


def _form(task) -> Iterator[str]:
    """What a task is and has."""
    made = getattr(task, "__dataclass_params__", None)  # of a dataclass
    if not (made and made.frozen):
        yield "its class must be a dataclass with frozen=True"
    if absent := [name for name in (*ATTRIBUTES, *METHODS) if not hasattr(task, name)]:
        yield f"it has no {', '.join(absent)}"
    hash(task)
    if not isinstance(task.objective, Objective):
        yield "its objective must be one of tasks.sequence, REGRESSION say"
    right, error = task.chance
    if not isinstance(task.chance, Chance) or not (0 <= right <= 1 and 0 <= error < np.inf):
        yield f"its chance must be Chance(right=0 to 1, error=from 0 on), not {task.chance}"


def _shapes(task) -> Iterator[str]:
    """Shapes and types of one sequence, of the loss and the verdict on it."""
    T, n_in, n_out = task.steps, task.n_in, task.n_out
    sequence = jax.eval_shape(task.sample, jax.random.key(0))
    if not isinstance(sequence, Sequence):
        yield f"sample must return a tasks.sequence.Sequence, not a {type(sequence).__name__}"
    promised = _array((T, n_in)), _array((T, n_out)), _array((T,), bool), _array((), jnp.int32)
    for name, found, wanted in zip(Sequence._fields, sequence, promised, strict=True):
        yield from _other(f"{name} of a sequence", found, wanted)
    yield from _other("relevant", jax.eval_shape(task.relevant, sequence), _array((T,), bool))
    net = _array((T, n_out))
    loss = jax.eval_shape(task.objective.loss, net, sequence.targets)
    yield from _other("the objective's loss", loss, _array((T,)))
    if not task.every_step:  # learners answer at the last step alone
        net = _array((1, n_out))
        sequence = sequence._replace(targets=net, scored=_array((1,), bool))
    verdict = jax.eval_shape(task.judge, net, sequence)
    if not isinstance(verdict, Verdict):
        yield f"judge must return a tasks.sequence.Verdict, not a {type(verdict).__name__}"
    yield from _other("error of a verdict", verdict.error, _array(()))
    yield from _other("wrong of a verdict", verdict.wrong, _array((), bool))


def _array(shape: tuple[int, ...], kind: type = jnp.float32) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, kind)


def _other(what: str, found, wanted: jax.ShapeDtypeStruct) -> Iterator[str]:
    if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
        yield f"{what} is {found.dtype}{[*found.shape]}, not {wanted.dtype}{[*wanted.shape]}"


def _sequences(task, drawn: Sequence) -> Iterator[str]:
    """What sequences `[DRAWN, ...]` promise: padding, and when there is a teacher signal."""
    step, length = np.arange(task.steps), drawn.length[:, None]
    if not (np.isfinite(drawn.inputs).all() and np.isfinite(drawn.targets).all()):
        yield "some inputs or targets are not finite"
    if not ((length >= 1) & (length <= task.steps)).all():
        yield f"length must lie between 1 and steps = {task.steps}"
    if drawn.inputs[step >= length].any():
        yield "inputs must be zero from length on"
    if drawn.targets[~drawn.scored].any():
        yield "targets must be zero where not scored"
    wanted = step < length if task.every_step else step == length - 1
    if (drawn.scored != wanted).any():
        when = "every step below length" if task.every_step else "step length - 1 and no other"
        yield f"with every_step = {task.every_step}, scored must be true at {when}"


def _floor(task, drawn: Sequence) -> Iterator[str]:
    """What the targets themselves, and constants, score as outputs, against `chance`."""
    judge = jax.jit(jax.vmap(task.judge))
    if not np.isnan(task.tolerance) and judge(drawn.targets, drawn).wrong.all():
        yield "judge calls the targets themselves wrong"
    targets = np.asarray(drawn.targets)[np.asarray(drawn.scored)]
    for constant in (np.median(targets, 0), targets.mean(0)):
        verdicts = judge(jnp.broadcast_to(constant, drawn.targets.shape), drawn)
        right, error = 1 - float(verdicts.wrong.mean()), float(verdicts.error.mean())
        if error < CLEARLY[0] * task.chance.error or right > task.chance.right + CLEARLY[1]:
            yield (
                f"its chance is {tuple(task.chance)}, but the constant output "
                f"{constant.round(3).tolist()} has ({right:.3f}, {error:.3f})"
            )

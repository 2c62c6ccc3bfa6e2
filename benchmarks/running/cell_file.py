"""Cells of the user's own, from a Python file or a package, without registration."""

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning import space
from benchmarks.running.guarded import guarded
from benchmarks.running.own_class import OwnClass
from benchmarks.running.rules import NO_LABEL
from models.network import Network, Recurrent

TRIAL_SIZES = 3, 5  # inputs and hidden units of the shape check: different from each other
LABEL = 100  # characters: a label is part of the name of a results file

FOREIGN = {"flax.linen": "a Linen module", "equinox": "an Equinox module"}
WRAPPING = "CONTRIBUTING.md#a-cell-of-another-library"


@dataclass(frozen=True)
class CellFile(OwnClass):
    """A cell class of the user's; called like the class itself.

    Attributes:
        label: what tables call it.
    """

    label: str = field(default="", compare=False)

    @property
    def batched(self) -> bool:
        """Whether the class says that leading axes of what its cells are given are batch."""
        return getattr(self.load(), "batched", False)

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of numbers that the constructor takes and a search may choose."""
        return getattr(self.load(), "settings", ())

    def __call__(
        self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs, **settings: Any
    ) -> nnx.RNNCellBase:
        """A cell of that class."""
        made_with = self.keywords | settings
        kind = self.load()
        with guarded(
            f"{self.name} does not work as cell({in_features}, {hidden_features}, rngs=...)"
        ):
            return kind(in_features, hidden_features, rngs=rngs, **made_with)


def cell_from(spec: str) -> CellFile:
    """The cell that `FILE:CLASS` names, checked on one step; as `cells_from` of one."""
    return cells_from([spec])[0]


def cells_from(specs: Sequence[str]) -> list[CellFile]:
    """The cells that these name, each checked on one step, without repetitions.

    A spec is `FILE:CLASS` or `package.module:CLASS`, with literal arguments in brackets or without.
    The label of a cell is its class and arguments; where several share one, the names of their
    files (and as many folders as it takes) stand before it.

    Raises:
        UsageError: no such file or class, it does not import, it is no nnx cell, keeps state, or
            parameters that have no gradient, or its output has a wrong shape; or two could not be
            told apart.
    """
    named = {CellFile.named(spec, "cell"): spec for spec in specs}
    cells = _labelled(list(named))
    for cell in cells:
        with guarded(f"{named[cell]} does not work as a cell"):
            _check(cell, named[cell])
    return cells


def _labelled(cells: list[CellFile]) -> list[CellFile]:
    labels = [_label(cell, 0) for cell in cells]
    depth = 0
    while shared := {label for label, count in Counter(labels).items() if count > 1}:
        depth += 1
        if depth > max(len(_place(cell)) for cell in cells):
            raise UsageError(f"two cells would both be called {min(shared)} in tables; rename one")
        labels = [
            _label(cell, depth) if label in shared else label
            for cell, label in zip(cells, labels, strict=True)
        ]
    return [replace(cell, label=label) for cell, label in zip(cells, labels, strict=True)]


def _label(cell: CellFile, depth: int) -> str:
    """Class and arguments behind the last names of where they are, all fit for a file name."""
    name = ".".join([*_place(cell)[-depth:], cell.name] if depth else [cell.name])
    text = name + (f"({cell.arguments})" if cell.arguments else "")
    text = text.translate(str.maketrans("[]{}", "()()", " '\""))
    label = re.sub(NO_LABEL, "_", text)
    if len(label) > LABEL:
        raise UsageError(f"{label[:LABEL]}... is too long for the name of a results file")
    return label


def _place(cell: CellFile) -> tuple[str, ...]:
    """The names of folders and file, or of packages and module."""
    path = Path(cell.where)
    if path.is_absolute():
        return path.with_suffix("").parts[1:]
    return tuple(cell.where.split("."))


def _check(cell: CellFile, spec: str) -> None:
    """Builds the cell and follows the shapes of one step, without computing any."""
    _require_nnx(cell.load(), spec)
    _require_attributes(cell, spec)
    n_in, hidden = TRIAL_SIZES
    more = ", ..." if cell.arguments else ""
    with guarded(
        f"{spec} does not work as cell(in_features, hidden_features, rngs=...{more}) "
        "with (carry, x) -> (carry, y)"
    ):
        start = {name: space.START[name](n_in, 0.5, 0.5) for name in cell.settings}
        nnx.eval_shape(
            lambda given: Recurrent(cell, hidden).build(n_in, 1, nnx.Rngs(0), **given), start
        )
        network = nnx.eval_shape(lambda: Recurrent(cell, hidden).build(n_in, 1, nnx.Rngs(0)))
        _require_no_state(network.cell, spec)
        _require_floats(network.cell, spec)
        batch = (2,) if cell.batched else ()
        x = jax.ShapeDtypeStruct((*batch, n_in), "float32")
        carry, after, y = nnx.eval_shape(_step, network.cell, x)
    shapes = [jax.tree.map(lambda a: (a.shape, str(a.dtype)), c) for c in (carry, after)]
    if shapes[0] != shapes[1]:
        raise UsageError(f"{spec} changes the shape of its carry: {shapes[0]} to {shapes[1]}")
    if y.shape != (*batch, hidden):
        raise UsageError(
            f"{spec} gives an output of shape {y.shape} for {hidden} hidden units and an input "
            f"of shape {x.shape}; it must be {(*batch, hidden)}"
        )


def require_trainable(model: Recurrent, n_in: int, n_out: int, name: str) -> None:
    """Follows the shapes of two steps and of their gradient through a network.

    Args:
        model: with a cell of the user's, at the size at which it is to be trained.
        n_in: inputs of the task.
        n_out: its outputs.
        name: of the experiment.

    Raises:
        UsageError: that fails.
    """
    batch = (2,) if model.batched else ()
    inputs = jnp.zeros((*batch, 2, n_in))
    length = jnp.ones(batch, int)

    def error(network: Network) -> jax.Array:
        every, last = network(inputs, length), network.last(inputs, length)
        return jnp.sum(every.real) + jnp.sum(last.real)

    with guarded(f"{name} cannot be trained with {model.hidden} hidden units"):
        nnx.eval_shape(lambda: nnx.grad(error)(model.build(n_in, n_out, nnx.Rngs(0))))


def _step(cell: nnx.RNNCellBase, x: jax.Array):
    """The carry before and after one step, and the output."""
    carry = cell.initialize_carry(x.shape, nnx.Rngs(0))
    return carry, *cell(carry, x)


def _require_nnx(kind: Any, spec: str) -> None:
    """Refuses a class of another library by its name."""
    for base in getattr(kind, "__mro__", ()):
        for library, what in FOREIGN.items():
            if f"{base.__module__}.".startswith(f"{library}."):
                raise UsageError(
                    f"{spec} is {what}; the cell must be an nnx cell (flax.nnx.RNNCellBase): "
                    f"{WRAPPING} shows how to make one of it"
                )


def _require_attributes(cell: CellFile, spec: str) -> None:
    """Refuses what the class says of itself and nobody can follow."""
    if not isinstance(cell.batched, bool):
        raise UsageError(f"{spec}: batched must be True or False, not {cell.batched!r}")
    known = isinstance(cell.settings, tuple | list) and all(
        isinstance(name, str) and name in space.START for name in cell.settings
    )
    if not known:
        names, given = " or ".join(map(repr, space.START)), repr(cell.settings)
        raise UsageError(
            f"{spec}: settings must be a tuple of {names}, not {textwrap.shorten(given, 100)}"
        )


def _require_floats(cell: nnx.Module, spec: str) -> None:
    """Refuses parameters that have no gradient."""
    for path, leaf in nnx.to_flat_state(nnx.state(cell, nnx.Param)):
        if not jnp.issubdtype(leaf.dtype, jnp.inexact):
            raise UsageError(
                f"{spec} has a parameter {'.'.join(map(str, path))} of {leaf.dtype}, which cannot "
                "be trained; make it a constant of the class"
            )


def _require_no_state(cell: nnx.RNNCellBase, spec: str) -> None:
    """Refuses state that is not in the carry, and names the modules that keep it."""
    if not isinstance(cell, nnx.Module):
        raise UsageError(f"{spec} makes a {type(cell).__name__}; the cell must be an nnx.Module")
    modules = dict(nnx.iter_modules(cell))
    state = nnx.to_flat_state(nnx.state(cell, nnx.Not(nnx.Param)))
    owners = {
        max((place for place in modules if path[: len(place)] == place), key=len)
        for path, _ in state
    }
    if owners:
        names = (
            ".".join(map(str, place)) + f" ({type(modules[place]).__name__})" if place else "itself"
            for place in sorted(owners, key=str)
        )
        raise UsageError(
            f"{spec} keeps state other than nnx.Param, in {', '.join(names)}; a trial's state is "
            "its params and the carry only, so pass what changes through the carry"
        )

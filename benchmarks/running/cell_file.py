"""A user's own cell, from a Python file, without registration."""

import hashlib
import importlib.util
import sys
from dataclasses import dataclass, field
from modulefinder import ModuleFinder
from pathlib import Path

import jax
from flax import nnx

from benchmarks.errors import UsageError
from models.network import Recurrent

TRIAL_SIZES = 3, 5  # inputs and hidden units of the shape check: different from each other


@dataclass(frozen=True)
class CellFile:
    """A cell class in a file; called like the class itself.

    Two of them are the same cell if class name and source are the same, wherever the file lies. Its
    source is its text and that of all modules that it imports from its own folder and below.

    Attributes:
        path: the Python file.
        name: the class in it.
        source: digest of the source.
    """

    path: str = field(compare=False)
    name: str
    source: str

    def __call__(self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs):
        """A cell of that class."""
        return _load(self.path, self.name)(in_features, hidden_features, rngs=rngs)


def cell_from(spec: str) -> CellFile:
    """The cell that `FILE:CLASS` names, checked on one step.

    Raises:
        UsageError: no such file or class, it does not import, or its output has a wrong shape.
    """
    path, colon, name = spec.rpartition(":")
    if not colon or not name.isidentifier():
        raise UsageError(f"--cell wants FILE.py:ClassName, not {spec!r}")
    try:
        Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the cell file {path} ({error.strerror})") from error
    cell = CellFile(str(Path(path).resolve()), name, _source(Path(path).resolve()))
    _check(cell, spec)
    return cell


def _source(path: Path) -> str:
    """Digest of a file and of the modules that it imports from its own folder and below."""
    finder = ModuleFinder(path=[str(path.parent)])
    try:
        finder.run_script(str(path))
    except Exception as error:  # a syntax error, there or in what it imports
        raise UsageError(f"{path} does not import: {_oneline(error)}") from error
    found = {Path(each.__file__) for each in finder.modules.values() if each.__file__}
    digest = hashlib.sha256(path.read_bytes())
    for each in sorted(found - {path}):
        digest.update(str(each.relative_to(path.parent)).encode() + each.read_bytes())
    return digest.hexdigest()[:12]


def _load(path: str, name: str) -> type:
    return getattr(_module(path), name)


def _module(path: str):
    """The file as a module; what lies in its folder can be imported."""
    folder = str(Path(path).parent)
    if folder not in sys.path:
        sys.path.append(folder)  # last: no name of the program or of a package is hidden
    module_spec = importlib.util.spec_from_file_location(f"cell_file_{Path(path).stem}", path)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module


def _check(cell: CellFile, spec: str) -> None:
    """Builds the cell and follows the shapes of one step, without computing any."""
    try:
        module = _module(cell.path)
    except Exception as error:  # whatever a user's file raises, it is the user's to mend
        raise UsageError(f"{cell.path} does not import: {_oneline(error)}") from error
    if not hasattr(module, cell.name):
        raise UsageError(f"{cell.path} has no class {cell.name}")
    n_in, hidden = TRIAL_SIZES
    try:
        network = nnx.eval_shape(lambda: Recurrent(cell, hidden).build(n_in, 1, nnx.Rngs(0)))
        carry = network.cell.initialize_carry((n_in,), nnx.Rngs(0))
        after, y = nnx.eval_shape(
            lambda cell, x: cell(carry, x), network.cell, jax.ShapeDtypeStruct((n_in,), "float32")
        )
    except Exception as error:
        raise UsageError(
            f"{spec} does not work as cell(in_features, hidden_features, rngs=...) "
            f"with (carry, x) -> (carry, y): {_oneline(error)}"
        ) from error
    shapes = [jax.tree.map(lambda a: (a.shape, str(a.dtype)), c) for c in (carry, after)]
    if shapes[0] != shapes[1]:
        raise UsageError(f"{spec} changes the shape of its carry: {shapes[0]} to {shapes[1]}")
    if y.shape != (hidden,):
        raise UsageError(
            f"{spec} gives an output of shape {y.shape} for {hidden} hidden units and one input "
            f"vector; it must be ({hidden},)"
        )


def _oneline(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"

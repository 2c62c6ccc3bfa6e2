"""A Python file of the user's: what it imports from its own folder, and the file as a module."""

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from modulefinder import ModuleFinder
from pathlib import Path
from types import ModuleType

from benchmarks.errors import UsageError
from benchmarks.running.guarded import guarded, oneline


def digest(path: Path) -> str:
    """Digest of a file and of the modules that it imports from its own folder and below.

    Raises:
        UsageError: a syntax error, there or in what it imports.
    """
    return _digest(path, path.parent, _found(path))


def module_digest(name: str) -> str:
    """Version of a module's package if that is installed, else digest of its source.

    Raises:
        UsageError: there is no such module, or it has a syntax error.
    """
    with guarded(f"{name} does not import"):
        spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not spec.has_location:
        raise UsageError(f"there is no Python module {name}")
    path, package = Path(spec.origin).resolve(), name.partition(".")[0]
    installed = {Path(sysconfig.get_path(each)).resolve() for each in ("purelib", "platlib")}
    if installed & set(path.parents):
        (distribution, *_) = importlib.metadata.packages_distributions()[package]
        return f"{package} {importlib.metadata.version(distribution)}"
    root = path.parents[name.count(".") + (spec.submodule_search_locations is not None)]
    return _digest(path, root, _imports(path, root, name))


def texts(where: str) -> dict[str, bytes]:
    """What is in a file and those that it imports from its own folder and below, by their place.

    Nothing of a module that is named, which is looked for where it is needed.

    Raises:
        UsageError: a file is no longer there.
    """
    path = Path(where)
    if not path.is_absolute():
        return {}
    try:
        return {str(each.relative_to(path.parent)): each.read_bytes() for each in _found(path)}
    except OSError as error:
        raise UsageError(f"cannot read {error.filename} ({error.strerror})") from error


@functools.cache
def executed(path: Path, source: str) -> ModuleType:
    """The file as a module, executed once for each source.

    Raises:
        UsageError: the file has another source by now, or its name does not end in .py.
    """
    if source != digest(path):
        raise UsageError(f"{path} has been changed since this began; give the command again")
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    with _importable(path, module):
        spec.loader.exec_module(module)
    return module


def _digest(path: Path, root: Path, files: set[Path]) -> str:
    found = hashlib.sha256(path.read_bytes())
    for each in sorted(files - {path}):
        found.update(str(each.relative_to(root)).encode() + each.read_bytes())
    return found.hexdigest()[:12]


def _found(path: Path) -> set[Path]:
    """A file and those that it imports from its own folder and below."""
    return _imports(path, path.parent)


def _imports(path: Path, root: Path, module: str | None = None) -> set[Path]:
    """A file, as a module or a script, and those that it imports below `root`; none is run."""
    finder = ModuleFinder(path=[str(root)])
    try:
        finder.import_hook(module) if module else finder.run_script(str(path))
    except Exception as error:
        raise UsageError(f"{path} does not import: {oneline(error)}") from error
    files = (getattr(each, "__file__", None) for each in finder.modules.values())
    return {Path(file) for file in files if file}


@contextlib.contextmanager
def _importable(path: Path, module: ModuleType) -> Iterator[None]:
    """What lies in the folder of a file can be imported while the file is executed.

    Afterwards it is forgotten, since in the folder of another file modules may have the same names;
    so is the file, which workers would look for by its name.
    """
    before, folder, own = set(sys.modules), str(path.parent), set()
    if folder not in {str(Path(each).resolve()) for each in sys.path}:
        own = _found(path)
        sys.path.append(folder)  # last: no name of the program or of a package is hidden
    sys.modules[module.__name__] = module  # where dataclasses look for it
    try:
        yield
    finally:
        del sys.modules[module.__name__]
        if own:
            sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if Path(getattr(sys.modules[name], "__file__", None) or "") in own:
                del sys.modules[name]

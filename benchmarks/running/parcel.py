"""Calls as bytes, for machines that have no file of the user's.

A cell from a file brings the text of that file, and of those that it imports from its folder;
classes and functions of the user's other modules come as they are. What the project and installed
packages hold is only named: there it must be the same (`benchmarks.running.cluster` looks).
"""

import contextlib
import functools
import io
import pickle
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import cloudpickle

from benchmarks.errors import UsageError
from benchmarks.learning.own_source import is_own
from benchmarks.running import files, source_file
from benchmarks.running.own_class import OwnClass


def packed(thing: Any) -> bytes:
    """Something with all that it needs of the user's code.

    Raises:
        UsageError: a file of the user's is no longer there.
    """
    file = io.BytesIO()
    with _by_value():
        _Packer(file).dump(thing)
    return file.getvalue()


def unpacked(parcel: bytes, folder: Path) -> Any:
    """What was packed; files of the user's go to a folder.

    Raises:
        UsageError: a module of the user's is not here, or another than it was there.
    """
    return _Unpacker(io.BytesIO(parcel), folder).load()


class _Packer(cloudpickle.Pickler):
    def persistent_id(self, thing: Any) -> tuple | None:
        if not isinstance(thing, OwnClass):
            return None
        values = {each.name: getattr(thing, each.name) for each in fields(thing)}
        return type(thing), values, source_file.texts(thing.where)


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, folder: Path):
        super().__init__(file)
        self._folder = folder

    def persistent_load(self, identity: tuple[type[OwnClass], dict[str, Any], dict]) -> OwnClass:
        kind, values, texts = identity
        if not texts:
            if source_file.module_digest(values["where"]) != values["source"]:
                raise UsageError(f"{values['where']} is another version on a worker than here")
            return kind(**values)
        for name, text in texts.items():
            path = self._folder / values["source"] / name
            if not path.exists():
                files.write(path, text)  # in one step: other processes here read it, too
        main = self._folder / values["source"] / Path(values["where"]).name
        return kind(**values | {"where": str(main)})


@contextlib.contextmanager
def _by_value() -> Iterator[None]:
    """Modules of the user's are sent, not named, for a moment."""
    sent = cloudpickle.list_registry_pickle_by_value()
    own = [
        module
        for name, module in list(sys.modules.items())
        if name not in sent and _is_own(name, getattr(module, "__file__", None) or "")
    ]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


@functools.cache
def _is_own(name: str, file: str) -> bool:
    """Whether a module is a file of the user's; there are thousands to ask for each call."""
    module = sys.modules[name]
    return file.endswith(".py") and module.__name__ == name != "__main__" and is_own(module)

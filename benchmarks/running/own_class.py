"""A class that the user names, in a file or a package, with arguments; without registration."""

import ast
import importlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import SOURCE
from benchmarks.running import source_file
from benchmarks.running.files import short
from benchmarks.running.guarded import guarded

SPEC = re.compile(r"(?P<where>.+?):(?P<name>[^\W\d]\w*)(\((?P<arguments>.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class OwnClass:
    """A class and the arguments that it is made with.

    Two are the same if name, arguments and source are the same, wherever the file lies. The source
    is the text of the file and of all modules that it imports from its own folder and below; of
    an installed package it is the version.

    Attributes:
        where: the Python file, or the name of the module.
        name: the class in it.
        arguments: by name, as Python writes them: `bias=5, layers=2`.
        source: digest of the source; empty if whatever the file says is meant.
    """

    where: str = field(compare=False)
    name: str
    arguments: str
    source: str = field(metadata={SOURCE: True})

    @classmethod
    def named(cls, spec: str, kind: str) -> Self:
        """What `FILE:CLASS` or `package.module:CLASS` names, arguments in brackets behind it.

        Args:
            spec: what the user gave.
            kind: of what, "cell" say; also the name of the option.

        Raises:
            UsageError: it names no file, module or literal arguments, or does not import.
        """
        parts = SPEC.fullmatch(spec)
        if not parts or not (_is_file(parts["where"]) or _is_module(parts["where"])):
            raise UsageError(
                f"--{kind} wants FILE.py:ClassName or package.module:ClassName, perhaps with "
                f"arguments as in FILE.py:ClassName(size=3), not {spec!r}"
            )
        where, arguments = parts["where"], _canonical(parts["arguments"] or "", spec)
        if not _is_file(where):
            return cls(where, parts["name"], arguments, source_file.module_digest(where))
        try:
            if Path(where).exists() and not Path(where).is_file():
                raise UsageError(f"{short(Path(where))} is not a file")  # a device might never end
            Path(where).read_bytes()
        except OSError as error:
            raise UsageError(
                f"cannot read the {kind} file {short(Path(where))} ({error.strerror})"
            ) from error
        path = Path(where).resolve()
        return cls(str(path), parts["name"], arguments, source_file.digest(path))

    @property
    def keywords(self) -> dict[str, Any]:
        """The arguments by name."""
        given = _call(self.arguments).keywords
        return {each.arg: ast.literal_eval(each.value) for each in given if each.arg}

    def load(self) -> Any:
        """The class itself.

        Raises:
            UsageError: it is not there, its file does not import, or it has been changed.
        """
        with guarded(f"{self.where} does not import"):
            if _is_file(self.where):
                path = Path(self.where)
                module = source_file.executed(path, self.source or source_file.digest(path))
            else:
                module = importlib.import_module(self.where)
        if not hasattr(module, self.name):
            raise UsageError(f"{self.where} has no class {self.name}")
        return getattr(module, self.name)


def _is_file(where: str) -> bool:
    return where.endswith(".py") or os.sep in where or os.path.isfile(where)  # long names, too


def _is_module(where: str) -> bool:
    return all(part.isidentifier() for part in where.split("."))


def _canonical(arguments: str, spec: str) -> str:
    """Arguments in one order and spelling."""
    try:
        call = _call(arguments)
        given = {each.arg: each.value for each in call.keywords if each.arg}
        for value in [*call.args, *(each.value for each in call.keywords)]:
            ast.literal_eval(value)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise UsageError(f"the arguments of {spec!r} are not literal values") from error
    if call.args or len(given) < len(call.keywords):
        raise UsageError(f"the arguments of {spec!r} must be given by name, each once: (size=3)")
    return ", ".join(f"{name}={ast.unparse(given[name])}" for name in sorted(given))


def _call(arguments: str) -> ast.Call:
    call = ast.parse(f"made({arguments})", mode="eval").body
    # Brackets may be those of another expression: `1) + (2`, or `a=1).b(c=2`.
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise ValueError(arguments)
    return call

"""What makes a user's class another one: its source, and that of all that it uses of the user's.

Code of this project and of installed packages is left out: rows tell its versions and commit. A
class may be from a module, a script or a notebook; of code that was typed at a prompt, where no
text is kept, the compiled form counts.
"""

import dis
import functools
import hashlib
import inspect
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

PROJECT = {"benchmarks", "models", "tasks"}
INSTALLED = {"site-packages", "dist-packages"}
GENERATED = ("__", "_abc_", "_pytree__")  # members that no user has written, unless they are code
CODE = (type, FunctionType, ModuleType, functools.partial)


def own_source(thing) -> str:
    """A digest of the source of a user's class or function; empty if it is not a user's."""
    if not is_own(thing):
        return ""
    texts: dict[object, str] = {}
    _read(thing, texts)
    return hashlib.sha256("\n".join(texts.values()).encode()).hexdigest()[:12]


def is_own(thing) -> bool:
    """Whether code is a user's."""
    if isinstance(thing, functools.partial):
        return is_own(thing.func)
    name = thing.__name__ if isinstance(thing, ModuleType) else thing.__module__ or ""
    if name == "__main__":
        return True
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    known = name.partition(".")[0] in PROJECT | sys.stdlib_module_names
    return not known and not INSTALLED.intersection(Path(file).parts)


def _read(thing, texts: dict[object, str]) -> None:
    """Adds the text of a user's code, and that of all that it uses of the user's."""
    if thing in texts:
        return
    texts[thing] = ""  # what uses itself is read once
    lines = [_text(thing)]
    for name, value in _uses(thing):
        code = _code(value)
        own = code if isinstance(code, CODE) else type(code)
        if is_own(own):
            _read(own, texts)
        lines.append(f"{name} = {_value(code)}")
    texts[thing] = "\n".join(lines)


def _text(thing) -> str:
    """What is written of it; of a class its name, since its members are read one by one."""
    if isinstance(thing, type | functools.partial):
        return _value(thing)
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        codes = _codes(thing.__code__) if isinstance(thing, FunctionType) else ()
        return "\n".join(map(_compiled, codes))


def _uses(thing) -> Iterator[tuple[str, object]]:
    """What code depends on besides its own text, by name."""
    if isinstance(thing, type):
        for base in thing.__bases__:
            yield "base", base
        for name, member in vars(thing).items():
            if isinstance(_code(member), CODE) or not name.startswith(GENERATED):
                yield name, member
    elif isinstance(thing, functools.partial):
        yield from [("func", thing.func), ("args", thing.args), ("keywords", thing.keywords)]
    elif isinstance(thing, ModuleType):
        for name, value in vars(thing).items():
            if isinstance(value, CODE):
                yield name, value
    else:
        yield "defaults", (thing.__defaults__, thing.__kwdefaults__)
        enclosed = inspect.getclosurevars(thing).nonlocals
        names = {name for code in _codes(thing.__code__) for name in _globals(code)}
        found = {name: thing.__globals__[name] for name in names & set(thing.__globals__)}
        yield from sorted({**found, **enclosed}.items())


def _code(value):
    """The function inside a method, a property or a compiled function; other things as they are."""
    for name in ("__func__", "fget", "__wrapped__"):
        if not isinstance(value, CODE) and isinstance(getattr(value, name, None), CODE):
            return getattr(value, name)
    return value


def _value(value) -> str:
    """A text that differs where values differ; for code its name."""
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, type | FunctionType):
        return value.__qualname__ if is_own(value) else f"{value.__module__}.{value.__qualname__}"
    try:
        return pickle.dumps(value).hex()
    except Exception:  # whatever a user's object raises; at worst it is trained again
        return repr(value)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Compiled code and that of all functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _globals(code: CodeType) -> Iterator[str]:
    """Names that compiled code looks up outside of its function."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval


def _compiled(code: CodeType) -> str:
    constants = [each for each in code.co_consts if not isinstance(each, CodeType)]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"

"""Files with a cell, put together of good and bad pieces: it can be trained, or is refused."""

from types import SimpleNamespace

import pytest
from hypothesis import strategies as st

from benchmarks.cli.changes import Changes
from benchmarks.running import guarded
from tests.fuzz.trying import COUNTS, printed, refused_in_one_line, tried
from tests.support.tiny import EXPERIMENT

SUITE = SimpleNamespace(name="small", experiments=[EXPERIMENT], matched=False)

FILE = """{future}
import os, sys
from dataclasses import dataclass
import jax, jax.numpy as jnp
import numpy as np
from flax import nnx
{top}

{decorator}
class Cell({base}):
    {attribute}

    def __init__(self, n_in, n_hidden, *, rngs{more}):
        {before}
        self.n_hidden = n_hidden
        self.w = nnx.Linear(n_in + n_hidden, n_hidden, rngs=rngs)
        {after}

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return {carry}

    def __call__(self, carry, x):
        {step}
        h = jnp.tanh(self.w(jnp.concatenate([{h}, x], -1)))
        return {new}, {y}
"""
ENDS = [
    *("sys.exit(0)", "exit(7)", "os._exit(0)", "raise GeneratorExit", "raise StopIteration"),
    *("1 / 0", "nothing", "raise KeyError", "raise SystemExit('a\\nb\\x1b[31m')", "assert False"),
    "raise type('E', (BaseException,), {'__str__': lambda self: 1 / 0})()",
]
ZEROS = "jnp.zeros((*input_shape[:-1], self.n_hidden))"
PIECES = {
    "future": ["", "from __future__ import annotations", "from __future__ import nonsense"],
    "top": [
        "",
        "",
        *ENDS,
        "def f(:",
        "import nowhere_at_all",
        "del nnx",
        "Cell = 3",
        "\x00",
        "\t 1",
    ],
    "decorator": ["", "", "@dataclass", "@nothing", "@staticmethod", "@functools.cache", "@print"],
    "base": [
        "nnx.RNNCellBase",
        "nnx.RNNCellBase",
        "nnx.Module",
        "object",
        "int",
        "nnx.GRUCell",
        "type",
    ],
    "attribute": [
        *(
            "pass",
            "pass",
            "batched = True",
            "batched = 1",
            "settings = 3",
            "settings = ('memory',)",
        ),
        *("settings = ('scale', 'scale')", "settings = [[]]", "n: int = 3", "__slots__ = ()"),
        *("batched = property(lambda self: 1 / 0)", "__name__ = 3", "fingerprint = 3"),
        *("def __getattr__(self, name): raise KeyError(name)", "def __eq__(self, other): 1 / 0"),
    ],
    "more": ["", "", ", size=3", ", size", ", memory=None", ", **all"],
    "before": ["pass", "pass", *ENDS, "n_hidden = 5", "n_hidden += 1", "n_in = 0", "rngs = 3"],
    "after": [
        *("pass", "pass", *ENDS, "self.k = nnx.Param(jnp.zeros(3, int))", "self.r = rngs"),
        *("self.d = nnx.Dropout(0.5, rngs=rngs)", "self.b = nnx.BatchNorm(3, rngs=rngs)"),
        *("self.l = [self.w]", "self.w = None", "self.k = nnx.Param(jnp.zeros(0))", "del self.w"),
        *("self.z = nnx.Param(jnp.zeros(3, complex))", "self.me = self", "self.k = nnx.Param(3)"),
        *("self.p = nnx.Param('text')", "self.k = np.zeros(3)", "return 3", "self.a = jnp.ones(2)"),
    ],
    "carry": [
        *(
            ZEROS,
            ZEROS,
            f"({ZEROS}, 0)",
            f"[{ZEROS}]",
            "0",
            "0.5",
            "None",
            "()",
            "'a'",
            "carry_init",
        ),
        *("jnp.zeros(5)", f"{ZEROS}.astype(int)", f"{ZEROS} * jnp.nan", "self", "rngs", "iter([])"),
        *(f"np.{ZEROS[4:]}", f"{ZEROS}.astype('float16')", f"{ZEROS} * 1j", "{1: 2, 'a': 3}"),
    ],
    "step": [
        *(
            "pass",
            "pass",
            *ENDS,
            "if carry.sum() > 0: x = 2 * x",
            "self.n_hidden += 1",
            "x = x[:1]",
        ),
        *("self.last = x", "x = np.asarray(x)", "x = float(x[0])", "print('printed')"),
        *(
            "jax.debug.print('a {}', x)",
            "x = jax.pure_callback(lambda x: x, x, x)",
            "global x; x = 3",
        ),
        *("x = nnx.while_loop(lambda x: x.sum() > 9, lambda x: x - 1, x)", "yield 3", "carry = 3"),
        *("self.w.kernel[...] = self.w.kernel[...] * 2", "self.w = None", "x = x.astype(int)"),
    ],
    "h": ["carry", "carry", "carry[0]", "carry[0][0]", "x", "self.w.bias"],
    "new": [
        "h",
        "h",
        "(h, 0)",
        "(h, carry[1] + 1)",
        "[h]",
        "carry",
        "None",
        "h.astype(int)",
        "h[:2]",
    ],
    "y": [
        "h",
        "h",
        "carry",
        "(h, h)",
        "None",
        "0",
        "h.astype(int)",
        "h > 0",
        "h * 1j",
        "h.sum()",
        "x",
    ],
}
CALLS = [
    "Cell",
    "Cell",
    "Cell",
    "Cell()",
    "Cell(size=2)",
    "Cell(memory=3)",
    "Cell(x=[1, {}])",
    "cell",
]
CALLS += [
    "Cell(size=-1)",
    "Cell(n_in=2)",
    "Cell(rngs=3)",
    "jnp",
    "nnx",
    "os",
    "Cell(**{})",
    "Cell(",
    "Çell",
]


@st.composite
def file(draw):
    """The text of a file with up to three pieces that are not the usual ones, and what is named."""
    usual = {name: pieces[0] for name, pieces in PIECES.items()}
    for name in draw(st.lists(st.sampled_from(sorted(PIECES)), max_size=3)):
        usual[name] = draw(st.sampled_from(PIECES[name]))
    text = FILE.format(**usual)
    if draw(st.integers(0, 2)) == 0:  # a slip of the finger
        start, length = draw(st.integers(0, len(text))), draw(st.integers(0, 20))
        text = text[:start] + draw(st.text(max_size=3)) + text[start + length :]
    return text, draw(st.sampled_from(CALLS))


@pytest.mark.parametrize("count", COUNTS)
def test_every_cell_can_be_trained_or_is_refused_in_one_line(count, tmp_path, monkeypatch):
    monkeypatch.setattr(guarded, "PATIENCE", 5)
    path = tmp_path / "cell.py"

    def check(given):
        text, call = given
        path.write_text(text, "utf-8", "surrogatepass")
        with printed(), refused_in_one_line():
            Changes(cells=(f"{path}:{call}",)).applied(SUITE)

    tried(count, file(), check)

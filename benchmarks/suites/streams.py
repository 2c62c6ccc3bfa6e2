"""Streams without an end: the continual Reber grammar of Gers et al. 2000, and small texts.

On-line learning after every symbol, without resets, with the nets of 1997 and 2000; and truncated
backpropagation through time with modern cells. Sequences count symbols here, and a trial is solved
when ten test streams are predicted without an error. The order problem of 1997 closes the suite,
with forget gates that begin open and half open.
"""

from collections.abc import Iterable
from dataclasses import replace

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Model, Recipe
from benchmarks.learning.learners import Learner, Online
from benchmarks.learning.stream_learners import OnlineStream, Windows
from benchmarks.suites.base import StreamSuite
from benchmarks.suites.cells import ALL
from benchmarks.suites.common import HIDDEN
from benchmarks.suites.paper import STOP_6, THREE_BLOCKS, of_kind
from models.lstm00.net import CellsOnly00, Net00
from models.lstm97.net import Shortcuts97
from models.network import Recurrent
from tasks.continual_reber import GERS00, GERS00_RESETS, ContinualReber
from tasks.stream import StreamTask
from tasks.temporal_order import HS97_6B
from tasks.texts import Brackets, Hello, Quotes

MILLION = 1_000_000
STREAMS = 10
PERFECT = Inspection(STREAMS, wrong_at_most=0)

# --- On-line learning, as in 2000 -----------------------------------------------------------------

STANDARD, FORGET = Net00(forget_bias=None), Net00()
ONLINE, DECAYING = OnlineStream(), OnlineStream(decay=0.99)
RATE = 0.5
TRIALS = 100


def online(
    task: str,
    stream: StreamTask,
    cell: str,
    net: Model,
    learner: Learner,
    trials: int = TRIALS,
    millions: int = 10,
) -> Experiment:
    """A net on the continual grammar, for so many symbols or as many streams as in 2000."""
    budget, every = millions * MILLION, millions * 250  # FIDELITY N4
    recipe = Recipe(stream, net, learner, PERFECT, budget, every, test_size=STREAMS)
    return Experiment(task, 9, cell, recipe, RATE, trials)


# FIDELITY N9: from the net of 1997 towards that of 2000, a step at a time, and from the other side
STARTS = (-0.5, -1.0, -1.5)
BIASED = replace(THREE_BLOCKS, bias="all")
STARTED = replace(BIASED, input_gate_bias=STARTS, output_gate_bias=STARTS)
FOUR = replace(
    STARTED, blocks=4, input_gate_bias=STANDARD.gate_bias, output_gate_bias=STANDARD.gate_bias
)
CELLS_ONLY = CellsOnly00(forget_bias=None)
SHORTCUTS, FOUR_SHORTCUTS = (of_kind(Shortcuts97, net) for net in (THREE_BLOCKS, FOUR))

CALIBRATION = (
    online("gers00-resets", GERS00_RESETS, "standard", STANDARD, ONLINE),
    online("gers00-resets", GERS00_RESETS, "forget", FORGET, ONLINE, trials=20),
    online("gers00-resets", GERS00_RESETS, "lstm97", THREE_BLOCKS, ONLINE, trials=20),
    online("gers00-resets", GERS00_RESETS, "lstm97-biased", BIASED, ONLINE, trials=20),
    online("gers00-resets", GERS00_RESETS, "lstm97-started", STARTED, ONLINE, trials=20),
    online("gers00-resets", GERS00_RESETS, "lstm97-four", FOUR, ONLINE, trials=20),
    online("gers00-resets", GERS00_RESETS, "cells-only", CELLS_ONLY, ONLINE, trials=20),
    online("gers00-resets", GERS00_RESETS, "lstm97-shortcuts", SHORTCUTS, ONLINE, trials=20),
    online("gers00-resets", GERS00_RESETS, "lstm97-both", FOUR_SHORTCUTS, ONLINE, trials=20),
    online("gers00", GERS00, "standard", STANDARD, ONLINE),
    online("gers00", GERS00, "forget", FORGET, ONLINE),
    online("gers00", GERS00, "forget-decay", FORGET, DECAYING, millions=40),
    online("gers00", GERS00, "lstm97", THREE_BLOCKS, ONLINE, trials=20),
)

# --- Truncated backpropagation through time -------------------------------------------------------

CELLS = ("rnn", "lstm", "gru", "mut1")
TEXTS: tuple[tuple[str, int, StreamTask], ...] = (
    ("continual-reber", 9, ContinualReber()),
    ("hello", 5, Hello()),
    ("brackets", 4, Brackets(depth=4)),
    ("quotes", 10, Quotes(shortest=10)),
    ("quotes", 40, Quotes(shortest=40)),
)


def windows(
    task: str, delay: int, stream: StreamTask, cells: Iterable[str], learner: Windows, label: str
) -> tuple[Experiment, ...]:
    """Cells with 16 units on a stream, for five million symbols."""
    every = 50_000 // learner.batch
    return tuple(
        Experiment(
            task,
            delay,
            cell + label,
            # FIDELITY N7
            Recipe(
                stream,
                Recurrent(ALL[cell], HIDDEN),
                learner,
                PERFECT,
                5 * MILLION,
                every,
                test_size=STREAMS,
            ),
            0.01,
            20,
        )
        for cell in cells
    )


MODERN = (
    *(each for text in TEXTS for each in windows(*text, CELLS, Windows(), "")),
    *windows("quotes", 40, Quotes(shortest=40), ["lstm"], Windows(window=10), "-window-10"),
    *windows("quotes", 40, Quotes(shortest=40), ["lstm"], Windows(window=250), "-window-250"),
)

# --- Remembering and forgetting: the order problem ------------------------------------------------


def order(cell: str, forget_bias: float | None) -> Experiment:
    """Experiment 6b of 1997, whose sequences are reset as ever, with the net of 2000."""
    net = Net00(forget_bias=None if forget_bias is None else (forget_bias,) * 4)
    recipe = Recipe(HS97_6B, net, Online(), STOP_6, 3 * MILLION, 1000)  # FIDELITY N5
    return Experiment("order-6b", 100, cell, recipe, 0.1, 10)


ORDER = (
    order("standard", None),
    order("forget-bias-5", 5.0),
    order("forget-bias-1", 1.0),
)

SUITE = StreamSuite("streams", __doc__, (*CALIBRATION, *MODERN, *ORDER))

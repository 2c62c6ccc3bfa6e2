"""What is measured: groups of alternatives for a machine with these cores."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from flax import nnx

from benchmarks import suites
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Online
from benchmarks.learning.program import Program
from benchmarks.learning.program_forward import FEW_LANES, ForwardProgram
from benchmarks.learning.remedies import Remedied
from benchmarks.speed.flax_case import Flax
from benchmarks.speed.machine import Copy, Product, TorchProduct
from benchmarks.speed.ours import FirstBlock, Ours
from benchmarks.speed.reference import WIDTH, Reference
from benchmarks.speed.timing import Alternative, Case, Group, Place, Unit
from benchmarks.speed.torch_case import LAYERS, Torch
from benchmarks.speed.work import Work
from benchmarks.suites import paper, sizes
from benchmarks.suites.cells import ALL, CORE, LAYERED
from benchmarks.suites.remedies import LINES, Line
from tasks.adding import Adding

LEARNER97, MINIBATCH, CELLS, REMEDIES, PEAK, COMPILING, ACCELERATOR = SECTIONS = (
    "learner97",
    "minibatch",
    "cells",
    "remedies",
    "peak",
    "compiling",
    "accelerator",
)

ROWS = {each.row: each.experiment.recipe for each in paper.COMPARED}
ADDING97 = {100: ROWS["7.1"], 1000: ROWS["7.3"]}
LAG_2C = {50: ROWS["3.9"], 1000: ROWS["3.5"]}  # by p, with q = 1000

LANES97, LANES = ForwardProgram.cpu_lanes, Program.cpu_lanes
VMAPPED = 20  # trials of the flax alternatives, and of ours that is compared with them
BATCHES = {16: 20, 32: 20, 128: 50}  # by hidden units
FLAX_CELLS = {
    "rnn": (),
    "lstm": (nnx.LSTMCell, nnx.OptimizedLSTMCell),
    "gru": (nnx.GRUCell,),
}

AT_EQUAL_WEIGHTS = ["lstm", *(name for name in [*ALL, *LAYERED] if name != "lstm")]
"""Cells that are timed at equal weights; the others are held against the first."""
DROPOUT = Line("gaussian-rnn", lambda delay: Remedied(dropout=0.5), "Zaremba et al. 2014")
REMEDY_LINES = {name: line for name, line in LINES.items() if name.startswith("rnn")}
REMEDY_LINES |= {"rnn-dropout": DROPOUT}
"""The lines of suite `remedies` that are the vanilla net, and a remedy that it does not run."""

# One call of a case takes some tenths of a second on a core of 2020.
UPDATES97 = {100: 500, 1000: 50}  # by delay, as many as a call of the runner makes
UPDATES = {16: 80, 32: 40, 128: 8}  # of a single trial, by hidden units

PRODUCT_SIZE, COPY_BYTES = 2048, 2**28


class Places:
    """Kinds of processes on these cores.

    Attributes:
        one: a process on one core.
        each: a process on each core.
        all: a process on all cores.
    """

    def __init__(self, cores: Sequence[int], loops: bool = False):
        self.one = Place(((cores[0],),), loops)
        self.each = Place(tuple((core,) for core in cores), loops)
        self.all = Place((tuple(cores),), loops)


def mean_length(delay: int) -> float:
    """Steps of an adding sequence, on the average."""
    return delay + (delay // 10) / 2


def cpu(cores: Sequence[int]) -> list[Group]:
    """All that is timed again and again on a CPU."""
    loops, plain = Places(cores, loops=True), Places(cores)
    return [
        *(adding97(loops, 100, trials) for trials in (16, 32, 64)),
        adding97(loops, 1000, 16),
        lag_2c(loops),
        scaling(loops),
        *(minibatch(plain, Work(cell, h, 100, BATCHES[h])) for h in BATCHES for cell in CORE),
        minibatch(plain, Work("lstm", 16, 1000, BATCHES[16])),
        every_cell(plain, AT_EQUAL_WEIGHTS),
        remedies(plain, list(REMEDY_LINES)),
        *peak(plain),
    ]


def adding97(places: Places, delay: int, trials: int) -> Group:
    """The 1997 learner on adding, on one core: ours, autodiff, C++."""
    recipe, updates = ADDING97[delay], UPDATES97[delay]
    autodiff = replace(recipe, learner=Online(forward=False))
    turns = trials // LANES97
    ours = Ours(recipe, LANES97, updates, turns)
    cases: dict[str, Case] = {
        "ours": replace(ours, drawn=True),
        "ours, sequences ready": ours,
        "C++ reference": Reference(delay, trials // WIDTH, 10 * updates // turns),
        "autodiff, ready": Ours(autodiff, trials, updates // 10),
    }
    if turns > 1:
        cases["ours, wide, ready"] = Ours(recipe, trials, updates)
    else:
        halves = trials // FEW_LANES
        cases[f"ours, {FEW_LANES} lanes"] = Ours(recipe, FEW_LANES, updates, halves, drawn=True)
    return Group(
        LEARNER97,
        f"adding-{delay}, {trials} trials",
        _per_step(delay),
        {"cell": "lstm97", "delay": delay, "batch": 1},
        [Alternative(name, places.one, case, trials) for name, case in cases.items()],
    )


def _per_step(delay: int) -> Unit:
    return Unit("ns/trial-step", 1e9 / mean_length(delay))


def lag_2c(places: Places) -> Group:
    """Task 2c with few and with many distractor symbols."""
    return Group(
        LEARNER97,
        "lag-2c, q 1000",
        Unit("us/sequence", 1e6),
        {"cell": "lstm97", "delay": 1000, "batch": 1},
        [
            Alternative(f"p {p}{text}", places.one, case, LANES97)
            for lanes, drawn, text in (
                (LANES97, False, ", sequences ready"),
                (LANES97, True, ""),
                (FEW_LANES, True, f", {FEW_LANES} lanes"),
            )
            for p, recipe in LAG_2C.items()
            for case in [Ours(recipe, lanes, UPDATES97[1000], LANES97 // lanes, drawn)]
        ],
    )


def scaling(places: Places) -> Group:
    """The 1997 learner in one process, and in one on each core with other trials."""
    case = Ours(ADDING97[100], LANES97, UPDATES97[100], drawn=True)
    kinds = {1: places.one, len(places.each.processes): places.each}
    return Group(
        LEARNER97,
        "adding-100, processes",
        _per_step(100),
        {"cell": "lstm97", "delay": 100, "batch": 1},
        [Alternative(f"{n} at once", place, case, LANES97) for n, place in kinds.items()],
    )


def minibatch(places: Places, work: Work) -> Group:
    """A modern cell on all cores: ours at several widths, PyTorch, flax."""
    updates = max(2, UPDATES[work.hidden] * 100 // work.delay)
    alternatives = [_trained(places, work, updates, LANES)]
    if work.cell == "lstm":
        alternatives += [_trained(places, work, updates, lanes) for lanes in (1, VMAPPED)]
    if work.cell in LAYERS:
        alternatives += _torch(places, work, updates)
        alternatives += _flax(places, work, max(1, updates // VMAPPED))
    return Group(
        MINIBATCH,
        f"{work.cell}-{work.hidden}, T {work.delay}",
        Unit("ms/update", 1e3 * work.batch),
        {"cell": work.cell, "hidden": work.hidden, "delay": work.delay, "batch": work.batch},
        alternatives,
    )


def every_cell(places: Places, names: Sequence[str], delay: int = 100) -> Group:
    """Cells with the weights of an LSTM of 16 units, so that equal times are equal speeds."""
    task, batch = Adding(delay), BATCHES[sizes.UNITS]
    return Group(
        CELLS,
        f"weights of lstm-{sizes.UNITS}, T {delay}",
        Unit("ms/update", 1e3 * batch),
        {"delay": delay, "batch": batch},
        [
            _trained(places, Work(name, hidden, delay, batch), UPDATES[16], LANES, name)
            for name in names
            for hidden in [sizes.hidden(name, task.n_in, task.n_out)]
        ],
    )


def remedies(places: Places, names: Sequence[str], delay: int = 100) -> Group:
    """The vanilla net without a remedy, then with each, at the weights of an LSTM of 16 units."""
    task, batch = Adding(delay), BATCHES[sizes.UNITS]
    alternatives = []
    for name in names:
        line = REMEDY_LINES[name]
        work = Work(line.cell, sizes.hidden(line.cell, task.n_in, task.n_out), delay, batch)
        recipe = replace(work.recipe, learner=line.learner(delay))
        case = Ours(recipe, LANES, UPDATES[16] // LANES)
        alternatives.append(Alternative(name, places.each, case, LANES))
    return Group(
        REMEDIES,
        f"rnn, T {delay}",
        Unit("ms/update", 1e3 * batch),
        {"delay": delay, "batch": batch},
        alternatives,
    )


def _trained(places: Places, work: Work, updates: int, lanes: int, name: str = "") -> Alternative:
    # At least 2: the compiler would take a loop of a single update apart.
    case = Ours(work.recipe, lanes, max(2, updates // lanes))
    return Alternative(name or f"ours, {lanes} side by side", places.each, case, lanes)


def _torch(places: Places, work: Work, updates: int) -> list[Alternative]:
    one = Torch(work, 1, updates)
    return [
        Alternative("PyTorch, 1 thread", places.all, one, 1),
        Alternative("PyTorch, 2 threads", places.all, replace(one, threads=2), 1),
        Alternative("PyTorch on each core", places.each, one, 1),
    ]


def _flax(places: Places, work: Work, updates: int) -> list[Alternative]:
    cases = [Flax(work, cell, VMAPPED, updates) for cell in FLAX_CELLS[work.cell]]
    return [Alternative(f"flax {case.cell.__name__}", places.all, case, VMAPPED) for case in cases]


def peak(places: Places) -> list[Group]:
    """What the machine does at most."""
    products: dict[str, Case] = {
        "XLA": Product(PRODUCT_SIZE),
        "PyTorch": TorchProduct(PRODUCT_SIZE),
    }
    return [
        Group(
            PEAK,
            "float32 product",
            Unit("GFLOP/s", 1e-9, rate=True),
            {},
            [
                Alternative(f"{name}, {text}", place, case)
                for name, case in products.items()
                for text, place in (("all cores", places.all), ("one core", places.one))
            ],
        ),
        Group(
            PEAK,
            "copy",
            Unit("GB/s", 1e-9, rate=True),
            {},
            [
                Alternative("each core", places.each, Copy(COPY_BYTES)),
                Alternative("one core", places.one, Copy(COPY_BYTES)),
            ],
        ),
    ]


def compiling(cores: Sequence[int]) -> list[Group]:
    """One experiment for each kind of program: a task trained by a program."""
    return [
        Group(
            COMPILING,
            each.name,
            Unit("s/block", 1.0),
            {"cell": each.cell, "delay": each.delay, "batch": each.recipe.learner.batch},
            [Alternative(each.recipe.learner.program, place, FirstBlock(each))],
        )
        for each in representatives()
        for place in [Places(cores, loops=each.recipe.learner.batch == 1).one]
    ]


def representatives() -> Iterable[Experiment]:
    """The first LSTM of each kind in the suites that take minutes, then in the paper's."""
    found: dict[tuple, Experiment] = {}
    for name in ("smoke", "quick", "paper"):
        for each in suites.load(name).experiments:
            kind = type(each.recipe.task), each.recipe.learner.program, type(each.recipe.model)
            if each.cell.startswith("lstm"):
                found.setdefault(kind, each)
    return found.values()


def accelerator(
    cores: Sequence[int], delay: int = 100, counts: Sequence[int] = (1, 64, 4096)
) -> list[Group]:
    """Both learners on adding with ever more trials side by side, sequences drawn."""
    place = Places(cores).all
    work = Work("lstm", 16, delay, BATCHES[16])
    learner97 = replace(ADDING97[100], task=work.recipe.task)
    return [
        Group(
            ACCELERATOR,
            f"{cell}, T {delay}",
            _per_step(delay),
            {"cell": cell, "delay": delay, "batch": recipe.learner.batch},
            [
                Alternative(f"{n} trials", place, Ours(recipe, n, updates, drawn=True), n)
                for n in counts
            ],
        )
        for cell, recipe, updates in _both(work.recipe, learner97)
    ]


def _both(modern: Recipe, learner97: Recipe) -> Iterable[tuple[str, Recipe, int]]:
    return ("lstm97", learner97, 50), ("lstm", modern, 10)

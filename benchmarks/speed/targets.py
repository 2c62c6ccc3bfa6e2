"""What the speed of this project is held against: pure functions of the rows of a measurement."""

from collections.abc import Callable, Collection
from typing import NamedTuple

import pandas as pd

from benchmarks.speed import by_weight, plan, rows
from benchmarks.speed.rows import Spread

TO_HIDDEN = 11 * 8  # of the 93 weights: from inputs, hidden units and bias; as many traces
FLOPS_97 = 2 * 2 * TO_HIDDEN
"""Of a step of a trial of 1997: a product and a sum for each weight and for each trace."""

COUNTED = (
    f"Operations counted: {FLOPS_97} for a step of a 1997 trial (a product and a sum for each of "
    f"{TO_HIDDEN} weights to hidden units, and as many for their traces); 6 for a step of a "
    "minibatch sequence and each weight of the cell (a product and a sum, forwards and twice "
    "backwards). Activations are not counted. The peak is that of a large float32 product on all "
    "cores; PyTorch is the fastest of its lines; 10 times its speed is that of a process on each "
    "core."
)

Measure = Callable[[pd.DataFrame], Spread | None]


class Target(NamedTuple):
    """What is measured and how much is wanted.

    Attributes:
        what: in words.
        measure: rows -> number, None where something is missing.
        at_most: the most that is wanted, if any.
        at_least: the least that is wanted, if any.
    """

    what: str
    measure: Measure
    at_most: float | None = None
    at_least: float | None = None


def ratio(section: str, group: str, over: str, under: str) -> Measure:
    """Time of an alternative over that of another."""
    return lambda measured: rows.ratio(measured, section, group, over, under)


def best_ratio(group: str, over: str, under: str) -> Measure:
    """Time of the fastest minibatch alternative with such a name over that of another."""

    def measure(measured: pd.DataFrame) -> Spread | None:
        named = measured[measured["group"] == group]["alternative"].unique()
        found = [
            rows.ratio(measured, plan.MINIBATCH, group, name, under)
            for name in named
            if name.startswith(over)
        ]
        return min(filter(None, found), default=None)

    return measure


def share_of_data(group: str) -> Measure:
    """Fraction of the 1997 learner's time that drawing sequences takes, in percent."""

    def measure(measured: pd.DataFrame) -> Spread | None:
        ready = ratio(plan.LEARNER97, group, "ours, sequences ready", "ours")(measured)
        return ready and Spread(*(100 * (1 - each) for each in (ready[0], ready[2], ready[1])))

    return measure


def throughput(measured: pd.DataFrame) -> Spread | None:
    """Work of a process on each core over that of a single process."""
    name = "adding-100, processes"
    counts = measured[measured["group"] == name]["processes"]
    if counts.empty:
        return None
    one, most = (f"{n} at once" for n in (counts.min(), counts.max()))
    return rows.ratio(measured, plan.LEARNER97, name, one, most)


def latency(measured: pd.DataFrame) -> Spread | None:
    """Microseconds for a step of all lanes of the 1997 learner."""
    name = "adding-1000, 16 trials"
    figures = rows.of(measured, plan.LEARNER97, name, "ours, sequences ready")["figure"]
    return Spread.of(figures * plan.LANES97 / 1e3) if len(figures) else None


def trial_step(measured: pd.DataFrame) -> Spread | None:
    """Nanoseconds for a step of a trial of 1997, sequences drawn."""
    figures = rows.of(measured, plan.LEARNER97, "adding-100, 64 trials", "ours")["figure"]
    return Spread.of(figures) if len(figures) else None


def peak(measured: pd.DataFrame, where: str) -> float:
    """GFLOP/s of the fastest large product, on "all cores" or on "one core"."""
    products = measured[measured["group"] == "float32 product"]
    products = products[products["alternative"].str.endswith(where)]
    return float(products.groupby("alternative")["figure"].median().max())


def share_of_peak_97(measured: pd.DataFrame) -> Spread | None:
    """Percent of one core's peak that the 1997 learner reaches."""
    name = "adding-100, 16 trials"
    figures = rows.of(measured, plan.LEARNER97, name, "ours, sequences ready")["figure"]
    share = 100 * FLOPS_97 / figures / peak(measured, "one core")
    return Spread.of(share) if len(share) else None


def share_of_peak_lstm(units: int, delay: int, alternative: str, times: int = 1) -> Measure:
    """Percent of all cores' peak that training an LSTM so many times as fast takes.

    Args:
        units: hidden units.
        delay: T of the adding task.
        alternative: whose time it is.
        times: how much faster than that.
    """
    flops = 6 * 4 * units * (2 + units) * plan.mean_length(delay)  # of a sequence

    def measure(measured: pd.DataFrame) -> Spread | None:
        group = f"lstm-{units}, T {delay}"
        cost = rows.cost(rows.of(measured, plan.MINIBATCH, group, alternative)) / times
        share = 100 * 1e-9 * flops / cost / peak(measured, "all cores")
        return Spread.of(share) if len(share) else None

    return measure


def slowest_cell(measured: pd.DataFrame) -> Spread | None:
    """Time of the slowest cell over that of the LSTM, at equal weights."""
    own = measured[measured["section"] == plan.CELLS]
    ratios = (
        rows.ratio(measured, plan.CELLS, group, name, "lstm")
        for group, name in own[["group", "alternative"]].drop_duplicates().itertuples(index=False)
    )
    return max(filter(None, ratios), default=None)


PLAIN = "rnn"  # the line without a remedy
LINES = plan.REMEDY_LINES
OMEGA = {name for name in LINES if "omega" in name}
OF_CELLS = {name for name, line in LINES.items() if line.cell != LINES[PLAIN].cell}
OF_LEARNERS = set(LINES) - OMEGA - OF_CELLS


def slowest_remedy(names: Collection[str]) -> Measure:
    """Time of a step with the slowest of some remedies over that of a plain one."""

    def measure(measured: pd.DataFrame) -> Spread | None:
        own = measured[measured["section"] == plan.REMEDIES]
        ratios = (
            rows.ratio(measured, plan.REMEDIES, group, name, PLAIN)
            for group, name in own[["group", "alternative"]]
            .drop_duplicates()
            .itertuples(index=False)
            if name in names and name != PLAIN
        )
        return max(filter(None, ratios), default=None)

    return measure


def slowest_compiling(measured: pd.DataFrame) -> Spread | None:
    """Seconds that the slowest program takes to compile."""
    seconds = measured[measured["section"] == plan.COMPILING]["compile_seconds"]
    return Spread(*[float(seconds.max())] * 3) if len(seconds) else None


OURS = f"ours, {plan.LANES} side by side"
SMALL = ("lstm-16, T 100", "lstm-32, T 100", "lstm-16, T 1000", "gru-16, T 100", "gru-32, T 100")
LARGE = ("lstm-128, T 100", "gru-128, T 100")
TARGETS = (
    Target("1997, adding T=100, 64 trials: ns a trial-step", trial_step, at_most=35),
    *(
        Target(
            f"1997, adding T=100, {n} trials: time / C++",
            ratio(plan.LEARNER97, f"adding-100, {n} trials", "ours", "C++ reference"),
        )
        for n in (16, 32, 64)
    ),
    Target(
        "1997, adding T=1000, 16 trials: time / C++",
        ratio(plan.LEARNER97, "adding-1000, 16 trials", "ours", "C++ reference"),
    ),
    Target(
        "1997, adding T=100: drawing sequences, %",
        share_of_data("adding-100, 16 trials"),
        at_most=20,
    ),
    Target(
        "autodiff / 1997's forward accumulation, ready",
        ratio(
            plan.LEARNER97,
            "adding-100, 16 trials",
            "autodiff, ready",
            "ours, sequences ready",
        ),
    ),
    Target("1997, T=1000: us for a step of 16 lanes", latency, at_most=0.6),
    Target(
        "2c, p=1000 / p=50",
        ratio(plan.LEARNER97, "lag-2c, q 1000", "p 1000", "p 50"),
        at_most=1.5,
    ),
    Target("1997: a process on each core / one", throughput, at_least=1.8),
    Target("1997: % of a core's peak", share_of_peak_97),
    *(
        Target(f"{peer} / ours, {net}", best_ratio(net, name, OURS), at_least=n)
        for peer, name, least in (("PyTorch", "PyTorch", 10), ("flax", "flax", 3))
        for nets, n in ((SMALL, least), (LARGE, 1))
        for net in nets
    ),
    *(
        Target(f"lstm-{units}, T {delay}: % of the peak", share_of_peak_lstm(units, delay, OURS))
        for units, delay in ((16, 100), (32, 100), (16, 1000), (128, 100))
    ),
    *(
        Target(
            f"... and 10 x PyTorch's speed: % of it (lstm-{units}, T {delay})",
            share_of_peak_lstm(units, delay, "PyTorch on each core", times=10),
        )
        for units, delay in ((16, 100), (32, 100), (16, 1000))
    ),
    Target("slowest cell / LSTM, equal weights", slowest_cell),
    Target(
        "slowest cell / LSTM, ns per weight and step",
        by_weight.slowest,
        at_most=by_weight.AT_MOST,
    ),
    Target("with Omega / a plain step", slowest_remedy(OMEGA), at_most=3),
    Target("slowest other learner with a remedy / it", slowest_remedy(OF_LEARNERS), at_most=1.3),
    Target("slowest cell as a remedy / it", slowest_remedy(OF_CELLS), at_most=1.3),
    Target("slowest program to compile, s", slowest_compiling, at_most=15),
)


def table(measured: pd.DataFrame) -> pd.DataFrame:
    """Columns: what, measured, target, and whether it is met; as text.

    No rows for a measurement of something else, of an accelerator say.
    """
    if (measured["section"] == plan.ACCELERATOR).all():
        return pd.DataFrame()
    return pd.DataFrame(
        [_line(target, target.measure(measured)) for target in TARGETS],
        columns=["what", "measured", "target", ""],
    )


def _line(target: Target, spread: Spread | None) -> tuple[str, str, str, str]:
    wanted = "" if target.at_most is None else f"at most {target.at_most:g}"
    wanted = wanted if target.at_least is None else f"at least {target.at_least:g}"
    if spread is None:
        return target.what, "not measured", wanted, ""
    return target.what, str(spread), wanted, _verdict(target, spread.median) if wanted else ""


def _verdict(target: Target, median: float) -> str:
    low = float("-inf") if target.at_least is None else target.at_least
    high = float("inf") if target.at_most is None else target.at_most
    return "met" if low <= median <= high else "missed"

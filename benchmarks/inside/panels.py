"""Figures of what happens inside one network: pure functions of what was measured in it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks.analysis.tables import quantity
from benchmarks.inside.weights import Weights
from benchmarks.learning.flow import Passage
from benchmarks.report.figures import BAND, PALETTE, PANEL, WIDTH, looks
from tasks.sequence import Sequence

BEFORE, AFTER = (
    {"color": PALETTE[1], "linestyle": "--", "label": "before training"},
    {"color": PALETTE[2], "linestyle": "-", "label": "after training"},
)
GATES = {"cmap": "cividis", "vmin": 0, "vmax": 1}
SQUASHED = {"cmap": "RdBu_r"}  # around zero
MARK = PALETTE[4]
ROW = 0.055  # inches for each unit, at least


def flow(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> Figure:
    """Norm of the error's gradient against the distance to the error, a panel for each vector.

    Args:
        before: norms `[sequence, distance]` by the vector's name, before training.
        after: the same, after it.
    """
    names = list(dict.fromkeys([*before, *after]))
    down = -(-len(names) // 2)
    figure = Figure(figsize=(WIDTH, PANEL * down + 1.2))
    axes = figure.subplots(down, min(len(names), 2), squeeze=False, sharey=True).ravel()
    for axis in axes[len(names) :]:
        axis.remove()
    for axis, name in zip(axes, names, strict=False):
        axis.set_title(f"state {name}", loc="left")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        for norms, look in ((before, BEFORE), (after, AFTER)):
            if name in norms:
                _band(axis, norms[name], look)
        axis.set_yscale("log")
        axis.set_xlabel("steps from the error back to the state")
        axis.grid(alpha=0.25)
    for axis in axes[: len(names) : 2]:
        axis.set_ylabel("norm of d error / d state")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _band(axis: Axes, norms: np.ndarray, look: dict) -> None:
    """Median and quartiles over the sequences, as far back as all of them go."""
    norms = norms[:, ~np.isnan(norms).any(0)]
    low, median, high = np.quantile(np.where(norms > 0, norms, np.nan), [0.25, 0.5, 0.75], axis=0)
    distance = np.arange(1, 1 + norms.shape[1])
    axis.plot(distance, median, linewidth=2, **look)
    axis.fill_between(distance, low, high, color=look["color"], alpha=2 * BAND, lw=0)


def gates(sequence: Sequence, relevant: np.ndarray, passage: Passage) -> Figure:
    """Inputs, gates and states over one sequence, a line of each image for each unit.

    Args:
        sequence: what the network saw.
        relevant: `[T]` bool; steps that are marked.
        passage: what happened meanwhile.
    """
    length = int(sequence.length)
    images = {"inputs": np.asarray(sequence.inputs)[:length]}
    images |= {f"gate {name}": np.asarray(values) for name, values in passage.gates.items()}
    images |= {f"state {name}": np.asarray(values) for name, values in passage.states.items()}
    heights = [max(0.7, ROW * values.shape[1]) for values in images.values()]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.3 * len(heights) + 1.3))
    axes = figure.subplots(len(images), 1, sharex=True, height_ratios=heights)
    for axis, (name, values) in zip(axes, images.items(), strict=True):
        _image(figure, axis, name, values)
        for step in np.flatnonzero(relevant):
            axis.axvline(step + 1, color=MARK, linewidth=1.6, linestyle="--")
    axes[0].plot([], [], color=MARK, linestyle="--", label="what must be remembered")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[-1].set_xlabel("step; the error comes at the last one")
    figure.legend(loc="outside lower center", frameon=False)
    return figure


def _image(figure: Figure, axis: Axes, name: str, values: np.ndarray) -> None:
    bounded = name.startswith("gate") and values.min() >= 0
    bound = max(np.abs(values).max(), 1e-12)
    colors = GATES if bounded else SQUASHED | {"vmin": -bound, "vmax": bound}
    extent = (0.5, len(values) + 0.5, values.shape[1] - 0.5, -0.5)
    image = axis.imshow(values.T, aspect="auto", interpolation="nearest", extent=extent, **colors)
    axis.set_ylabel(name, rotation=0, ha="right", va="center")
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axis, fraction=0.03, pad=0.01, aspect=8)
    bar.ax.tick_params(labelsize=9)
    bar.set_ticks([colors["vmin"], colors["vmax"]])
    bar.ax.set_yticklabels([f"{colors['vmin']:.2g}", f"{colors['vmax']:.2g}"])


def weights(seen: list[int], looks_at: list[Weights]) -> Figure:
    """Norms of all weights, and spectral radii of the recurrent ones, over the training.

    Args:
        seen: training sequences at each look, the first of them 0.
        looks_at: what the weights were then.
    """
    figure = Figure(figsize=(WIDTH, 2 * PANEL + 1.2))
    above, below = figure.subplots(2, 1, sharex=True)
    below.axhline(1, color="0.5", linewidth=1)
    for axis, label, lines in (
        (above, "norm of the weights", [look.norms for look in looks_at]),
        (below, "spectral radius", [look.radii for look in looks_at]),
    ):
        for name, look in looks(list(lines[0])).items():
            values = [line[name] for line in lines]
            every = {"markevery": max(1, len(seen) // 8), "markersize": 5}
            axis.plot(seen, values, label=name, **look._asdict(), **every)
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.25)
        if lines[0]:
            axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=10)
    below.set_xlabel("training sequences")
    below.xaxis.set_major_formatter(lambda x, _: quantity(x))
    return figure

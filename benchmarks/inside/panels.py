"""Figures of what happens inside one network: pure functions of what was measured in it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks.analysis.tables import quantity
from benchmarks.inside.weights import Weights
from benchmarks.learning.flow import Passage
from benchmarks.report.drawing import BAND, PALETTE, WIDTH, Draw, Look
from tasks.sequence import Sequence

TIMES = {
    "before training": Look(PALETTE[1], "", "--"),
    "after training": Look(PALETTE[2], "", "-"),
}
GATES: dict[str, Any] = {"cmap": "cividis", "vmin": 0, "vmax": 1}
SQUASHED: dict[str, Any] = {"cmap": "RdBu_r"}  # around zero
MARK = PALETTE[4]
ROW = 0.055  # inches for each unit, at least


def flow(norms: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Draw]:
    """Norm of the error's gradient against the distance to the error, a panel for each vector.

    Args:
        norms: for each of `TIMES` norms `[sequence, distance]` by the vector's name; of nothing,
            there is no panel.
    """
    bands: dict[str, dict[str, np.ndarray]] = {}
    for time, found in norms.items():
        for name, values in found.items():
            bands.setdefault(f"state {name}", {})[time] = _quartiles(values)
    known = [each.ravel() for own in bands.values() for each in own.values()]
    ends = np.concatenate([[np.nan], *known])
    if not np.isfinite(ends).any():
        return {}
    limits = np.nanmin(ends) / 2, np.nanmax(ends) * 2  # the same in all panels
    return {name: partial(_flow, bands=own, limits=limits) for name, own in bands.items()}


def _quartiles(norms: np.ndarray) -> np.ndarray:
    """Quartiles over the sequences, `[3, distance]`, as far back as all of them go."""
    norms = norms[:, ~np.isnan(norms).any(0)]
    return np.quantile(np.where(norms > 0, norms, np.nan), [0.25, 0.5, 0.75], axis=0)


def _flow(axis: Axes, bands: Mapping[str, np.ndarray], limits: tuple[float, float]) -> None:
    for time, (low, median, high) in bands.items():
        look, distance = TIMES[time], np.arange(1, 1 + len(median))
        axis.plot(distance, median, linewidth=2, **look._asdict())
        axis.fill_between(distance, low, high, color=look.color, alpha=2 * BAND, lw=0)
    axis.set_yscale("log")
    axis.set_ylim(limits)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("steps back from the error")
    axis.set_ylabel("|d error / d state|")


def gates(
    sequence: Sequence, relevant: np.ndarray, passage: Passage, width: float = WIDTH
) -> Figure:
    """Inputs, gates and states over one sequence, a line of each image for each unit.

    Args:
        sequence: what the network saw.
        relevant: `[T]` bool; steps that are marked.
        passage: what happened meanwhile.
        width: of the figure, in inches.
    """
    length = int(sequence.length)
    images = {"inputs": np.asarray(sequence.inputs)[:length]}
    images |= {f"gate {name}": np.asarray(values) for name, values in passage.gates.items()}
    images |= {f"state {name}": np.asarray(values) for name, values in passage.states.items()}
    heights = [max(0.7, ROW * values.shape[1]) for values in images.values()]
    figure = Figure(figsize=(width, sum(heights) + 0.3 * len(heights) + 1.3))
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


def weights(seen: list[int], looks_at: list[Weights], looks: Mapping[str, Look]) -> dict[str, Draw]:
    """Norms of all weights, and spectral radii of the recurrent ones, over the training.

    Args:
        seen: training sequences at each look, the first of them 0.
        looks_at: what the weights were then.
        looks: how each of their names is drawn.
    """
    norms, radii = [each.norms for each in looks_at], [each.radii for each in looks_at]
    return {
        "norm of the weights": partial(_weights, seen=seen, lines=norms, looks=looks),
        "spectral radius": partial(_radii, seen=seen, lines=radii, looks=looks),
    }


def _weights(
    axis: Axes, seen: list[int], lines: list[dict[str, float]], looks: Mapping[str, Look]
) -> None:
    every: dict[str, Any] = {"markevery": max(1, len(seen) // 8), "markersize": 5}
    for name in lines[0]:
        axis.plot(seen, [line[name] for line in lines], **looks[name]._asdict(), **every)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("training sequences")
    axis.xaxis.set_major_formatter(lambda x, _: quantity(x))


def _radii(axis: Axes, **lines) -> None:
    axis.axhline(1, color="0.5", linewidth=1)
    _weights(axis, **lines)

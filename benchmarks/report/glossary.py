"""What the names on a page mean, from the docstrings of the classes behind them."""

from collections.abc import Iterable, Sequence

from flax import nnx

from benchmarks.learning.experiment import Experiment
from models.wrappers import Stacked


def tasks(experiments: Sequence[Experiment]) -> dict[str, str]:
    """Label of each task, or of several that share a class, and the first line of its docstring."""
    return _by_text(
        (each.task, _first_line(type(each.recipe.task))) for each in _first(experiments, "task")
    )


def cells(experiments: Sequence[Experiment]) -> dict[str, str]:
    """The same of cells."""
    return _by_text((each.cell, _cell(each)) for each in _first(experiments, "cell"))


def _first(experiments: Sequence[Experiment], label: str) -> list[Experiment]:
    """One experiment for each label."""
    return list({getattr(each, label): each for each in reversed(experiments)}.values())[::-1]


def _cell(experiment: Experiment) -> str:
    """Of the network's cell, or, where it has none, of the network; nothing is drawn."""
    recipe = experiment.recipe
    network = nnx.eval_shape(
        lambda: recipe.model.build(recipe.task.n_in, recipe.task.n_out, nnx.Rngs(0))
    )
    cell = getattr(network, "cell", network)
    if isinstance(cell, Stacked):
        return f"{_first_line(type(cell.layers[0]))} Here in {len(cell.layers)} layers."
    return _first_line(type(cell))


def _first_line(kind: type) -> str:
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0]


def _by_text(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    labels: dict[str, list[str]] = {}
    for label, text in pairs:
        labels.setdefault(text, []).append(label)
    return {", ".join(names): text for text, names in labels.items()}

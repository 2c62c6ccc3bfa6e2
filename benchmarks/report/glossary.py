"""What the names on a page mean, from the docstrings of the classes behind them."""

from collections.abc import Sequence

from flax import nnx

from benchmarks.learning.experiment import Experiment


def tasks(experiments: Sequence[Experiment]) -> dict[str, str]:
    """Label of each task, or of several that share a class, and the first line of its docstring."""
    return _by_text((each.task, type(each.recipe.task)) for each in _first(experiments, "task"))


def cells(experiments: Sequence[Experiment]) -> dict[str, str]:
    """The same of cells."""
    return _by_text((each.cell, _cell(each)) for each in _first(experiments, "cell"))


def _first(experiments: Sequence[Experiment], label: str) -> list[Experiment]:
    """One experiment for each label."""
    return list({getattr(each, label): each for each in reversed(experiments)}.values())[::-1]


def _cell(experiment: Experiment) -> type:
    """The class of the network's cell, or, where it has none, of the network; nothing is drawn."""
    recipe = experiment.recipe
    network = nnx.eval_shape(
        lambda: recipe.model.build(recipe.task.n_in, recipe.task.n_out, nnx.Rngs(0))
    )
    return type(getattr(network, "cell", network))


def _by_text(pairs) -> dict[str, str]:
    labels: dict[str, list[str]] = {}
    for label, kind in pairs:
        lines = (kind.__doc__ or kind.__name__).strip().splitlines()
        labels.setdefault(lines[0], []).append(label)
    return {", ".join(names): text for text, names in labels.items()}

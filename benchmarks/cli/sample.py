"""`sample`: a trained net writes strings, symbol by symbol, beside those of the grammar."""

import argparse

import jax
from rich.console import Console

from benchmarks.analysis.statistics import proportion
from benchmarks.analysis.tables import quantity
from benchmarks.cli import arguments
from benchmarks.cli.chosen import chosen, searched
from benchmarks.cli.inspect import require_one, suite_with
from benchmarks.learning import sampling, xla
from benchmarks.learning.sampling import Written
from benchmarks.learning.stream_learners import OfStreams
from benchmarks.running import one_trial
from benchmarks.running.store import MOST_TRIALS


def add(commands) -> None:
    """Adds the command."""
    text = "let a trained net write strings, one symbol at a time, and count the legal ones"
    parser = arguments.add_command(commands, "sample", text, _command)
    parser.add_argument("suite", nargs="?", help="needed where several have the experiment")
    parser.add_argument("pattern", metavar="EXPERIMENT", help="quotes-10.lstm, say")
    parser.add_argument(
        "--temperature",
        type=_temperature,
        default=1.0,
        metavar="T",
        help="below 1 the net keeps to what it thinks likely; default: 1",
    )
    parser.add_argument("--count", type=_count, default=1000, metavar="N", help="default: 1000")
    parser.add_argument(
        "--length", type=_length, default=50, metavar="N", help="symbols at most; default: 50"
    )
    parser.add_argument(
        "--shown", type=arguments.positive, default=10, metavar="N", help="examples"
    )
    parser.add_argument("--trial", type=_trial, default=0, metavar="I", help="default: 0")
    arguments.add_seed(parser)
    arguments.add_changes(parser)
    arguments.add_out(parser)


def _command(options) -> None:
    suite, pattern = options.suite or suite_with(options.pattern), options.pattern
    changes, out = arguments.changes(options), options.out
    found = chosen(suite, pattern, changes, out)
    require_one(suite, [each.name for each in found], pattern)
    sampling.source(found[0].recipe.task)  # before any training: whether there is one
    console = arguments.console()
    (experiment,) = searched(suite, pattern, changes, out, console)
    trial, seed = options.trial, options.seed
    trained = one_trial.kept(experiment, trial, seed, arguments.folder(out, suite))
    if trained is None:
        if experiment.recipe.learner.batch == 1:
            xla.set_loop_flag()  # as the workers of a run do
        trained = one_trial.train(experiment, trial, seed, console)
    network, row = trained
    unit = "symbols" if isinstance(experiment.recipe.learner, OfStreams) else "sequences"
    console.print(
        f"{experiment.name}, trial {trial} of seed {seed}: {row['outcome']} after "
        f"{quantity(row['seen'])} {unit}; temperature {options.temperature:g}",
        highlight=False,
    )
    given = jax.random.key(seed), options.count, options.length, options.temperature
    net = sampling.by_network(network, experiment.recipe, *given)
    grammar = sampling.by_source(experiment.recipe.task, *given)
    for name, written in (("net", net), ("grammar", grammar)):
        console.print(f"{name}: {described(written)}", highlight=False, markup=False)
        _show(written, options.shown, console)


def described(written: Written) -> str:
    """How many of the texts are legal, and how long and how different those are."""
    rate = proportion(int(written.legal.sum()), len(written.legal))
    text = f"{rate.solved}/{rate.trials} legal ({rate.low:.1%} to {rate.high:.1%})"
    legal = [each for each, good in zip(written.texts, written.legal, strict=True) if good]
    if not legal:
        return text
    mean = sum(map(len, legal)) / len(legal)
    return f"{text}, {len(set(legal))} of them different, {mean:.1f} symbols on average"


def _show(written: Written, count: int, console: Console) -> None:
    for text, legal in list(zip(written.texts, written.legal, strict=True))[:count]:
        console.print(
            f"  {text}{'' if legal else '  (not legal)'}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _temperature(text: str) -> float:
    """A temperature that is not too cold for its logarithms."""
    if arguments.rate(text) < sampling.COLDEST:
        raise argparse.ArgumentTypeError(f"must be at least {sampling.COLDEST}, not {text}")
    return float(text)


def _count(text: str) -> int:
    if (number := arguments.positive(text)) > sampling.MOST:
        raise argparse.ArgumentTypeError(f"must be at most {sampling.MOST}, not {text}")
    return number


def _length(text: str) -> int:
    if not 2 <= (number := arguments.positive(text)) <= sampling.MOST:
        raise argparse.ArgumentTypeError(f"must lie between 2 and {sampling.MOST}, not {text}")
    return number


def _trial(text: str) -> int:
    if not text.isdecimal() or int(text) >= MOST_TRIALS:
        raise argparse.ArgumentTypeError(f"must be a whole number below {MOST_TRIALS}, not {text}")
    return int(text)

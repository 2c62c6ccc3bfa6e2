import math
from dataclasses import replace

import jax
import pandas as pd
import pytest
from flax import nnx

from benchmarks import suites
from benchmarks.analysis import tables
from benchmarks.errors import UsageError
from benchmarks.learning.select import program
from benchmarks.running import rules, search, store
from benchmarks.suites import common, compare, quick

EVERY = [(name, each) for name in suites.names() for each in suites.load(name).experiments]
COMMITTED = ["compare", "quick", "lags", "remedies"]


@pytest.mark.parametrize("name", suites.names())
def test_names_are_unique_and_safe_as_file_names(name):
    names = [each.name for each in suites.load(name).experiments]
    assert len(set(names)) == len(names)
    assert all(text.replace(".", "").replace("-", "").isalnum() for text in names)
    assert suites.load(name).title


# many cells or experiments
LARGE = {"best-readings", "compare", "guesses", "lags", "readings", "remedies"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in LARGE)) for n in suites.names()],
)
def test_every_experiment_could_run(name):
    """Shapes of network, sequence and verdict fit together, without computing any.

    Those of one delay: the others differ in the number of steps only.
    """
    one_delay = {(each.task, each.cell): each for each in suites.load(name).experiments}
    for each in one_delay.values():
        task, objective = each.recipe.task, each.recipe.learner.objective(each.recipe.task)

        def one(key, each=each, task=task, objective=objective):
            sequence = task.sample(key)
            network = each.recipe.model.build(task.n_in, task.n_out, nnx.Rngs(key))
            net = network(sequence.inputs, sequence.length)
            loss = objective.loss(net, sequence.targets)
            return loss, task.judge(objective.activate(net), sequence)

        loss, verdict = jax.eval_shape(one, jax.random.key(0))
        assert loss.shape == (task.steps,)
        assert verdict.error.shape == verdict.wrong.shape == ()
        assert program(each.recipe).weights > 0


@pytest.mark.parametrize("name", suites.names())
def test_rows_of_every_experiment_could_be_read_again(name):
    for each in suites.load(name).experiments:
        texts = {"experiment": each.name, "task": each.task, "cell": each.cell}
        assert all(rules.fits(text, rules.TEXTS[column]) for column, text in texts.items())
        numbers = {"rate": each.rate, "delay": each.delay, "budget": each.recipe.budget}
        for column, number in numbers.items():
            unsearched = math.isnan(number)
            assert unsearched or rules.NUMBERS[column].holds(pd.Series([number])).all()


def test_a_digest_changes_with_everything_but_the_number_of_trials():
    each = suites.load("quick").experiments[0]
    assert replace(each, trials=1).digest == each.digest
    changed = [
        replace(each, rate=0.5),
        replace(each, version=2),
        replace(each, data_sets=3),
        replace(each, recipe=replace(each.recipe, budget=2000)),
        replace(each, recipe=replace(each.recipe, task=quick.POINTS[-1].task)),
        replace(each, recipe=replace(each.recipe, model=replace(each.recipe.model, hidden=17))),
    ]
    assert len({each.digest, *(other.digest for other in changed)}) == len(changed) + 1
    digests = [(name, each.digest) for name, each in EVERY]
    assert len(set(digests)) == len(digests)


def test_the_chosen_settings_are_those_that_the_committed_search_found():
    folder = common.RESULTS / "compare"
    choices = search.chosen(folder)
    tried = [each for each in compare.EXPERIMENTS if not math.isnan(each.rate)]
    assert {(e.task, e.delay, e.cell, e.recipe_digest) for e in tried} == set(choices) != set()
    for each in tried:
        line = search.choice(search.candidates((each,), compare.CONFIGURATIONS, folder), folder)
        assert line["rate"] == each.rate
        assert {name: line[name] for name in each.settings.columns()} == each.settings.columns()


@pytest.mark.parametrize("name", COMMITTED)
def test_the_committed_page_is_made_from_the_committed_rows(name):
    suite, folder = suites.load(name), common.RESULTS / name
    rows = store.read_suite(folder)
    known = tables.current(suite.experiments, rows)
    page = suite.shown(suite.experiments, known, folders=[folder]).page
    assert (folder / "table.md").read_text() == page
    assert set(rows["dirty"]) == {"false"}
    assert search.SEED not in set(rows["seed"])


def test_an_unknown_suite():
    with pytest.raises(UsageError, match=f"there are: {', '.join(suites.names())}"):
        suites.load("slow")

import math

import pytest

from benchmarks.learning import space
from benchmarks.learning.descents import ElementClip, NormClip, Plain, ScheduledNesterov, SkipLarge
from benchmarks.learning.experiment import Settings
from benchmarks.learning.learners import Adam, Online
from benchmarks.learning.penalties import NormStabiliser, Omega
from benchmarks.learning.remedies import Remedied
from benchmarks.suites.cells import EVERY


def radical_inverse(n, base):
    """The digits of n in this base, mirrored behind the point (van der Corput)."""
    value, place = 0.0, 1 / base
    while n:
        n, digit = divmod(n, base)
        value, place = value + digit * place, place / base
    return value


@pytest.mark.parametrize("n", range(24))
def test_configurations_are_halton_points(n):
    rate, cell, kind, clip = (radical_inverse(n + 1, base) for base in (2, 3, 5, 7))
    (found,) = space.configurations(["memory"], 100, 1, first=n)
    assert found.rate == pytest.approx(3e-4 * (0.1 / 3e-4) ** rate, rel=1e-3)
    longest = 2 * 500**cell
    assert found.settings.memory[1] == pytest.approx(longest, rel=1e-3)
    assert found.settings.memory[0] == (2 if kind < 0.5 else found.settings.memory[1])
    assert found.settings.clip == (math.inf if clip < 0.5 else 1)
    (found,) = space.configurations(["scale"], 100, 1, first=n)
    start = 1 if kind < 0.5 else 0.5 * 3**cell
    assert found.settings.scale == pytest.approx(start, rel=1e-3)


def test_all_cells_share_rates_and_clipping():
    kinds = [space.configurations(names, 50, 24) for names in ([], ["memory"], ["scale"])]
    for others in zip(*kinds, strict=True):
        assert len({(each.rate, each.settings.clip) for each in others}) == 1


@pytest.mark.parametrize("n", range(8))
def test_plain_descent_has_rates_of_its_own(n):
    plain = [Remedied(descent=Plain()), Remedied(descent=Plain(), guard=NormClip())]
    others = [Remedied(), Remedied(descent=ScheduledNesterov()), Adam(), Online()]
    for learners, low, high in ((plain, 1e-3, 1), (others, 3e-4, 0.1)):
        for learner in learners:
            (found,) = space.configurations([], 100, 1, first=n, learner=learner)
            wanted = low * (high / low) ** radical_inverse(n + 1, 2)
            assert found.rate == pytest.approx(wanted, rel=1e-3)
            assert space.rates(repr(learner)) == space.rates(learner)


def test_more_configurations_begin_with_the_same():
    assert space.configurations(["memory"], 50, 24)[:12] == space.configurations(["memory"], 50, 12)


def test_every_setting_of_a_cell_has_a_space():
    assert {name for cell in EVERY.values() for name in cell.settings} <= set(space.START)


@pytest.mark.parametrize("n", range(8))
def test_remedies_are_searched_for_their_numbers(n):
    rate, *_, clip, strength = (radical_inverse(n + 1, base) for base in (2, 3, 5, 7, 11))
    kinds = {
        NormClip: (0.1, 10),
        ElementClip: (0.01, 1),
        SkipLarge: (1, 100),
        Omega: (0.1, 10),
        NormStabiliser: (0.01, 100),
    }

    def drawn(**remedies):
        (found,) = space.configurations([], 100, 1, first=n, learner=Remedied(**remedies))
        assert found.rate == pytest.approx(3e-4 * (0.1 / 3e-4) ** rate, rel=1e-3)
        return found.settings

    for kind, (low, high) in kinds.items():
        field, u = ("penalty", strength) if kind in (Omega, NormStabiliser) else ("guard", clip)
        name = "strength" if field == "penalty" else "clip"
        expected = Settings(**{name: pytest.approx(low * (high / low) ** u, rel=1e-3)})
        assert drawn(**{field: kind()}) == expected
        ends = space.bounds(100, repr(Remedied(**{field: kind()})))
        assert ends["strength" if field == "penalty" else "threshold"] == space.LogUniform(
            low, high
        )
    momentum = drawn(descent=ScheduledNesterov()).strength
    assert 1 - momentum == pytest.approx(0.001 * 100**strength, rel=1e-3)
    both = drawn(guard=NormClip(), penalty=Omega(), descent=ScheduledNesterov())
    assert set(both.given()) == {"clip", "strength"}
    assert both.strength == drawn(penalty=Omega()).strength
    assert drawn(window=3).given() == {}


def test_the_numbers_of_a_search_are_those_of_its_learner():
    usual = {"rate", "memory", "scale"}
    momentum = ScheduledNesterov()
    for learner, own in (
        (Adam(), set()),
        (Remedied(), set()),
        (Remedied(guard=SkipLarge()), {"threshold"}),
        (Remedied(descent=momentum), {"momentum"}),
        (Remedied(descent=momentum, guard=NormClip(), penalty=Omega()), {"threshold", "strength"}),
    ):
        assert set(space.bounds(50, learner)) == usual | own


@pytest.mark.parametrize("number", [0.9, 1.0, 1.25, 1.26, 5, 7.9, 7.95, 10.0, 11.0])
def test_the_outer_tenths(number):
    outer = not 0.1 < math.log10(number) < 0.9
    assert space.LogUniform(1.0, 10.0).near_end(number) == outer

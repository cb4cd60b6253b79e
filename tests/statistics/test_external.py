"""Coverage and error rates on external cohorts whose people have two to four films each: Wilson's
interval at the effective number of cases, and the change between independent samples.

1,000 simulated studies a cell; a rate's Monte Carlo error is 0.7 %. `pytest -s` prints the table of
docs/benchmarks.md.
"""

from __future__ import annotations

import numpy as np
import pytest

from kneeoa.statistics.independent_samples import compare_sampled, compare_shares, share_influence, standardised_share
from kneeoa.statistics.influence_functions import Sampled
from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.proportions import effective_cases, wilson

pytestmark = pytest.mark.slow

STUDIES = 1000
PEOPLE = (20, 40, 150, 600)
SHARES = (0.43, 0.757, 0.96)
CORRELATIONS = (0.0, 0.3, 0.7)


def films(draws: np.random.Generator, people: int, share: float, correlation: float) -> tuple[Floats, Integers]:
    """Right or wrong calls of people with two to four films, and the person of each: a person's
    share is from a beta distribution, so that two of his films correlate.
    """
    codes = np.repeat(np.arange(people), draws.integers(2, 5, people))
    scale = 1 / correlation - 1 if correlation else np.inf
    shares = draws.beta(share * scale, (1 - share) * scale, people) if correlation else np.full(people, share)
    return (draws.random(codes.size) < shares[codes]).astype(np.float64), codes


@pytest.mark.parametrize("people", PEOPLE)
def test_wilson_at_the_effective_size_covers_and_a_true_null_is_rejected_at_its_level(people: int) -> None:
    for share in SHARES:
        for correlation in CORRELATIONS:
            draws = np.random.default_rng([people, round(1000 * share), round(10 * correlation)])
            covered = by_films = rejected = 0
            for _ in range(STUDIES):
                right, codes = films(draws, people, share, correlation)
                size = effective_cases(right, codes)
                low, high = wilson(float(right.mean()), size, 0.95)
                covered += low <= share <= high
                low, high = wilson(float(right.mean()), right.size, 0.95)
                by_films += low <= share <= high
                other, other_codes = films(draws, max(people // 2, 15), share, correlation)
                test = compare_shares((float(other.mean()), effective_cases(other, other_codes)), (float(right.mean()), size), 0.95)
                rejected += test.p < 0.05
            rates = [count / STUDIES for count in (covered, by_films, rejected)]
            print(f"| {people} | {share} | {correlation} | {100 * rates[0]:.1f} | {100 * rates[1]:.1f} | {100 * rates[2]:.1f} |")
            assert 0.91 <= rates[0] <= 0.985
            assert rates[2] <= 0.09
            if people >= 150:
                assert 0.92 <= rates[0] <= 0.975
                assert rates[2] <= 0.07
            if correlation == 0.7:
                assert rates[1] < 0.9, "films as if each were a person's only one do not cover"


@pytest.mark.parametrize("people", [60, 300])
def test_the_change_at_the_develop_prevalence_rejects_a_true_null_at_its_level(people: int) -> None:
    """Classes are called alike in both cohorts and their shares differ: the plain change is real,
    that at the develop prevalence is none.
    """
    draws, right_of_class = np.random.default_rng(people), np.array([0.84, 0.43, 0.7, 0.81, 0.96])
    rejected = plain = 0
    for _ in range(STUDIES):
        samples = []
        for count, shares in ((people, (0.4, 0.2, 0.2, 0.1, 0.1)), (2 * people, (0.15, 0.25, 0.2, 0.2, 0.2))):
            codes = np.repeat(np.arange(count), draws.integers(2, 5, count))
            truth = draws.choice(5, count, p=shares)[codes]
            samples.append((truth, (draws.random(codes.size) < right_of_class[truth]).astype(np.float64), codes))
        (truth, right, codes), (truth_away, right_away, codes_away) = samples
        shares = np.bincount(truth, minlength=5) / truth.size
        ours = standardised_share(right_away, truth_away, shares)
        of_class = np.bincount(truth_away, weights=right_away, minlength=5) / np.bincount(truth_away, minlength=5)
        through = share_influence(truth, of_class)
        theirs = Sampled(float(right.mean()), (right - right.mean()) / right.size - through.influence)
        rejected += compare_sampled((theirs, codes), (ours, codes_away), 0.95)[1].p < 0.05
        sizes = [(float(values.mean()), effective_cases(values, of)) for values, of in ((right, codes), (right_away, codes_away))]
        plain += compare_shares(sizes[0], sizes[1], 0.95).p < 0.05
    print(f"at the develop prevalence, {people} people: {100 * rejected / STUDIES:.1f} % (plain change: {100 * plain / STUDIES:.1f} %)")
    assert 0.03 <= rejected / STUDIES <= 0.075

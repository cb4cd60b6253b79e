"""Wilcoxon's signed-rank test with ties and zeros: exact."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from kneeoa.anatomy.subject_summaries import EXACT, compare_paired


def enumerated(differences, alternative):
    """The p over all choices of signs of the differences that are not zero, in exact fractions."""
    some = differences[differences != 0]
    ranks = [Fraction(rank) for rank in stats.rankdata(np.abs(some))]
    observed = sum(rank for rank, value in zip(ranks, some, strict=True) if value > 0)
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product([0, 1], repeat=len(ranks))]
    less = Fraction(sum(each <= observed for each in sums), len(sums))
    greater = Fraction(sum(each >= observed for each in sums), len(sums))
    return float({"less": less, "greater": greater, "two-sided": min(2 * less, 2 * greater, Fraction(1))}[alternative])


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("seed", range(20))
def test_small_samples_with_ties_and_zeros(seed, alternative):
    generator = np.random.default_rng(seed)
    differences = generator.integers(-3, 6, size=generator.integers(3, 10)).astype(float)
    expected = enumerated(differences, alternative)
    assert compare_paired(differences, alternative).p == pytest.approx(expected, abs=1e-14)
    assert stats.wilcoxon(differences, alternative=alternative).pvalue == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_larger_ones_agree_with_random_signs(alternative):
    generator = np.random.default_rng(1)
    differences = np.round(generator.normal(0.4, 1.5, size=EXACT + 3), 1)
    differences[differences == 0] = 0.1
    differences[:3] = 0
    ranks = stats.rankdata(np.abs(differences[3:]))
    sums = (generator.random((200_000, len(ranks))) < 0.5) @ ranks
    observed = ranks[differences[3:] > 0].sum()
    less, greater = (sums <= observed).mean(), (sums >= observed).mean()
    simulated = {"less": less, "greater": greater, "two-sided": 2 * min(less, greater)}[alternative]
    assert compare_paired(differences, alternative).p == pytest.approx(simulated, abs=0.004)


def test_without_ties_it_is_scipys_exact_test():
    differences = np.random.default_rng(2).normal(0.3, 1, size=EXACT)
    assert compare_paired(differences).p == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue, rel=1e-12)


def test_many_differences_are_pingouins_approximation_and_that_is_near():
    import pingouin

    differences = np.random.default_rng(3).normal(0.2, 1, size=EXACT + 1)
    p = compare_paired(differences).p
    assert p == pingouin.wilcoxon(differences)["p_val"].iloc[0]
    assert p == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue, rel=0.02)

"""Contradictions between heads by hand, heads derived from each other, paired tests and
clusters.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_probabilities
from kneeoa.statistics.head_disagreement import per_case
from kneeoa.statistics.influence_functions import PairedDifference, difference_of
from kneeoa.statistics.inputs import cluster_codes
from tests.unit.statistics.by_kernels import estimate, sampled

PARENTS = (0, 0, 1, 1, 1)


def heads(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(2), size=n), rng.dirichlet(np.ones(5), size=n)


def paired(
    name: str,
    first: tuple[np.ndarray, np.ndarray],
    second: tuple[np.ndarray, np.ndarray],
    cluster: object = None,
    parents: object = PARENTS,
) -> PairedDifference:
    """The test of two networks' (coarse head, fine head)."""
    truth = np.zeros(len(first[0]))
    a, b = (sampled(name, truth, coarse, fine=fine, parents=parents) for coarse, fine in (first, second))
    return difference_of(a, b, cluster_codes(cluster, truth.size), 0.95, name)


def test_by_hand() -> None:
    fine = np.array([[0.5, 0.1, 0.2, 0.1, 0.1], [0.0, 0.4, 0.3, 0.3, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0]])
    coarse = np.array([[0.6, 0.4], [0.4, 0.6], [1.0, 0.0]])
    calls, masses = per_case(coarse, fine, PARENTS)
    # The second case: the coarse head follows the summed mass, the fine arg max (grade 1) still
    # belongs to class 0.
    assert calls.tolist() == [0.0, 1.0, 1.0]
    assert masses == pytest.approx([0.0, 0.0, 1.0])
    nothing = np.zeros(3)  # neither measure needs the truth
    assert estimate("contradiction", nothing, coarse, fine=fine, parents=PARENTS).estimate == pytest.approx(2 / 3)
    assert estimate("contradiction_mass", nothing, coarse, fine=fine, parents=PARENTS).estimate == pytest.approx(1 / 3)


def test_a_derived_head_moves_no_mass() -> None:
    _, fine = heads(0)
    assert per_case(derive_probabilities(fine, PARENTS, 2), fine, PARENTS)[1] == pytest.approx(0.0, abs=1e-15)
    sharp = np.eye(5)[np.random.default_rng(1).integers(0, 5, size=40)]
    assert not per_case(derive_probabilities(sharp, PARENTS, 2), sharp, PARENTS)[0].any()


def test_paired_difference() -> None:
    (first, fine_a), (second, fine_b) = heads(2), heads(3)
    cluster = np.arange(80) // 2
    for place, name in enumerate(("contradiction", "contradiction_mass")):
        test = paired(name, (first, fine_a), (second, fine_b), cluster)
        each = [per_case(coarse, fine, PARENTS)[place] for coarse, fine in ((first, fine_a), (second, fine_b))]
        assert test.difference == pytest.approx(each[0].mean() - each[1].mean())
        gaps = np.bincount(cluster, weights=each[0] - each[1])
        assert test.variance == pytest.approx(gaps.var(ddof=1) * 40 / 80**2)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_symmetries(seed: int) -> None:
    (coarse, fine), (other, another) = heads(seed), heads(seed + 1)
    order = [1, 0, 4, 2, 3]
    for name in ("contradiction", "contradiction_mass"):
        one, two = paired(name, (coarse, fine), (other, another)), paired(name, (other, another), (coarse, fine))
        three = paired(name, (coarse, fine[:, order]), (other, another[:, order]), parents=[PARENTS[i] for i in order])
        assert (two.difference, two.variance) == (-one.difference, one.variance)
        assert (three.difference, three.variance) == pytest.approx((one.difference, one.variance), abs=1e-14)
        same = paired(name, (coarse, fine), (coarse, fine))
        assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_bad_input_is_refused() -> None:
    coarse, fine = heads(4)
    with pytest.raises(KneeoaError, match="same seeds and cases"):
        per_case(coarse[:-1], fine, PARENTS)
    with pytest.raises(KneeoaError, match="fine classes"):
        per_case(coarse, fine, (0, 1))
    with pytest.raises((KneeoaError, ValueError), match="finite"):
        per_case(np.where(coarse > 0.5, np.nan, coarse), fine, PARENTS)

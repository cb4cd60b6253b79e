"""Contradictions between heads by hand, heads derived from each other, paired tests and
clusters.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kneeoa.errors import KneeoaError
from kneeoa.hierarchy import derive_probabilities
from kneeoa.statistics.consistency import contradiction, contradiction_test, per_case

PARENTS = (0, 0, 1, 1, 1)


def heads(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(2), size=n), rng.dirichlet(np.ones(5), size=n)


def test_by_hand() -> None:
    fine = np.array([[0.5, 0.1, 0.2, 0.1, 0.1], [0.0, 0.4, 0.3, 0.3, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0]])
    coarse = np.array([[0.6, 0.4], [0.4, 0.6], [1.0, 0.0]])
    calls, masses = per_case(coarse, fine, PARENTS)
    # The second case: the coarse head follows the summed mass, the fine arg max (grade 1) still
    # belongs to class 0.
    assert calls.tolist() == [0.0, 1.0, 1.0]
    assert masses == pytest.approx([0.0, 0.0, 1.0])
    found = contradiction(coarse, fine, PARENTS)
    assert (found.call.estimate, found.mass.estimate) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_a_derived_head_moves_no_mass() -> None:
    _, fine = heads(0)
    found = contradiction(derive_probabilities(fine, PARENTS, 2), fine, PARENTS)
    assert found.mass.estimate == pytest.approx(0.0, abs=1e-15)
    sharp = np.eye(5)[np.random.default_rng(1).integers(0, 5, size=40)]
    agreed = contradiction(derive_probabilities(sharp, PARENTS, 2), sharp, PARENTS)
    assert (agreed.call.estimate, agreed.call.degenerate) == (0.0, True)
    assert 0 < agreed.call.high < 0.1  # Wilson: none of 40 is not never


def test_seeds_and_paired_difference() -> None:
    (first, fine_a), (second, fine_b) = heads(2), heads(3)
    cluster = np.arange(80) // 2
    joint = contradiction(np.stack([first, second]), np.stack([fine_a, fine_b]), PARENTS, cluster)
    alone = [contradiction(c, f, PARENTS, cluster) for c, f in ((first, fine_a), (second, fine_b))]
    assert joint.call.estimate == pytest.approx((alone[0].call.estimate + alone[1].call.estimate) / 2)
    test = contradiction_test(first, fine_a, second, fine_b, PARENTS, cluster)
    assert test.call.difference == pytest.approx(alone[0].call.estimate - alone[1].call.estimate)
    assert test.mass.difference == pytest.approx(alone[0].mass.estimate - alone[1].mass.estimate)
    gaps = np.bincount(cluster, weights=np.subtract(*(per_case(c, f, PARENTS)[0] for c, f in ((first, fine_a), (second, fine_b)))))
    assert test.call.variance == pytest.approx(gaps.var(ddof=1) * 40 / 80**2)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_symmetries(seed: int) -> None:
    (coarse, fine), (other, another) = heads(seed), heads(seed + 1)
    base = contradiction_test(coarse, fine, other, another, PARENTS)
    swapped = contradiction_test(other, another, coarse, fine, PARENTS)
    order = [1, 0, 4, 2, 3]
    permuted = contradiction_test(coarse, fine[:, order], other, another[:, order], [PARENTS[i] for i in order])
    for name in ("call", "mass"):
        one, two, three = (getattr(found, name) for found in (base, swapped, permuted))
        assert (two.difference, two.variance) == (-one.difference, one.variance)
        assert (three.difference, three.variance) == pytest.approx((one.difference, one.variance), abs=1e-14)
        same = getattr(contradiction_test(coarse, fine, coarse, fine, PARENTS), name)
        assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_bad_input_is_refused() -> None:
    coarse, fine = heads(4)
    with pytest.raises(KneeoaError, match="same seeds and cases"):
        contradiction(coarse[:-1], fine, PARENTS)
    with pytest.raises(KneeoaError, match="fine classes"):
        contradiction(coarse, fine, (0, 1))
    with pytest.raises((KneeoaError, ValueError), match="finite"):
        contradiction(np.where(coarse > 0.5, np.nan, coarse), fine, PARENTS)
    with pytest.raises((KneeoaError, ValueError), match="rows"):
        contradiction_test(coarse, fine, coarse[:-2], fine[:-2], PARENTS)

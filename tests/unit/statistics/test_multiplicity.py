"""Adjusted p-values against statsmodels; undefined tests do not count."""

import numpy as np
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from kneeoa.errors import KneeoaError
from kneeoa.statistics.multiplicity import adjust

P = np.array([0.04, 0.001, 0.2, 0.04, 0.9, 0.012, 0.0003])


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by")])
def test_equals_statsmodels(method: str, name: str) -> None:
    assert adjust(P, method) == pytest.approx(multipletests(P, method=name)[1], abs=1e-15)
    assert adjust(P, method) == pytest.approx(pingouin.multicomp(P, method=name)[1], abs=1e-15)


@pytest.mark.parametrize("method", ["holm", "bh", "by", "none"])
def test_undefined_tests_do_not_count(method: str) -> None:
    holed = np.insert(P, [0, 3, 7], np.nan)
    adjusted = adjust(holed, method)
    assert np.isnan(adjusted[np.isnan(holed)]).all()
    assert adjusted[~np.isnan(holed)] == pytest.approx(adjust(P, method), abs=0)


def test_order_none_and_empty() -> None:
    assert adjust(P[::-1], "bh")[::-1] == pytest.approx(adjust(P, "bh"), abs=0)
    assert adjust(P, "none") == pytest.approx(P, abs=0)
    assert adjust([], "holm").size == 0
    assert np.isnan(adjust([np.nan], "bh")).all()
    assert adjust([0.6, 0.7], "holm").max() == 1.0


def test_bad_input_is_refused() -> None:
    with pytest.raises((KneeoaError, ValueError), match="method"):
        adjust(P, "bonferroni")
    with pytest.raises((KneeoaError, ValueError), match="0 to 1"):
        adjust([0.5, 1.2])


@settings(
    max_examples=12,  # statsmodels collects garbage at each call
    deadline=None,
    derandomize=True,
)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_equals_the_definitions_that_r_uses(values: list[float]) -> None:
    p = np.array(values)
    order, m = np.argsort(p, kind="stable"), p.size
    holm = [max(min(1.0, (m - j) * p[order[j]]) for j in range(i + 1)) for i in range(m)]
    bh = [min(min(1.0, m / (j + 1) * p[order[j]]) for j in range(i, m)) for i in range(m)]
    harmonic = sum(1 / k for k in range(1, m + 1))
    by = [min(min(1.0, harmonic * m / (j + 1) * p[order[j]]) for j in range(i, m)) for i in range(m)]
    for method, expected in (("holm", holm), ("bh", bh), ("by", by)):
        adjusted = adjust(p, method)
        assert adjusted[order] == pytest.approx(expected, abs=1e-14)
        assert (adjusted >= p).all()

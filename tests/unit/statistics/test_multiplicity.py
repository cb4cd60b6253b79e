"""Adjusted p-values against statsmodels; undefined tests do not count."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from kneeoa.statistics.multiplicity import adjust

P = np.array([0.04, 0.001, 0.2, 0.04, 0.9, 0.012, 0.0003])


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by")])
def test_equals_statsmodels(method: str, name: str) -> None:
    assert adjust(P, method) == pytest.approx(multipletests(P, method=name)[1], abs=1e-15)


@pytest.mark.parametrize("method", ["holm", "bh", "by", "none"])
def test_undefined_tests_do_not_count(method: str) -> None:
    holed = np.insert(P, [0, 3, 7], np.nan)
    found = adjust(holed, method)
    assert np.isnan(found[np.isnan(holed)]).all()
    assert found[~np.isnan(holed)] == pytest.approx(adjust(P, method), abs=0)


def test_order_none_and_empty() -> None:
    assert adjust(P[::-1], "bh")[::-1] == pytest.approx(adjust(P, "bh"), abs=0)
    assert adjust(P, "none") == pytest.approx(P, abs=0)
    assert adjust([], "holm").size == 0
    assert np.isnan(adjust([np.nan], "bh")).all()
    assert adjust([0.6, 0.7], "holm").max() == 1.0


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="method"):
        adjust(P, "bonferroni")
    with pytest.raises(ValueError, match="0 to 1"):
        adjust([0.5, 1.2])

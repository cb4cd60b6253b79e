"""Error rates of what makes the rows of CONTRASTS, where few subjects carry a difference: a small
part of `benchmarks/error_rates.py`, whose table is in docs/benchmarks.md.
"""

import math

import pytest

from benchmarks.error_rates import Cell, run
from kneeoa.config.statistics import Statistics

pytestmark = pytest.mark.slow

STUDIES = 200
NORMAL_TESTS_REJECT = 0.08
"""Least share that normal tests reject here of the binary level's sensitivity, F1 and balanced
accuracy (8 to 27 %).
"""


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("kind", ["binary", "ordinal"])
def test_a_true_null_is_rejected_at_its_level_with_three_cases_of_a_class(kind: str, clustered: bool) -> None:
    cell = run(Cell(kind, 60, 3, clustered), STUDIES, Statistics(resamples=10), tests=("delta", "delong", "mcnemar"), covered=False)
    rates = {key: one for key, one in cell.rates.items() if one.studies > STUDIES / 2}
    assert len(rates) >= 12
    total = sum(one.rejected for one in rates.values()) / sum(one.studies for one in rates.values())
    assert total <= 0.065
    for key, one in rates.items():
        assert one.rejected / one.studies <= 0.065 + 3.5 * math.sqrt(0.05 * 0.95 / one.studies), key
    exact = [
        one for (name, test), one in rates.items() if test in ("delong", "mcnemar") or name in ("accuracy", "brier", "sensitivity", "mae")
    ]
    assert sum(one.disagree for one in exact) == 0
    if kind == "binary":
        assert rates["f1", "delta"].rejected / STUDIES < NORMAL_TESTS_REJECT
        assert rates["sensitivity", "delta"].few > 0

"""The table of metrics and that of their kernels say the same: names, and which tests apply."""

import pytest

from kneeoa.config.metrics import BY_NAME, METRICS
from kneeoa.errors import KneeoaError
from kneeoa.statistics.kernels import KERNELS, cut_in, kernel_of, metric


def test_every_metric_has_a_kernel_and_every_kernel_a_metric() -> None:
    assert tuple(KERNELS) == METRICS
    assert len(set(METRICS)) == len(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_the_tests_that_its_kernel_can_make(name: str) -> None:
    row, kernel = BY_NAME[name], KERNELS[name]
    assert ("bootstrap" in row.tests) == (kernel.of_tables is not None or kernel.weighted is not None)
    assert ("delong" in row.tests) == (kernel.delong is not None)
    assert ("delta" in row.tests) == (kernel.delong is None and name != "prevalence")  # the same for every arm
    assert row.of_calls or kernel.of_tables is None
    assert row.by_cut == (cut_in(f"{name}_2") == 2)


def test_what_has_no_kernel_is_named() -> None:
    assert kernel_of("cut_auc_3") is KERNELS["cut_auc"]
    with pytest.raises(KneeoaError, match="Metric 'lift' is not computed anywhere"):
        kernel_of("lift")
    with pytest.raises(ValueError, match=r"expected one of .*'accuracy'.* got 'cut_auc'"):
        metric("cut_auc")

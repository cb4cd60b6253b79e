"""The smallest detectable difference: statsmodels' normal power, and bad input."""

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower

from kneeoa.errors import KneeoaError
from kneeoa.statistics.power import minimal_detectable_difference


def test_the_detectable_difference_has_the_power_asked_for() -> None:
    for power in (0.5, 0.8, 0.95):
        gap = minimal_detectable_difference(1 / np.sqrt(50), power)
        assert NormalIndPower(ddof=0).power(gap, 50, 0.05, ratio=0) == pytest.approx(power, abs=1e-4)
    assert minimal_detectable_difference(1.0) == pytest.approx(2.801585218)


@pytest.mark.parametrize(
    ("arguments", "message"), [((0.0,), "standard_error"), ((np.nan,), "standard_error"), ((1.0, 1.0), "power"), ((1.0, 0.8, 0.0), "alpha")]
)
def test_bad_input_is_refused(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(KneeoaError, match=message):
        minimal_detectable_difference(*arguments)

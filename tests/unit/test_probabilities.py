"""What passes 1 by rounding is 1; what is outside [0, 1] is refused with digits that show it."""

import math

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.probabilities import ROUNDING, clip_rounding, require_probabilities


def test_only_rounding_is_clipped() -> None:
    sums = np.array([0.0, -0.1, 0.5, np.nextafter(1, 0), 1.0, np.nextafter(1, 2), 1 + ROUNDING / 2, 1 + 2 * ROUNDING, math.nan])
    clipped = clip_rounding(sums)
    assert clipped[:5].tolist() == sums[:5].tolist()
    assert clipped[5:7].tolist() == [1.0, 1.0]
    assert clipped[7] == sums[7]
    assert math.isnan(clipped[8])
    assert sums[6] > 1, "the argument is left as it was"


def test_an_excess_of_five_in_a_hundred_million_can_be_read() -> None:
    with pytest.raises(KneeoaError, match=r"^p: expected values from 0 to 1, found 2\.5e-09 to 1\.00000005\.$"):
        require_probabilities(np.array([2.5e-09, 1.00000005]), "p")
    with pytest.raises(KneeoaError, match=r"found -1e-20 to 0\.5\."):
        require_probabilities(np.array([-1e-20, 0.5]), "p")


def test_the_ends_belong_to_the_range_and_nothing_is_nothing() -> None:
    require_probabilities(np.array([0.0, 1.0]), "p")
    require_probabilities(np.array([]), "p")

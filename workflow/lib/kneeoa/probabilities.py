"""The range of probabilities: sums that pass 1 by rounding are 1, anything else outside [0, 1] is
refused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError

ROUNDING = 1e-6
"""How far a sum of class probabilities may pass 1 by rounding. K classes stored in single precision
sum to 1 within K * 6e-8; nothing that is wrong is so near.
"""


def clip_rounding(sums: NDArray[np.float64], tolerance: float = ROUNDING) -> NDArray[np.float64]:
    """Sums of class probabilities, where those above 1 by at most ``tolerance`` are 1.

    A larger excess is not rounding: it stays as it is, for whatever takes the probabilities to
    refuse.
    """
    return np.where((sums > 1.0) & (sums <= 1.0 + tolerance), 1.0, sums)


def require_probabilities(values: NDArray[np.float64], name: str) -> None:
    """Refuse values outside [0, 1].

    Raises:
        KneeoaError: there is one; the sentence has all digits of the range, as an excess may be
            small.
    """
    if values.size and (values.min() < 0 or values.max() > 1):
        raise KneeoaError(f"{name}: expected values from 0 to 1, found {float(values.min())!r} to {float(values.max())!r}.")

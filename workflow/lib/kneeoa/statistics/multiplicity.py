"""Adjusted p-values: Holm 1979, Benjamini-Hochberg 1995, Benjamini-Yekutieli 2001."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import InvalidInput
from kneeoa.statistics.inputs import Floats


def adjust(p: ArrayLike, method: Literal["holm", "bh", "by", "none"] = "holm") -> Floats:
    """Adjusted p-values in the given order, shape ``[m]``.

    A NaN (an undefined test) is no test: it is not counted in m and comes back NaN.

    Raises:
        InvalidInput: a p outside [0, 1] or an unknown method.
    """
    if method not in ("holm", "bh", "by", "none"):
        raise InvalidInput(f"method: expected holm, bh, by or none, got '{method}'")
    values = np.asarray(p, dtype=np.float64).ravel()
    known = np.flatnonzero(~np.isnan(values))
    if np.any((values[known] < 0) | (values[known] > 1)):
        raise InvalidInput("p: expected values from 0 to 1")
    adjusted = np.full(values.size, np.nan)
    order = known[np.argsort(values[known], kind="stable")]
    ranked, ranks, m = values[order], np.arange(1, order.size + 1), order.size
    if method == "holm":
        steps = np.maximum.accumulate(ranked * (m - ranks + 1))
    elif method == "none":
        steps = ranked
    else:
        dependence = float(np.sum(1.0 / ranks)) if method == "by" else 1.0
        factors = m * dependence / ranks  # 1 at the last rank: no adjusted p below its own p by rounding
        steps = np.minimum.accumulate((ranked * factors)[::-1])[::-1]
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted

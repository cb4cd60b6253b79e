"""Adjusted p-values: Holm 1979, Benjamini-Hochberg 1995, Benjamini-Yekutieli 2001."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import InvalidInput
from kneeoa.statistics.inputs import Floats

_METHODS = {"holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}
"""The names that statsmodels gives them."""


def adjust(p: ArrayLike, method: Literal["holm", "bh", "by", "none"] = "holm") -> Floats:
    """Adjusted p-values in the given order, shape ``[m]``.

    A NaN (an undefined test) is no test: it is not counted in m and comes back NaN.

    Raises:
        InvalidInput: a p outside [0, 1] or an unknown method.
    """
    if method not in ("holm", "bh", "by", "none"):
        raise InvalidInput(f"method: expected holm, bh, by or none, got '{method}'")
    values = np.asarray(p, dtype=np.float64).ravel()
    defined = np.flatnonzero(~np.isnan(values))
    if np.any((values[defined] < 0) | (values[defined] > 1)):
        raise InvalidInput("p: expected values from 0 to 1")
    adjusted = np.full(values.size, np.nan)
    if method == "none" or not defined.size:
        adjusted[defined] = values[defined]
        return adjusted
    from statsmodels.stats.multitest import multipletests  # slow to import: only where a family is corrected

    corrected = multipletests(values[defined], method=_METHODS[method])[1]
    adjusted[defined] = np.maximum(corrected, values[defined])  # no adjusted p below its own p by rounding
    return adjusted

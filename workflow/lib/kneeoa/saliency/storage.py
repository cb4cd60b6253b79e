"""Half-precision maps with a scale each, so that neither tiny nor huge gradients are lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The largest stored value: a power of two below float16's limit (65504), so that what lies 29 octaves below it still has full precision.
_TOP = 2.0**15


def pack(values: NDArray[np.float64]) -> tuple[NDArray[np.float16], float]:
    """A non-negative map as float16 and the factor that gives it back: ``stored * scale``. A zero map has the scale one."""
    top = float(values.max(initial=0.0))
    scale = top / _TOP if top > 0 else 1.0
    return (values / scale).astype(np.float16), scale


def unpack(stored: NDArray[np.float16], scale: float) -> NDArray[np.float64]:
    """The map as it was computed, to half precision."""
    return stored.astype(np.float64) * scale

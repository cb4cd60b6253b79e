"""What a radiologist writes down about a knee: the Kellgren-Lawrence grade, read with noise, and
OARSI features.
"""

from __future__ import annotations

import numpy as np

from kneeoa.config.phantom import Reader
from kneeoa.phantom.findings import Findings

# A feature is graded 1, 2, 3 from these strengths on (OARSI atlas: mild, moderate, severe).
_FEATURE_CUTS = (0.2, 0.5, 0.8)


def true_grade(severity: float, reader: Reader) -> int:
    """The Kellgren-Lawrence grade (0 to 4) that the latent ``severity`` stands for."""
    return sum(severity >= cut for cut in reader.cuts)


def read_grade(grade: int, reader: Reader, rng: np.random.Generator) -> int:
    """The grade that the noisy reader writes for a knee of true ``grade``: one draw from that row
    of the confusion.
    """
    draw, total = rng.random(), 0.0
    for column, probability in enumerate(reader.confusion[grade]):
        total += probability
        if draw < total:
            return column
    return grade  # rounding left the sum a hair below 1


def features(seen: Findings) -> dict[str, int]:
    """OARSI grades (0 to 3) under the names of OAI's columns without the visit's prefix.

    ``XRJSM, XRJSL``: medial and lateral joint space narrowing; ``XROSFM, XROSFL, XROSTM, XROSTL``:
    osteophytes of femur and tibia.
    """
    return {
        "XRJSM": _feature(seen.medial_narrowing),
        "XRJSL": _feature(seen.lateral_narrowing),
        "XROSFM": _feature(seen.osteophyte_femur_medial),
        "XROSFL": _feature(seen.osteophyte_femur_lateral),
        "XROSTM": _feature(seen.osteophyte_tibia_medial),
        "XROSTL": _feature(seen.osteophyte_tibia_lateral),
    }


def _feature(strength: float) -> int:
    return sum(strength >= cut for cut in _FEATURE_CUTS)

"""Grade a knee as a radiologist would: the Kellgren-Lawrence grade, read with noise, and OARSI
features.
"""

from __future__ import annotations

import numpy as np

from kneeoa.config.phantom import PhantomRater
from kneeoa.phantom.findings import Findings

# A feature is graded 1, 2, 3 from these strengths on (OARSI atlas: mild, moderate, severe).
_FEATURE_CUTS = (0.2, 0.5, 0.8)


def true_grade(severity: float, rater: PhantomRater) -> int:
    """The Kellgren-Lawrence grade (0 to 4) of a latent ``severity``."""
    return sum(severity >= cut for cut in rater.cuts)


def read_grade(grade: int, rater: PhantomRater, rng: np.random.Generator) -> int:
    """Draw the grade that a noisy rater gives a knee of true ``grade``, from that row of the
    confusion matrix.
    """
    draw, total = rng.random(), 0.0
    for column, probability in enumerate(rater.confusion[grade]):
        total += probability
        if draw < total:
            return column
    return grade  # rounding left the sum just below 1


def oarsi_grades(findings: Findings) -> dict[str, int]:
    """OARSI grades (0 to 3) under the names of OAI's columns without the visit's prefix.

    ``XRJSM, XRJSL``: medial and lateral joint space narrowing; ``XROSFM, XROSFL, XROSTM, XROSTL``:
    osteophytes of femur and tibia.
    """
    return {
        "XRJSM": _feature(findings.medial_narrowing),
        "XRJSL": _feature(findings.lateral_narrowing),
        "XROSFM": _feature(findings.osteophyte_femur_medial),
        "XROSFL": _feature(findings.osteophyte_femur_lateral),
        "XROSTM": _feature(findings.osteophyte_tibia_medial),
        "XROSTL": _feature(findings.osteophyte_tibia_lateral),
    }


def _feature(strength: float) -> int:
    return sum(strength >= cut for cut in _FEATURE_CUTS)

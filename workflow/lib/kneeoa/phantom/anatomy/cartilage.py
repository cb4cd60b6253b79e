"""Thickness of the cartilage. Where it is negative there is none: the layer's surface lies under
the bone's.
"""

from __future__ import annotations

import numpy as np

from kneeoa.phantom.anatomy.knee import HALF_STANCE, Knee
from kneeoa.phantom.anatomy.solids import Field, Points, ramp

_DIVE = np.float32(2.0)
"""Depth in millimetres under the bone's surface where there is no cartilage: enough that no partial
volume of it is left.
"""


def femoral_thickness(knee: Knee, q: Points) -> Field:
    """Thickness (mm) at points of the femur's frame: on condyles and trochlea, not on the notch,
    the sides and the shaft.
    """
    above = np.float32(33) + np.float32(15) * ramp((q.y + np.float32(5)) / np.float32(30)) - q.z
    sides = np.float32(35) - np.abs(q.x)
    centre = np.maximum(np.abs(q.x) - np.float32(8), np.float32(0.6) * (q.y - np.float32(9)))
    covered = ramp(np.minimum(np.minimum(above, sides), centre) / np.float32(4))
    return _taper(knee.shape.femoral_cartilage * _remaining_share(knee, q.x), covered)


def tibial_thickness(knee: Knee, p: Points) -> Field:
    """Thickness (mm) at points of the knee's frame: an island on each compartment of the
    plateau.
    """
    radius = np.sqrt(
        np.square((np.abs(p.x) - np.float32(HALF_STANCE)) / np.float32(17)) + np.square((p.y + np.float32(3)) / np.float32(23.5))
    )
    return _taper(knee.shape.tibial_cartilage * _remaining_share(knee, p.x), ramp((np.float32(1) - radius) / np.float32(0.3)))


def patellar_thickness(knee: Knee, q: Points) -> Field:
    """Thickness (mm) at points of the patella's frame: on its back, except for the apex."""
    covered = np.minimum(np.minimum(np.float32(20) - np.abs(q.x), np.float32(-2) - q.y), np.float32(17) - np.abs(q.z - np.float32(2)))
    thickness = np.float32(knee.shape.patellar_cartilage * (1 - 0.6 * knee.findings.patellar_thinning))
    return _taper(thickness, ramp(covered / np.float32(4)))


def _remaining_share(knee: Knee, x: Field) -> Field:
    """Share of the cartilage that is left, from the medial to the lateral compartment."""
    lateral = ramp((x + np.float32(10)) / np.float32(20))
    medial_left = np.float32(knee.remaining_cartilage(knee.findings.medial_narrowing))
    lateral_left = np.float32(knee.remaining_cartilage(knee.findings.lateral_narrowing))
    return medial_left + (lateral_left - medial_left) * lateral


def _taper(thickness: Field | np.float32, covered: Field) -> Field:
    tapered: Field = thickness * covered - _DIVE * (np.float32(1) - covered)
    return tapered

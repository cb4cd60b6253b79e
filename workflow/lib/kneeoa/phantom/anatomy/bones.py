"""Femur, tibia, patella and fibula, and the thickness of their cartilage.

Numbers are millimetres of a reference adult, adjusted by eye to the proportions of real knees.

Where the thickness of cartilage is negative there is none: the layer's surface lies under the
bone's.
"""

from __future__ import annotations

import numpy as np

from kneeoa.phantom.anatomy.knee import HALF_STANCE, Knee
from kneeoa.phantom.anatomy.solids import Field, Points, Triple, bump, capsule, ellipsoid, intersection, ramp, union

_FEMUR_LOWEST = 1.5
"""Height of the condyles' lowest point in the femur's frame."""
FLEXION_AXIS = (-8.0, 22.0)
"""Anterior and superior coordinate of the axis through the condyles about which the femur flexes
(femur's frame).
"""

_DIVE = np.float32(2.0)
"""Depth in millimetres under the bone's surface where there is no cartilage: enough that no partial
volume of it is left.
"""


def femur_frame(knee: Knee, p: Points) -> Points:
    """Coordinates in the femur's frame. The femur rests on the tibia, so narrowing lowers it and
    tilts it into varus (or valgus).
    """
    slope = (knee.lateral_space - knee.medial_space) / (2 * HALF_STANCE) + float(np.radians(knee.shape.varus))
    height = (knee.lateral_space + knee.medial_space) / 2 - _FEMUR_LOWEST
    cosine, sine = np.float32(np.cos(slope)), np.float32(np.sin(slope))
    raised = p.z - np.float32(height)
    x = cosine * p.x + sine * raised
    z = cosine * raised - sine * p.x
    turn = np.radians(knee.shape.flexion)
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    y, up = p.y - np.float32(FLEXION_AXIS[0]), z - np.float32(FLEXION_AXIS[1])
    return Points(
        (x / np.float32(knee.shape.condyle_width)).astype(np.float32, copy=False),
        cosine * y - sine * up + np.float32(FLEXION_AXIS[0]),
        sine * y + cosine * up + np.float32(FLEXION_AXIS[1]),
    )


def femur(knee: Knee, q: Points) -> Field:
    """Distance to the distal femur, in its frame: two condyles of two ellipsoids each, trochlea
    with groove, notch, flaring shaft.
    """
    medial = union(ellipsoid(q, (-22.5, -14, 22), (14, 20, 20)), ellipsoid(q, (-22, 3, 22), (16, 24, 20.5)), 6)
    lateral = union(ellipsoid(q, (22.5, -13, 22), (13.5, 19.5, 20)), ellipsoid(q, (22, 6, 22), (16.5, 25, 20.5)), 6)
    trochlea = ellipsoid(q, (1, 11, 33), (34, 22, 21))
    groove = np.float32(knee.shape.groove_depth) * bump(q.x, 1, 9) * ramp((q.y - np.float32(8)) / np.float32(14))
    rise = ramp((q.z - np.float32(26)) / np.float32(52))
    wide = np.float32(36) - rise * np.float32(36 - 14.5 * knee.shape.shaft)
    deep = np.float32(21) - rise * np.float32(21 - 14 * knee.shape.shaft)
    v, w = q.x / wide, (q.y - (np.float32(3) + np.float32(4) * rise)) / deep
    shaft = intersection((np.sqrt(v * v + w * w) - np.float32(1)) * np.minimum(wide, deep), np.float32(26) - q.z, 5)
    body = union(union(medial, lateral), union(trochlea + groove, shaft, 8), 7)
    return intersection(body, -notch(knee, q), 3)


def notch(knee: Knee, q: Points) -> Field:
    """Distance to the intercondylar notch (femur's frame), the solid removed between the
    condyles.
    """
    return ellipsoid(q, (1, -20, 12), (knee.shape.notch_width, 26, 21))


def plateau(knee: Knee, p: Points) -> Field:
    """Height (mm) of the bony tibial plateau: dished compartments, spines, posterior slope."""
    spines = np.float32(8) * (bump(p.x, -5.5, 4) + np.float32(0.85) * bump(p.x, 6, 4)) * bump(p.y, -1, 11)
    dish = np.float32(knee.shape.plateau_depth) * bump(p.x, -HALF_STANCE, 14) * bump(p.y, -2, 18)
    valley = np.float32(2.5) * bump(p.x, 0, 8) * (np.float32(1) - bump(p.y, -2, 16))
    height: Field = np.float32(knee.shape.plateau_slope) * p.y + spines - dish + np.float32(0.6) - valley
    return height


def tibia_column(knee: Knee, p: Points) -> Field:
    """Distance to the tibia without its top surface: a kidney-shaped head that tapers to the shaft,
    and the tuberosity.
    """
    fall = ramp((-p.z - np.float32(3)) / np.float32(58))
    wide = np.float32(39) - fall * np.float32(39 - 15.5 * knee.shape.shaft)
    deep = np.float32(25.5) - fall * np.float32(25.5 - 14.5 * knee.shape.shaft)
    v = np.abs(p.x) / wide
    w = np.abs(p.y - (np.float32(-4) + fall * np.float32(3))) / deep
    # A superellipse (exponent 2.6 near 2.5, which needs only square roots) is squarer than an
    # ellipse, as the head is.
    section = np.power(v * v * np.sqrt(v) + w * w * np.sqrt(w), np.float32(0.4)) - np.float32(1)
    column = section * np.minimum(wide, deep)
    column = column + np.float32(4) * bump(p.x, 0, 8) * bump(p.y, -29, 8)
    tuberosity = ellipsoid(p, (3, 14, -36), (9, 10, 15))
    return union(column, tuberosity, 6)


def tibia(knee: Knee, p: Points) -> Field:
    """Distance to the proximal tibia."""
    return intersection(p.z - plateau(knee, p), tibia_column(knee, p), 4)


def patella_frame(knee: Knee, p: Points) -> Points:
    """Coordinates in the patella's frame, origin in its middle; thinner cartilage moves it towards
    the trochlea.
    """
    size = np.float32(1 / knee.shape.patella_size)
    worn = 0.6 * knee.findings.patellar_thinning * (knee.shape.patellar_cartilage + knee.shape.femoral_cartilage) * 0.6
    height = knee.shape.patella_height + (knee.medial_space + knee.lateral_space) / 2 - 5
    return Points(
        (p.x - np.float32(knee.shape.patella_shift)) * size,
        (p.y - np.float32(44.8 - worn)) * size,
        (p.z - np.float32(height)) * size,
    )


def patella(q: Points) -> Field:
    """Distance to the patella, in its frame: a lens with a keel behind and an apex below."""
    narrow = np.float32(1) + np.float32(0.35) * ramp((-q.z - np.float32(4)) / np.float32(18))
    lens = ellipsoid(Points(q.x * narrow, q.y, q.z), (0, 0, 0), (22.5, 11.5, 22.5))
    facets = (-q.y - np.float32(8.2) + np.float32(0.28) * np.abs(q.x - np.float32(-2))) * np.float32(0.96)
    return intersection(lens, facets, 3)


def fibula(p: Points) -> Field:
    """Distance to the head and neck of the fibula."""
    return union(ellipsoid(p, (37, -22, -26), (8.5, 9.5, 12)), capsule(p, (37, -22, -30), (38, -21, -140), 5.5), 5)


def spurs(p: Points, places: tuple[tuple[Triple, Triple], ...], strengths: tuple[float, ...], bone: Field) -> Field:
    """Add osteophytes (ellipsoids at ``places``: centre, full radii) to ``bone``, each with its
    strength in [0, 1].
    """
    grown = bone
    for (centre, radii), strength in zip(places, strengths, strict=True):
        if strength > 0.08:  # smaller than a voxel of any scanner
            size = strength**0.7
            grown = union(grown, ellipsoid(p, centre, (radii[0] * size, radii[1] * size, radii[2] * size)), 2.5)
    return grown


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

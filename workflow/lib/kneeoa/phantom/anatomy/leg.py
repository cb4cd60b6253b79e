"""Tissues around the joint: skin, fat, muscles, tendons, ligaments, vessels, synovium and fluid."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from kneeoa.phantom.anatomy.knee import Knee
from kneeoa.phantom.anatomy.layers import JOINT, Label, Layer, Part, Tissue
from kneeoa.phantom.anatomy.solids import Box, Field, Points, Triple, bump, capsule, ellipsoid, ramp, union

_FAR = 200.0
_MARGIN = 4.0
"""Millimetres beyond a solid's surface within which its blur, and the fat around a muscle belly,
end.
"""
_LARGEST_MUSCLE, _HIGHEST_LIFT = 1.4, 15.0
"""Largest scale of a muscle, and largest lift of the kneecap (mm), at the most variation."""

# Centre and radii (mm): heads of the calf, hamstrings, vasti, muscles of the shin.
_MUSCLES: tuple[tuple[Triple, Triple], ...] = (
    ((-20, -46, -38), (22, 21, 66)),
    ((21, -45, -40), (21, 20, 64)),
    ((0, -34, -66), (34, 20, 44)),
    ((-33, -40, 58), (19, 24, 66)),
    ((-11, -54, 70), (21, 19, 52)),
    ((33, -38, 62), (16, 24, 62)),
    ((0, -22, 100), (40, 19, 50)),
    ((-34, 22, 80), (22, 26, 46)),
    ((33, 24, 92), (22, 24, 48)),
    ((0, 32, 112), (32, 17, 44)),
    ((28, 4, -78), (17, 22, 58)),
)
# Start, end, radius, flattening of tendons and ligaments.
_BANDS: tuple[tuple[Triple, Triple, float, Triple], ...] = (
    ((0, 49, 52), (0, 46, 130), 4.2, (0.35, 1.0, 1.0)),
    ((0, 47, 16), (3, 26, -38), 3.2, (0.3, 1.0, 1.0)),
    ((6, -16, 24), (-3, 10, 5), 4.0, (1.0, 1.0, 1.0)),
    ((-5, -2, 17), (1, -27, -6), 4.8, (1.0, 1.0, 1.0)),
    ((-41, 0, 26), (-36, 4, -45), 1.6, (1.0, 0.25, 1.0)),
    ((42, -4, 24), (41, -20, -22), 1.8, (1.0, 0.6, 1.0)),
    ((-40, -46, 90), (-36, -38, -20), 3.0, (1.0, 1.0, 1.0)),
)
_VESSELS: tuple[tuple[Triple, Triple, float], ...] = (
    ((9, -36, 130), (3, -44, -10), 2.6),
    ((3, -44, -10), (5, -34, -120), 2.4),
    ((4, -46, 130), (8, -50, -90), 3.0),
    ((-48, -34, 130), (-46, -22, -130), 1.8),
)


def leg(knee: Knee, p: Points) -> Iterator[Layer]:
    """Skin and the fat under it; the deep fat fills everything that has no other tissue."""
    skin = _outline(knee, p)
    yield Layer(Label.SKIN, Tissue.SKIN, skin)
    yield Layer(Label.FAT, Tissue.FAT, skin + np.float32(1.6))


def muscle(knee: Knee, p: Points, centre: Triple, radii: Triple) -> Iterator[Layer]:
    """One muscle belly under the subcutaneous fat, with a layer of fat around it."""
    grown = knee.shape.muscle
    under = _outline(knee, p) + np.float32(1.6 + knee.shape.fat)
    belly = ellipsoid(p, centre, (radii[0] * grown, radii[1] * grown, radii[2] * grown))
    yield Layer(Label.FAT, Tissue.FAT, np.maximum(belly - np.float32(0.9), under))
    yield Layer(Label.MUSCLE, Tissue.MUSCLE, np.maximum(belly, under))


def tendon(knee: Knee, p: Points, start: Triple, end: Triple, radius: float, flat: Triple) -> Iterator[Layer]:
    """A tendon or ligament; those at the kneecap follow its height."""
    lift = knee.shape.patella_height - 33
    moved = (start[0], start[1], start[2] + (lift if start[1] > 40 else 0.0))
    yield Layer(Label.TENDON, Tissue.TENDON, capsule(p, moved, end, radius, flat))


def vessel(_: Knee, p: Points, start: Triple, end: Triple, radius: float) -> Iterator[Layer]:
    """An artery or vein."""
    yield Layer(Label.VESSEL, Tissue.VESSEL, capsule(p, start, end, radius))


def _around(*points: Triple, reach: Triple) -> Box:
    """A box that holds what lies within ``reach`` of ``points`` and the blur at its surface."""
    low = [min(values) - away - _MARGIN for values, away in zip(zip(*points, strict=True), reach, strict=True)]
    high = [max(values) + away + _MARGIN for values, away in zip(zip(*points, strict=True), reach, strict=True)]
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _muscle_part(centre: Triple, radii: Triple) -> Part:
    reach = (radii[0] * _LARGEST_MUSCLE, radii[1] * _LARGEST_MUSCLE, radii[2] * _LARGEST_MUSCLE)
    return Part(_around(centre, reach=reach), partial(muscle, centre=centre, radii=radii))


def _tendon_part(start: Triple, end: Triple, radius: float, flat: Triple) -> Part:
    reach = (radius / flat[0], radius / flat[1], radius / flat[2] + (_HIGHEST_LIFT if start[1] > 40 else 0.0))
    return Part(_around(start, end, reach=reach), partial(tendon, start=start, end=end, radius=radius, flat=flat))


def _vessel_part(start: Triple, end: Triple, radius: float) -> Part:
    return Part(_around(start, end, reach=(radius, radius, radius)), partial(vessel, start=start, end=end, radius=radius))


def synovium(knee: Knee, p: Points) -> Iterator[Layer]:
    """Synovium between the joint surfaces, and fluid in the suprapatellar pouch, the gutters and
    the back of the joint.
    """
    yield Layer(Label.SYNOVIUM, Tissue.SYNOVIUM, ellipsoid(p, (0, -3, 4), (39, 28, 8)))
    yield Layer(Label.SYNOVIUM, Tissue.SYNOVIUM, ellipsoid(p, (1, -12, 14), (10, 17, 14)))
    amount = knee.shape.fluid + knee.findings.effusion
    thick = 0.4 + 6.0 * amount
    pouch = ellipsoid(p, (0, 35 + 0.3 * thick, 62), (16 + 10 * amount, thick, 14 + 10 * amount))
    gutters = [ellipsoid(p, (side * 33, 22, 36), (0.5 + 6 * amount, 6 + 8 * amount, 8 + 8 * amount)) for side in (-1.0, 1.0)]
    back = ellipsoid(p, (-12, -37, 10), (6 + 9 * amount, 0.3 + 4.5 * amount, 5 + 8 * amount))
    film = ellipsoid(p, (0, 33, 34), (20, 0.8 + 4.5 * amount, 18 + 6 * amount))
    for fluid in (pouch, *gutters, back, film):
        yield Layer(Label.FLUID, Tissue.FLUID, fluid)


def _outline(knee: Knee, p: Points) -> Field:
    """Distance to the skin: an oval that follows calf, thigh and kneecap."""
    girth = np.float32(knee.shape.girth)
    calf = bump(p.z, -75, 55)
    thigh = ramp((p.z - np.float32(5)) / np.float32(110))
    wide = girth * (np.float32(52) + np.float32(3) * calf + np.float32(12) * thigh) + np.float32(knee.shape.fat)
    deep = girth * (np.float32(56) + np.float32(8) * calf + np.float32(12) * thigh) + np.float32(knee.shape.fat)
    middle = np.float32(-6) - np.float32(9) * calf + np.float32(4) * bump(p.z, 34, 26)
    v, w = p.x / wide, (p.y - middle) / deep
    oval = (np.sqrt(v * v + w * w) - np.float32(1)) * np.minimum(wide, deep)
    thick = 0.5 * knee.shape.fat
    kneecap = ellipsoid(p, (knee.shape.patella_shift, 38, knee.shape.patella_height), (33 + thick, 24 + thick, 36 + thick))
    return union(oval, kneecap, 18)


LEG: tuple[Part, ...] = (
    Part(Box((-_FAR, -_FAR, -_FAR), (_FAR, _FAR, _FAR)), leg),
    *(_muscle_part(*each) for each in _MUSCLES),
    Part(Box((-46, -46, -16), (46, 54, 92)), synovium),
    *(_tendon_part(*each) for each in _BANDS),
    *(_vessel_part(*each) for each in _VESSELS),
    *JOINT,
)
"""The whole leg, back to front."""

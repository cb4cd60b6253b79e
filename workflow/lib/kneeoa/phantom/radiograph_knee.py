"""Thickness of soft tissue, bone and metal that X-rays pass in one knee, from its bones'
silhouettes in the frontal plane.

Coordinates are millimetres from the joint's centre: ``x`` towards the other leg (medial), ``y``
towards the foot. The centre is the middle of the joint space, half way between the two edges of the
tibial plateau.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.masks.surfaces import bounding_box

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_USUAL_WIDTH = 76.0
"""Width (mm) of the tibial plateau that the tables below are drawn for."""
# Half widths (mm) of the long bones at heights y (mm), at the usual size.
_FEMUR = ((-140.0, -60.0, -40.0, -24.0, -10.0), (15.0, 17.0, 26.0, 36.0, 38.0))
_TIBIA = ((0.0, 6.0, 20.0, 45.0, 140.0), (38.0, 38.5, 32.0, 20.0, 14.0))
_LEG = ((-140.0, -60.0, 0.0, 60.0, 140.0), (74.0, 64.0, 56.0, 54.0, 50.0))
_CORTEX = 1.1
"""Millimetres over which the dense shell of a bone turns into its spongy inside."""
_SHELL, _SPONGY = 5.5, 0.22
"""Compact bone (mm) in the shell seen edge on, and its share of a bone's inside."""
_PLATE = 4.0
"""Compact bone (mm) in the tibial plate, more than around it."""
_ROUND = 22.0
"""Depth (mm) below a bone's outline at which it reaches its full thickness."""
_COMPARTMENT = (16.0, 33.0)
"""Distance (mm) from the knee's middle between which the joint space of a compartment is labelled,
at the usual size: where condyle and plateau face each other, beside the spines.
"""

FEMUR, TIBIA, MEDIAL_SPACE, LATERAL_SPACE = 1, 2, 3, 4
"""Labels of the masks."""


@dataclass(frozen=True)
class KneeShape:
    """Shape of a knee on a radiograph.

    Attributes:
        width: of the tibial plateau, mm.
        gaps: joint space (mm), medial and lateral.
        osteophytes: radius (mm) of the spurs at the joint's margins: medial and lateral of the
            femur, medial and lateral of the tibia.
        sclerosis: how much denser the bone beside the medial joint space is (0: not).
        patella: height (mm) of the patella's middle above the joint.
        implant: a total knee replacement instead of the joint's surfaces.
    """

    width: float = _USUAL_WIDTH
    gaps: tuple[float, float] = (4.5, 5.0)
    osteophytes: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    sclerosis: float = 0.0
    patella: float = 30.0
    implant: bool = False

    @property
    def scale(self) -> float:
        """Size relative to the usual knee."""
        return self.width / _USUAL_WIDTH


def knee_of_severity(width: float, severity: float, patella: float = 30.0, implant: bool = False) -> KneeShape:
    """Shape of a knee of latent severity in [0, 1]: narrower medial space, spurs, denser bone."""
    gaps = (4.8 * (1.0 - severity) + 0.3, 5.2 - 1.2 * severity)
    spur = 6.0 * severity
    return KneeShape(width, gaps, (spur, spur, spur, spur), severity, patella, implant)


def leg_thickness(x: Floats, y: Floats, shape: KneeShape) -> Floats:
    """Soft tissue (mm) along the beam; zero in the air beside the leg."""
    half = np.interp(y / shape.scale, *_LEG) * shape.scale
    return 1.9 * half * np.sqrt(np.clip(1.0 - (x / half) ** 2, 0.0, None))


def bone_thickness(x: Floats, y: Floats, shape: KneeShape, pixel: float) -> Floats:
    """Compact bone (mm) along the beam, on a grid of ``pixel`` millimetres."""
    total = np.zeros(x.shape)
    for outline, density in ((_femur, 1.0), (_tibia, 1.0), (_fibula, 0.8), (_patella, 0.45)):
        silhouette = outline(x, y, shape)
        box = bounding_box(silhouette)
        if box is None:
            continue
        # With a margin of what is no bone, as depth is the distance to it.
        box = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in box)
        inside = silhouette[box]
        depth = ndimage.distance_transform_edt(inside) * pixel
        inner = np.minimum(depth, _ROUND)
        shell = _SHELL * np.exp(-depth / _CORTEX) * inside
        total[box] += density * (_SPONGY * np.sqrt(_ROUND**2 - (_ROUND - inner) ** 2) + shell)
        if outline is _tibia:
            # The plate that carries the tibial cartilage is denser than the bone below it.
            across, down = x[box], y[box]
            plate = np.exp(-(((down - _gap(across, shape) / 2 - 2.5) / 2.5) ** 2)) * inside * (np.abs(across) > 0.12 * shape.width)
            total[box] += _PLATE * plate
    beside = np.exp(-(((x - 0.27 * shape.width) / (0.2 * shape.width)) ** 2) - (y / 7.0) ** 2)
    return np.asarray(total * (1.0 + 0.6 * shape.sclerosis * beside))


def knee_labels(x: Floats, y: Floats, shape: KneeShape) -> NDArray[np.uint8]:
    """Label map of one knee: femur, tibia, medial and lateral joint space, by the outlines that
    :func:`bone_thickness` projects.
    """
    femur, tibia = _femur(x, y, shape), _tibia(x, y, shape)
    k = shape.scale
    away = np.abs(x) / k
    near, far = _COMPARTMENT
    space = (away > near) & (away < far) & (y < _plateau(x, shape)) & (y > _condyles(x, shape)) & ~femur & ~tibia
    labels = np.where(space, np.where(x > 0, np.uint8(MEDIAL_SPACE), np.uint8(LATERAL_SPACE)), np.uint8(0))
    labels[femur] = FEMUR
    labels[tibia] = TIBIA
    return np.asarray(labels, dtype=np.uint8)


def joint_space_width(away: float, shape: KneeShape, medial: bool) -> float:
    """Joint space (mm) of a compartment, ``away`` millimetres from the knee's middle."""
    x = np.array([away if medial else -away])
    return float((_plateau(x, shape) - _condyles(x, shape))[0])


def metal_thickness(x: Floats, y: Floats, shape: KneeShape) -> Floats:
    """Metal (mm) along the beam: a femoral shell and a tibial tray with its stem, where the knee
    has an implant.
    """
    if not shape.implant:
        return np.zeros(x.shape)
    k = shape.scale
    shell = _femur(x, y, shape) & (y > -14.0 * k)
    tray = (np.abs(x) < 36.0 * k) & (np.abs(y - 7.0) < 2.5)
    stem = (np.abs(x) < 6.0) & (y > 5.0) & (y < 45.0 * k)
    return np.where(shell | tray | stem, 12.0, 0.0)


def _gap(x: Floats, shape: KneeShape) -> Floats:
    """Joint space (mm) at ``x``, lateral to medial."""
    return np.asarray(np.interp(x, [-10.0, 10.0], [shape.gaps[1], shape.gaps[0]]), dtype=np.float64)


def _with_spurs(outline: Mask, x: Floats, y: Floats, shape: KneeShape, side: float, radii: tuple[float, float]) -> Mask:
    """A bone's outline with its medial and lateral osteophyte, above the joint (``side`` -1) or
    below it (1).
    """
    for direction, radius, gap in zip((1.0, -1.0), radii, shape.gaps, strict=True):
        if radius > 0:
            edge = direction * (0.49 * shape.width - 0.4 * radius)
            # Condyles are round: their margin lies higher above the joint than the plateau's
            # below it.
            height = 3.0 + radius if side > 0 else -8.0 * shape.scale - gap / 2
            outline |= (x - edge) ** 2 + (y - height) ** 2 < radius**2
    return outline


def _condyles(x: Floats, shape: KneeShape) -> Floats:
    """Height of the femoral condyles' lowest points at ``x``."""
    k = shape.scale
    bend = np.minimum(np.abs((np.abs(x) - 20.0 * k) / (18.0 * k)), 1.0)
    return np.asarray(19.0 * k * (np.cbrt(1.0 - bend * bend * bend) - 1.0) - _gap(x, shape) / 2)


def _plateau(x: Floats, shape: KneeShape) -> Floats:
    """Height of the tibial plateau with its spines at ``x``."""
    k = shape.scale
    eminence = 7.0 * k * np.exp(-((x / (11.0 * k)) ** 2))
    spines = eminence + 3.0 * k * np.clip(1.0 - np.abs(np.abs(x) - 5.0 * k) / (4.0 * k), 0.0, None)
    return np.asarray(_gap(x, shape) / 2 - spines)


def _femur(x: Floats, y: Floats, shape: KneeShape) -> Mask:
    k = shape.scale
    lift = y + _gap(x, shape) / 2
    away = np.abs(x)
    shaft = (away < np.interp(lift / k, *_FEMUR) * k) & (lift < -17.0 * k)
    across, down = np.abs((away - 20.0 * k) / (18.0 * k)), np.abs((lift + 19.0 * k) / (19.0 * k))
    condyles = across * across * across + down * down * down < 1.0
    notch = (x / (14.0 * k)) ** 2 + ((lift + 1.0) / (15.0 * k)) ** 2 < 1.0
    outline: Mask = (shaft | condyles) & ~notch
    return _with_spurs(outline, x, y, shape, -1.0, shape.osteophytes[:2])


def _tibia(x: Floats, y: Floats, shape: KneeShape) -> Mask:
    k = shape.scale
    outline: Mask = (y > _plateau(x, shape)) & (np.abs(x) < np.interp(y / k, *_TIBIA) * k)
    return _with_spurs(outline, x, y, shape, 1.0, shape.osteophytes[2:])


def _fibula(x: Floats, y: Floats, shape: KneeShape) -> Mask:
    k = shape.scale
    head = np.hypot((x + 35.0 * k) / (8.5 * k), (y - 18.0 * k) / (8.0 * k)) < 1.0
    return head | ((np.abs(x + 33.0 * k - 0.04 * y) < 5.5 * k) & (y > 18.0 * k))


def _patella(x: Floats, y: Floats, shape: KneeShape) -> Mask:
    return np.hypot((x - 2.0) / (20.0 * shape.scale), (y + shape.patella) / (21.0 * shape.scale)) < 1.0

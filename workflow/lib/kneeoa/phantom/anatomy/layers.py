"""Tissues of a knee, and the solids of the joint in painting order, each with its label and its
tissue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from kneeoa.phantom.anatomy import bones
from kneeoa.phantom.anatomy.bones import femoral_thickness, patellar_thickness, tibial_thickness
from kneeoa.phantom.anatomy.knee import HALF_STANCE, Knee
from kneeoa.phantom.anatomy.solids import Box, Field, Points, Triple, ellipsoid, intersection

_CORTEX = np.float32(1.1)
"""Thickness of cortical and subchondral bone (mm)."""

_FEMUR_SPURS: tuple[tuple[Triple, Triple], ...] = (
    ((-36, 8, 7), (6.5, 9, 5.5)),
    ((-33, -24, 20), (5, 6, 7)),
    ((36, 9, 7), (6.5, 9, 5.5)),
    ((24, 24, 40), (7, 6, 6)),
)
_TIBIA_SPURS: tuple[tuple[Triple, Triple], ...] = (
    ((-40, -3, -3), (7, 12, 4.5)),
    ((-22, -28, -3), (9, 5, 4)),
    ((40, -3, -3), (7, 12, 4.5)),
    ((22, 20, -3), (9, 5, 4)),
)
_PATELLA_SPURS: tuple[tuple[Triple, Triple], ...] = (((0, -4, 21), (8, 5, 5)), ((0, -4, -21), (7, 5, 5)))


class Label(IntEnum):
    """Values of a label map. Masks on disk hold 1 to 6 (OAI-ZIB's four, then the patella)."""

    AIR = 0
    FEMUR = 1
    FEMORAL_CARTILAGE = 2
    TIBIA = 3
    TIBIAL_CARTILAGE = 4
    PATELLA = 5
    PATELLAR_CARTILAGE = 6
    MENISCUS = 7
    FLUID = 8
    MARROW_LESION = 9
    OSTEOPHYTE = 10
    FIBULA = 11
    SKIN = 12
    FAT = 13
    MUSCLE = 14
    TENDON = 15
    VESSEL = 16
    SYNOVIUM = 17


WRITTEN = (
    Label.FEMUR,
    Label.FEMORAL_CARTILAGE,
    Label.TIBIA,
    Label.TIBIAL_CARTILAGE,
    Label.PATELLA,
    Label.PATELLAR_CARTILAGE,
)


class Tissue(IntEnum):
    """Tissues with a signal of their own; finer than labels, as a bone has cortex and marrow."""

    AIR = 0
    CORTEX = 1
    MARROW = 2
    CARTILAGE = 3
    MENISCUS = 4
    FLUID = 5
    MARROW_LESION = 6
    SKIN = 7
    FAT = 8
    MUSCLE = 9
    TENDON = 10
    VESSEL = 11
    SYNOVIUM = 12


class Layer(NamedTuple):
    """A solid to paint, with ``distance`` < 0 inside. A layer without a label changes the signal
    only, one without a tissue the label only.

    ``finding`` marks labels (lesions, osteophytes) that lie inside a bone and are left out of a
    plain label map.
    """

    label: Label | None
    tissue: Tissue | None
    distance: Field
    finding: bool = False


class Part(NamedTuple):
    """Layers within one box, so that the rest of the grid need not be computed."""

    box: Box
    layers: Callable[[Knee, Points], Iterator[Layer]]


def menisci(knee: Knee, p: Points) -> Iterator[Layer]:
    """The menisci: two wedges between the rims of the compartments, which narrowing pushes out of
    the joint.
    """
    floor = bones.plateau(knee, p)
    for side, narrowing in ((-1.0, knee.findings.medial_narrowing), (1.0, knee.findings.lateral_narrowing)):
        out = np.float32(side * (HALF_STANCE + 4.5 * narrowing))
        deep = np.float32(23.5 if side < 0 else 21.0)
        radius = np.sqrt(np.square((p.x - out) / np.float32(18.5)) + np.square((p.y + np.float32(3)) / deep))
        # Height grows from the inner edge (radius 0.55) to the rim (1): a wedge.
        height = (radius - np.float32(0.52)) * np.float32(16 * (1 - 0.45 * narrowing))
        wedge = np.maximum(np.float32(12) * (radius - np.float32(1)), p.z - floor - height)
        open_inside = np.float32(6) - p.x * np.float32(side)  # the horns end before the spines
        yield Layer(Label.MENISCUS, Tissue.MENISCUS, np.maximum(np.maximum(wedge, open_inside), floor - p.z))


def femur(knee: Knee, p: Points) -> Iterator[Layer]:
    """Femoral cartilage, then the bone over it, its lesions and osteophytes."""
    q = bones.femur_frame(knee, p)
    plain = bones.femur(knee, q)
    findings = knee.findings
    yield Layer(Label.FEMORAL_CARTILAGE, Tissue.CARTILAGE, plain - femoral_thickness(knee, q))
    medial, lateral = findings.osteophyte_femur_medial, findings.osteophyte_femur_lateral
    bone = bones.spurs(q, _FEMUR_SPURS, (medial, 0.8 * medial, lateral, 0.8 * lateral), plain)
    place = np.random.default_rng(knee.lesion_seed)
    spots = [((-22 + place.normal(0, 3), place.normal(-2, 7), 6.0), findings.marrow_lesion * place.uniform(5, 11))]
    spots.append(((22 + place.normal(0, 3), place.normal(0, 7), 6.0), findings.marrow_lesion * findings.lateral_narrowing * 9))
    yield from _bone(Label.FEMUR, q, bone, plain, spots)


def tibia(knee: Knee, p: Points) -> Iterator[Layer]:
    """Tibial cartilage, then the bone over it, its lesions and osteophytes."""
    top = p.z - bones.plateau(knee, p)
    column = bones.tibia_column(knee, p)
    plain = intersection(top, column, 4)
    findings = knee.findings
    yield Layer(Label.TIBIAL_CARTILAGE, Tissue.CARTILAGE, np.maximum(top - tibial_thickness(knee, p), column + np.float32(1)))
    medial, lateral = findings.osteophyte_tibia_medial, findings.osteophyte_tibia_lateral
    bone = bones.spurs(p, _TIBIA_SPURS, (medial, 0.8 * medial, lateral, 0.8 * lateral), plain)
    place = np.random.default_rng(knee.lesion_seed + 1)
    spots = [((-24 + place.normal(0, 3), place.normal(-2, 6), -5.0), findings.marrow_lesion * place.uniform(5, 11))]
    spots.append(((22 + place.normal(0, 3), place.normal(-2, 6), -5.0), findings.marrow_lesion * findings.lateral_narrowing * 9))
    yield from _bone(Label.TIBIA, p, bone, plain, spots)


def patella(knee: Knee, p: Points) -> Iterator[Layer]:
    """Patellar cartilage, then the bone over it and its osteophytes."""
    q = bones.patella_frame(knee, p)
    plain = bones.patella(q)
    worn = knee.findings.patellar_thinning
    yield Layer(Label.PATELLAR_CARTILAGE, Tissue.CARTILAGE, plain - patellar_thickness(knee, q))
    yield from _bone(Label.PATELLA, q, bones.spurs(q, _PATELLA_SPURS, (worn, worn), plain), plain, [])


def fibula(_: Knee, p: Points) -> Iterator[Layer]:
    """The fibula."""
    bone = bones.fibula(p)
    yield from _bone(Label.FIBULA, p, bone, bone, [])


def _bone(label: Label, p: Points, bone: Field, plain: Field, spots: list[tuple[Triple, float]]) -> Iterator[Layer]:
    """Layers of a bone: cortex, marrow, marrow lesions, and as osteophytes what ``bone`` has beyond
    ``plain``.
    """
    yield Layer(label, Tissue.CORTEX, bone)
    yield Layer(None, Tissue.MARROW, bone + _CORTEX)
    for centre, radius in spots:
        if radius > 1:
            lesion = ellipsoid(p, centre, (radius, 1.2 * radius, 0.9 * radius))
            yield Layer(Label.MARROW_LESION, Tissue.MARROW_LESION, np.maximum(lesion, bone + _CORTEX), finding=True)
    if bone is not plain:
        yield Layer(Label.OSTEOPHYTE, None, np.maximum(bone, -plain), finding=True)


JOINT: tuple[Part, ...] = (
    Part(Box((26, -36, -150), (48, -8, -12)), fibula),
    Part(Box((-48, -32, -4), (48, 26, 14)), menisci),
    Part(Box((-48, -46, -4), (48, 42, 150)), femur),
    Part(Box((-50, -36, -150), (50, 34, 16)), tibia),
    Part(Box((-28, 26, 2), (30, 62, 66)), patella),
)
"""Bones, cartilage and menisci, back to front: all that a label map of the joint needs."""

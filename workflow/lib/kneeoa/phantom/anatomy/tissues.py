"""Tissues of a knee, and their values in label maps."""

from __future__ import annotations

from enum import IntEnum


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

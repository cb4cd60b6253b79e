"""Classify pictures by DICOM's ImageType, so that a map, a phase image or a fat image never
replaces the requested image.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Literal

import pydicom

from kneeoa.config.volumes import ImageType

Kind = Literal["original", "derived", "localizer"]

DEFAULT_TYPES: tuple[ImageType, ...] = ("magnitude", "water", "fat", "in_phase", "opposed_phase")
"""Types that may be meant where a view names none; the others do not show anatomy as a person reads
it.
"""
_LOCALIZER = frozenset({"LOCALIZER", "LOCALISER", "SCOUT", "SURVEY"})
_DERIVED = frozenset({"DERIVED", "MPR", "REFORMATTED", "RESAMPLED", "PROJECTION_IMAGE", "PROJECTION", "MIP", "MINIP", "CPR"})
# Made of several pictures of one place (PS3.3 C.8.16.2.1.4, and what scanners write): all echoes
# averaged.
_COMBINED = frozenset({"MEAN", "RMS", "AVERAGE", "SUM", "ADDITION", "MAXIMUM", "MINIMUM", "MAX_IP", "MIN_IP"})
_MAP_WORD = re.compile(r"(?!PHASE).*MAP(_|$)")
# Words of each type, as Philips, Siemens, GE, Canon and the standard write them; blanks and hyphens
# are underscores. The first type that has one of a picture's words is its type.
_WORDS_OF_TYPES: dict[ImageType, frozenset[str]] = {
    "map": frozenset(
        {
            "ADC", "EADC", "B0", "B1", "R1", "R2", "R2*", "R2_STAR", "R2STAR", "T1RHO", "FF", "FAT_FRACTION", "WATER_FRACTION", "PDFF",
            "QUANTITY", "STD_DEVIATION", "DIVISION", "MULTIPLICATION",
        }
    ),
    "subtraction": frozenset({"SUB", "SUBTRACT", "SUBTRACTED", "SUBTRACTION"}),
    "phase": frozenset({"P", "PHA", "PHASE", "PHASE_MAP", "PHASEMAP", "P_FFE", "P_SE", "P_IR", "P_PCA", "VELOCITY"}),
    "real": frozenset({"R", "REAL", "R_FFE", "R_SE", "R_IR"}),
    "imaginary": frozenset({"I", "IMAGINARY", "IMAG", "I_FFE", "I_SE", "I_IR"}),
    "water": frozenset({"W", "WATER", "WATER_ONLY"}),
    "fat": frozenset({"F", "FAT", "FAT_ONLY"}),
    "in_phase": frozenset({"IP", "IN_PHASE", "INPHASE"}),
    "opposed_phase": frozenset(
        {"OP", "OPP", "OPP_PHASE", "OPPOSED_PHASE", "OPPOSEDPHASE", "OUT_PHASE", "OUTPHASE", "OUT_OF_PHASE", "OUTOFPHASE"}
    ),
}  # fmt: skip
_DIXON: tuple[ImageType, ...] = ("water", "fat", "in_phase", "opposed_phase")
_MAGNITUDE = frozenset({"M", "MAG", "MAGNITUDE", "M_FFE", "M_SE", "M_IR", "M_PCA"})
# As the third value these say how an image is weighted; as the fourth, what a map measures
# (PS3.3 C.8.16.2.1.4).
_MEASURED = frozenset({"T1", "T2", "T2*", "T2_STAR", "T2STAR"})


GE_COMPONENT_TAGS = ("00430010", "0043102F")
"""GE's private block of parameters, and the element of it that numbers the parts of a complex
image: their ImageType says nothing of them.
"""
_GE_COMPONENTS = ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")


def ge_component(dataset: pydicom.Dataset) -> str:
    """The part of a complex image that a file of GE's holds, in the words of
    ComplexImageComponent; empty where it does not say.
    """
    creator, number = (dataset.get(int(tag, 16)) for tag in GE_COMPONENT_TAGS)
    if creator is None or number is None or str(creator.value).strip() != "GEMS_PARM_01":
        return ""
    value = number.value
    # Where neither the file nor the dictionary gives its type, these are the bytes of a number.
    index = int.from_bytes(value[:2], "little") if isinstance(value, bytes) else value
    return _GE_COMPONENTS[index] if isinstance(index, int) and 0 <= index < len(_GE_COMPONENTS) else ""


@cache
def kind_and_image_type(words: tuple[str, ...], component: str = "") -> tuple[Kind, ImageType]:
    """The kind (original, derived, localizer) and the image type of a picture.

    Args:
        words: values of ImageType (or of an enhanced file's FrameType), in upper case.
        component: ComplexImageComponent of an enhanced file, in upper case.
    """
    normalised = [re.sub(r"[\s\-]+", "_", word) for word in words]
    image_type = _image_type(normalised[2:], component)
    distinct = set(normalised)
    if image_type in _DIXON:  # calculated from echoes, but the main images of a Dixon scan
        distinct.discard("DERIVED")
    if _LOCALIZER & distinct:
        return "localizer", image_type
    return "derived" if (_DERIVED | _COMBINED) & distinct else "original", image_type


def _image_type(words: Sequence[str], component: str) -> ImageType:
    given = frozenset(words)
    if any(_MAP_WORD.match(word) for word in words) or (frozenset(words[1:]) & _MEASURED and not given & _MAGNITUDE):
        return "map"
    for image_type, names in _WORDS_OF_TYPES.items():
        if names & given:
            return image_type
    parts: tuple[ImageType, ...] = ("phase", "real", "imaginary")
    return next((part for part in parts if part.upper() == component), "magnitude")

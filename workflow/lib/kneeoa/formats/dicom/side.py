"""Read the side that a DICOM header claims to show: by laterality, by the anatomy's modifier, and
by words in its descriptions. Nothing else of its text is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pydicom

from kneeoa.formats.header_claims import Claims
from kneeoa.formats.side_words import SIDE_OF_WORD, side_of_text

_LATERALITY_TAGS = ("ImageLaterality", "Laterality", "FrameLaterality")
_ANATOMY_TAGS = {
    "AnatomicRegionSequence": "AnatomicRegionModifierSequence",
    "PrimaryAnatomicStructureSequence": "PrimaryAnatomicStructureModifierSequence",
}
_SERIES_TAGS = ("SeriesDescription",)
_STUDY_TAGS = (
    "ProtocolName", "BodyPartExamined", "AcquisitionDeviceProcessingDescription", "PerformedProcedureStepDescription",
    "RequestedProcedureDescription", "StudyDescription",
)  # fmt: skip
_REQUEST_TAGS = {
    "ProcedureCodeSequence": ("CodeMeaning",),
    "RequestAttributesSequence": ("RequestedProcedureDescription", "ScheduledProcedureStepDescription"),
}
SIDE_TAGS = (*_LATERALITY_TAGS[:2], *_ANATOMY_TAGS, *_SERIES_TAGS, *_STUDY_TAGS, *_REQUEST_TAGS)
"""Elements parsed for the side, besides a file's functional groups."""
# SNOMED's codes for left and right, as numbers and as DICOM wrote them before.
_SIDE_OF_CODE = {"7771000": "L", "G-A101": "L", "24028007": "R", "G-A100": "R"}


def header_side(dataset: pydicom.Dataset, frames: Iterable[int] = ()) -> Claims:
    """The sides (``L``, ``R``) that a header claims.

    Args:
        dataset: a header with :data:`SIDE_TAGS`.
        frames: those of an enhanced file that are meant, from 0.
    """
    near: list[str | None] = [side_of_text(_text(dataset, tag)) for tag in _SERIES_TAGS]
    for anatomy in (dataset, *_frame_anatomies(dataset, frames)):
        near += _anatomy_sides(anatomy)
    texts = [_text(dataset, tag) for tag in _STUDY_TAGS]
    texts += [_text(item, tag) for name, tags in _REQUEST_TAGS.items() for item in _items(dataset, name) for tag in tags]
    return Claims.of(near, map(side_of_text, texts))


def _frame_anatomies(dataset: pydicom.Dataset, frames: Iterable[int]) -> Iterator[pydicom.Dataset]:
    """The items of a multi-frame file that say what its frames, or all of them, show."""
    groups = _items(dataset, "PerFrameFunctionalGroupsSequence")
    shared = _items(dataset, "SharedFunctionalGroupsSequence")
    for group in (*shared[:1], *(groups[number] for number in frames if number < len(groups))):
        yield from _items(group, "FrameAnatomySequence")[:1]


def _anatomy_sides(item: pydicom.Dataset) -> Iterator[str | None]:
    for tag in _LATERALITY_TAGS:
        value = _text(item, tag).strip().upper()
        yield value if value in ("L", "R") else SIDE_OF_WORD.get(value)
    for region, modifier in _ANATOMY_TAGS.items():
        for anatomy in _items(item, region)[:1]:
            yield side_of_text(_text(anatomy, "CodeMeaning"))
            for code in _items(anatomy, modifier):
                yield _SIDE_OF_CODE.get(_text(code, "CodeValue").strip()) or side_of_text(_text(code, "CodeMeaning"))


def _items(dataset: pydicom.Dataset, tag: str) -> list[pydicom.Dataset]:
    """The items of a sequence; none where the element is absent, empty or no sequence."""
    value = dataset.get(tag)
    return list(value) if isinstance(value, pydicom.Sequence) else []


def _text(dataset: pydicom.Dataset, tag: str) -> str:
    return str(dataset.get(tag) or "")

"""Planted radiographs whose headers name a side or a projection, the right one or another; all of
them are called right knees from the front.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.ingestion.faults.radiographs import Pixels, PlantedRadiograph, radiograph

_LEFT_WORDS = (
    ("SeriesDescription", "KNEE LEFT PA"),
    ("SeriesDescription", "L KNEE PA"),
    ("SeriesDescription", "Lt Knee 2 views"),
    ("SeriesDescription", "KNEE PA L"),
    ("SeriesDescription", "Knie li. ap"),
    ("SeriesDescription", "GENOU GAUCHE FACE"),
    ("ProtocolName", "KNEE LT"),
    ("ProtocolName", "Knee_Left_PA"),
    ("BodyPartExamined", "LKNEE"),
    ("BodyPartExamined", "KNEE_L"),
    ("StudyDescription", "XR KNEE LEFT"),
    ("StudyDescription", "LEFT KNEE 3 VIEWS"),
    ("StudyDescription", "XR Knee Left AP and Lateral"),
    ("RequestedProcedureDescription", "XR KNEE LT 1-2 VIEWS"),
    ("PerformedProcedureStepDescription", "Knie links a.p."),
    ("AcquisitionDeviceProcessingDescription", "KNEE LEFT"),
)
_NO_OTHER_SIDE = (
    ("SeriesDescription", "KNEE RIGHT PA"),
    ("SeriesDescription", "PA FLEXION"),
    ("StudyDescription", "XR KNEES BILATERAL L"),
    ("StudyDescription", "XR KNEE R/O FRACTURE"),
    ("StudyDescription", "XR KNEES LEFT AND RIGHT"),
    ("StudyDescription", "XR KNEE AP AND LATERAL"),
    ("StudyDescription", "XR KNEE 1 OR 2 VIEWS RT"),
    ("ProtocolName", "UPRIGHT KNEE"),
)
_OTHER_POSITIONS = (
    "LL", "RL", "LLD", "RLD", "LATERAL", "LAT", "lateral", "ML", "LM", "MEDIOLATERAL", "LATEROMEDIAL", "SKYLINE", "SUNRISE", "MERCHANT",
    "AXIAL", "TANGENTIAL", "OBLIQUE", "OBL", "LPO", "RAO", "XTABLE LAT",
)  # fmt: skip
_FRONTAL_POSITIONS = ("AP", "PA", "PA AXIAL", "TUNNEL", "FRONTAL", "ROSENBERG", "AP WB", "")
_OTHER_DESCRIPTIONS = (
    ("SeriesDescription", "KNEE LAT"),
    ("SeriesDescription", "Knee lateral 30 flexion"),
    ("SeriesDescription", "Skyline"),
    ("SeriesDescription", "PATELLA SUNRISE"),
    ("SeriesDescription", "Patella Merchant 45"),
    ("SeriesDescription", "Knie seitlich"),
    ("SeriesDescription", "genou de profil"),
    ("ProtocolName", "Knee lateral"),
    ("ProtocolName", "PATELLA_AXIAL"),
    ("AcquisitionDeviceProcessingDescription", "KNEE OBLIQUE"),
)
_FRONTAL_DESCRIPTIONS = (
    ("SeriesDescription", "Bilateral PA Fixed Flexion Knee"),
    ("SeriesDescription", "KNEE AP/LAT"),
    ("SeriesDescription", "LL KNEE AP"),
    ("ProtocolName", "KNEE 3 VIEWS"),
)
_OTHER_CODES = (
    ("399067008", "lateral projection"),
    ("R-102CD", "lateral projection"),
    ("399198007", "right lateral projection"),
    ("399173006", "left lateral projection"),
    ("399352003", "medio-lateral"),
    ("R-10224", "medio-lateral"),
    ("399061009", "axial projection"),
    ("399312000", "antero-posterior oblique"),
    ("X1", "Lateral"),
    ("X1", "skyline view of patella"),
)
_FRONTAL_CODES = (("399348003", "antero-posterior"), ("R-10214", "postero-anterior"), ("X1", "PA"), ("X1", "tunnel"))


def _film(**tags: Any) -> Callable[[Path, Pixels], object]:
    return lambda path, pixels: radiograph(pixels, **tags).save_as(path, enforce_file_format=True)


def _other(family: str, name: str, reason: str, **tags: Any) -> PlantedRadiograph:
    return PlantedRadiograph(family, name, "dicom-file", _film(**tags), frozenset({reason}), reads=False)


def _right(family: str, name: str, **tags: Any) -> PlantedRadiograph:
    return PlantedRadiograph(family, name, "dicom-file", _film(**tags))


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def _view(value: str, meaning: str) -> dict[str, Any]:
    return {"ViewPosition": None, "ViewCodeSequence": Sequence([_code(value, meaning)])}


def _anatomy(value: str, meaning: str) -> dict[str, Any]:
    region = _code("72696002", "Knee")
    region.AnatomicRegionModifierSequence = Sequence([_code(value, meaning)])
    return {"AnatomicRegionSequence": Sequence([region])}


def _frame(side: str) -> dict[str, Any]:
    anatomy, group = Dataset(), Dataset()
    anatomy.FrameLaterality = side
    group.FrameAnatomySequence = Sequence([anatomy])
    return {"SharedFunctionalGroupsSequence": Sequence([group])}


CASES: list[PlantedRadiograph] = [
    *(_other("side", f"{tag} {value}", "wrong-side", **{tag: value}) for tag in ("Laterality", "ImageLaterality") for value in ("L", "B")),
    *(_other("side", f"{tag}: {words}", "wrong-side", **{tag: words}) for tag, words in _LEFT_WORDS),
    *(_other("side", f"anatomy {names}", "wrong-side", **_anatomy(*names)) for names in (("7771000", ""), ("G-A101", ""), ("X1", "Left"))),
    _other("side", "FrameLaterality L", "wrong-side", **_frame("L")),
    _right("side", "FrameLaterality R", **_frame("R")),
    *(_right("side", f"{tag}: {words}", **{tag: words}) for tag, words in _NO_OTHER_SIDE),
    _right("side", "the study of the other beside an image of this one", ImageLaterality="R", StudyDescription="XR KNEE LEFT"),
    *(_other("projection", position, "wrong-projection", ViewPosition=position) for position in _OTHER_POSITIONS),
    *(_right("projection", position, ViewPosition=position) for position in _FRONTAL_POSITIONS),
    *(_other("projection", f"{tag}: {words}", "wrong-projection", ViewPosition=None, **{tag: words}) for tag, words in _OTHER_DESCRIPTIONS),
    *(_right("projection", f"{tag}: {words}", ViewPosition=None, **{tag: words}) for tag, words in _FRONTAL_DESCRIPTIONS),
    *(_other("projection", f"code {names}", "wrong-projection", **_view(*names)) for names in _OTHER_CODES),
    *(_right("projection", f"code {names}", **_view(*names)) for names in _FRONTAL_CODES),
    _right("projection", "a description of the other beside the position of this one", SeriesDescription="KNEE LATERAL"),
]

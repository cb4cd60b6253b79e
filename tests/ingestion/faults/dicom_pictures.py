"""Planted DICOM folders that hold several pictures: other sequences, echoes, maps, parts of complex
images, pictures of a Dixon scan and other planes, each with voxels of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.dataset import FileDataset

from tests.ingestion.faults.dicom_plants import case, series, sound
from tests.ingestion.faults.dicom_series import Change, datasets, save, set_all
from tests.ingestion.faults.knees import Knee, knee
from tests.ingestion.faults.planted import Plant, Planted

_MAGNITUDE = ["ORIGINAL", "PRIMARY", "M", "FFE"]
_MAPS = {
    "a T2 map": ["ORIGINAL", "PRIMARY", "T2 MAP", "T2", "UNSPECIFIED"],
    "a field map": ["ORIGINAL", "PRIMARY", "B0 MAP", "B0", "UNSPECIFIED"],
    "a map of diffusion": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"],
    "a fat fraction": ["DERIVED", "PRIMARY", "DIXON", "FAT_FRACTION"],
    "a phase image": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"],
    "a real part": ["ORIGINAL", "PRIMARY", "R_FFE", "R", "FFE"],
    "an imaginary part": ["ORIGINAL", "PRIMARY", "I_FFE", "I", "FFE"],
    "a subtraction": ["DERIVED", "SECONDARY", "SUBTRACTION"],
    "a mean of echoes": ["DERIVED", "PRIMARY", "M", "MEAN"],
}
_DIXON = {
    "Philips": (["DERIVED", "PRIMARY", "W", "W", "DERIVED"], ["DERIVED", "PRIMARY", "F", "F", "DERIVED"]),
    "Siemens": (["DERIVED", "PRIMARY", "DIXON", "WATER"], ["DERIVED", "PRIMARY", "DIXON", "FAT"]),
    "in and out of phase": (["ORIGINAL", "PRIMARY", "M", "IN_PHASE"], ["ORIGINAL", "PRIMARY", "M", "OUT_PHASE"]),
    "water and in phase": (["DERIVED", "PRIMARY", "W", "W"], ["ORIGINAL", "PRIMARY", "IP", "IP"]),
}
_SETTINGS = {"RepetitionTime": 16.3, "FlipAngle": 25, "AcquisitionNumber": 1, "EchoNumbers": 1, "AcquisitionTime": "101112"}


def _other(planted: Knee, codes: str = "", identifier: str = "series", echo: float = 4.7, **tags: Any) -> list[FileDataset]:
    """Another picture of the same places: the grid is the knee's, the voxels are another one's."""
    picture = Knee(knee(996, planted.side).array, planted.affine, planted.side)
    slices = datasets(picture, codes, identifier, echo)
    for data in slices:
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{data.SOPInstanceUID[:-2]}55"
    set_all(**tags)(slices, planted)
    return slices


def _beside(count: int | None = None, **options: Any) -> Change:
    """Another picture in the same folder, before the knee's; ``count``: so many of its slices."""

    def change(slices: list[FileDataset], planted: Knee) -> None:
        slices[:] = [*_other(planted, **options)[:count], *slices]

    return change


def _plane(kind: str, *, alone: bool = False) -> Plant:
    """A series of another plane in the folder, with more slices than the knee's; or alone."""

    def plant(folder: Path, planted: Knee) -> None:
        side, down, back = planted.codes
        codes = {"axial": down + side + back, "coronal": back + down + side}[kind]
        save(folder, [*_other(planted, codes, kind), *([] if alone else datasets(planted))])

    return plant


def _three_planes(folder: Path, planted: Knee) -> None:
    side, down, back = planted.codes
    save(folder, [*_other(planted, down + side + back, "axial"), *datasets(planted), *_other(planted, back + down + side, "coronal")])


def _filtered(slices: list[FileDataset], planted: Knee) -> None:
    """Return the image with another filter, as Siemens keeps both."""
    set_all(ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])(slices, planted)
    more = _other(planted, ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "NORM"])
    slices[:] = [*more, *slices]


def _identifiers(slices: list[FileDataset], _: Knee) -> None:
    for number, data in enumerate(slices):
        data.SeriesInstanceUID = f"1.2.3.{number + 1}"


def _ge(number: int) -> Change:
    """The number that GE gives to a part of a complex image."""

    def change(slices: list[FileDataset], _: Knee) -> None:
        for data in slices:
            data.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", number)

    return change


def _ge_parts(*numbers: int, image_first: bool = False) -> Change:
    """Other parts of GE's complex image in the series, which ImageType does not tell."""

    def change(slices: list[FileDataset], planted: Knee) -> None:
        _ge(0)(slices, planted)
        for number in numbers:
            more = _other(planted)
            _ge(number)(more, planted)
            slices[:] = [*slices, *more] if image_first else [*more, *slices]

    return change


def _instances(slices: list[FileDataset], _: Knee) -> None:
    for number, data in enumerate(slices):
        data.InstanceNumber = number + 1


_SAME = {"EchoNumbers": 1, "EchoTime": 10.0}
_UNMARKED: dict[str, tuple[Change, ...]] = {
    "one echo time and number": (set_all(**_SAME), _beside(echo=10.0, EchoNumbers=1)),
    "one echo time": (_beside(),),
    "no echo time": (set_all(EchoTime=None), _beside(EchoTime=None)),
    "an echo time of 0": (set_all(EchoTime=0), _beside(echo=0)),
    "instance numbers that count on": (_beside(), _instances),
    "three of them": (_beside(), _beside()),
    "one slice of an echo lost": (_beside(19),),
    "series of their own": (_beside(identifier="other"),),
    "series of their own without an echo time": (set_all(EchoTime=None), _beside(identifier="other", EchoTime=None)),
    "an identifier for each slice": (_beside(), lambda slices, planted: _identifiers(slices, planted)),
    "no series identifier": (_beside(), set_all(SeriesInstanceUID=None)),
    "an echo time for one of them": (_beside(EchoTime=None),),
    "one acquisition number": (set_all(AcquisitionNumber=1), _beside(AcquisitionNumber=1)),
}
"""Echoes, or whatever else lies twice at each place, of which no header says which is which."""


CASES: list[Planted] = [
    *(case("unmarked echoes", name, series(*changes)) for name, changes in _UNMARKED.items()),
    sound("pictures", "beside GE's phase", series(_ge_parts(1))),
    sound("pictures", "beside GE's phase, real and imaginary parts", series(_ge_parts(1, 2, 3))),
    sound("pictures", "before GE's phase", series(_ge_parts(1, image_first=True)), side="LEFT"),
    *(case("pictures", f"GE's {name} alone", series(_ge(number))) for number, name in ((1, "phase"), (2, "real"), (3, "imaginary"))),
    *(
        case("pictures", f"beside {name}", series(set_all(EchoTime=echo), _beside(identifier="other", echo=other)))
        for name, echo, other in (
            ("a T1 of another series", 30.0, 11.0),
            ("the image before contrast", 11.0, 10.9),
            ("another person's DESS", 4.72, 4.70),
            ("a subtraction without a mark", 30.0, 10.1),
            ("a series of echo time 0", 30.0, 0.0),
        )
    ),
    case("pictures", "beside a T1 with fewer slices", series(set_all(EchoTime=30), _beside(14, identifier="other", echo=11.0))),
    case("pictures", "beside a series without an echo time", series(_beside(identifier="other", EchoTime=None))),
    case(
        "pictures",
        "beside a T1 of the same first acquisition number",
        series(set_all(EchoTime=30, AcquisitionNumber=1), _beside(identifier="other", echo=11.0, AcquisitionNumber=1)),
    ),
    case(
        "pictures",
        "beside the second echo of another acquisition",
        series(set_all(**_SETTINGS), _beside(identifier="other", echo=80.0, **_SETTINGS | {"EchoNumbers": 2, "RepetitionTime": 3000})),
    ),
    case(
        "pictures",
        "beside another person's second echo",
        series(
            set_all(**_SETTINGS, PatientID="1"), _beside(identifier="other", echo=14.1, **_SETTINGS | {"EchoNumbers": 2, "PatientID": "2"})
        ),
    ),
    case("pictures", "one series, another sequence", series(set_all(SeriesNumber=1), _beside(echo=2.2, SeriesNumber=2))),
    case("pictures", "one series, another inversion time", series(set_all(InversionTime=100), _beside(InversionTime=2000))),
    case("pictures", "one series, with contrast agent", series(_beside(ContrastBolusAgent="GADOLINIUM", AcquisitionNumber=1))),
    case("pictures", "one series, echo times too near for echoes", series(_beside(echo=4.5))),
    case("pictures", "with and without a filter", series(_filtered)),
    *(
        case("pictures", f"Dixon, {name}, echo time {echo:g}", series(set_all(ImageType=one), _beside(ImageType=other, echo=echo)))
        for name, (one, other) in _DIXON.items()
        for echo in (4.7, 2.3)
    ),
    *(case("pictures", f"{name} alone", series(set_all(ImageType=_MAPS[name]))) for name in ("a T2 map", "a phase image", "a subtraction")),
    *(
        sound("pictures", f"beside {name}, echo time {echo:g}", series(set_all(ImageType=_MAGNITUDE), _beside(ImageType=words, echo=echo)))
        for name, words in _MAPS.items()
        for echo in (4.7, 0.0)
    ),
    sound("pictures", "beside an unmarked map of echo time 0", series(_beside(echo=0.0))),
    sound("pictures", "a Dixon scan's water alone", series(set_all(ImageType=_DIXON["Philips"][0]))),
    sound(
        "pictures",
        "the second echo as a series of its own, of the same acquisition",
        series(set_all(**_SETTINGS), _beside(identifier="other", echo=14.1, **_SETTINGS | {"EchoNumbers": 2})),
    ),
    sound("pictures", "a series identifier for each slice", series(_identifiers)),
    sound("pictures", "no series identifier", series(set_all(SeriesInstanceUID=None))),
    sound("planes", "beside an axial series of more slices", _plane("axial")),
    sound("planes", "beside a coronal series of more slices", _plane("coronal")),
    sound("planes", "three of them", _three_planes),
    case("planes", "an axial series alone", _plane("axial", alone=True)),
    case("planes", "a coronal series alone", _plane("coronal", alone=True)),
]

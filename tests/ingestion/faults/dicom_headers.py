"""Planted DICOM series whose headers lie, and transfer syntaxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from tests.ingestion.faults.dicom_plants import MIDDLE, case, move, per_slice, series, sound
from tests.ingestion.faults.dicom_series import SYNTAXES, datasets, save, set_all, set_one, set_raw, transfer
from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Plant, Planted


def _rescaled(number: int, data: FileDataset) -> None:
    """A scale of its own for every slice, as PET and some MR have it; the values that are meant
    stay the same.
    """
    slope = 1 + number % 3
    data.PixelData = (np.frombuffer(data.PixelData, "<i2") // slope).astype("<i2").tobytes()
    data.RescaleSlope, data.RescaleIntercept = slope, 0


def _bare(number: int, data: FileDataset) -> None:
    """Write the orientation of programs that know the voxel sizes alone."""
    data.ImageOrientationPatient, data.ImagePositionPatient = ["1", "0", "0", "0", "1", "0"], ["0", "0", f"{4.0 * number:.1f}"]


def _compressed(syntax: str) -> Plant:
    def plant(folder: Path, planted: Knee) -> None:
        import gdcm

        for path in save(folder, datasets(planted)):
            original = gdcm.ImageReader()
            original.SetFileName(str(path))
            assert original.Read()
            change = gdcm.ImageChangeTransferSyntax()
            change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
            change.SetInput(original.GetImage())
            assert change.Change()
            writer = gdcm.ImageWriter()
            writer.SetFileName(str(path))
            writer.SetFile(original.GetFile())
            writer.SetImage(change.GetOutput())
            assert writer.Write()

    return plant


def _compressed_and_cut(folder: Path, planted: Knee) -> None:
    _compressed("JPEG2000Lossless")(folder, planted)
    victim = folder / "010"
    victim.write_bytes(victim.read_bytes()[:-200])


CASES: list[Planted] = [
    case("wrong side", "the series description names the other", series(set_all(SeriesDescription="SAG_3D_DESS_LEFT"))),
    case("wrong side", "the laterality names the other", series(set_all(Laterality="L"))),
    case("wrong side", "a letter beside the joint names the other", series(set_all(SeriesDescription="SAG PD L KNEE"))),
    case("wrong side", "a letter at the end names the other", series(set_all(SeriesDescription="t2_sag_L"))),
    case("wrong side", "the other in German", series(set_all(SeriesDescription="Knie links sag"))),
    case("wrong side", "the protocol names the other", series(set_all(SeriesDescription="SAG PD", ProtocolName="KNEE LEFT"))),
    case("wrong side", "the study names the other", series(set_all(SeriesDescription="SAG PD", StudyDescription="MRI KNEE LEFT"))),
    case("wrong side", "the body part names the other", series(set_all(SeriesDescription="SAG PD", BodyPartExamined="LKNEE"))),
    case("wrong side", "laterality and description differ", series(set_all(Laterality="R", SeriesDescription="SAG_3D_DESS_LEFT"))),
    sound("wrong side", "the study alone names the other", series(set_all(StudyDescription="MRI KNEE LEFT"))),
    sound("wrong side", "a study of both", series(set_all(SeriesDescription="SAG PD", StudyDescription="MRI KNEES LEFT AND RIGHT"))),
    sound("wrong side", "letters of directions", series(set_all(SeriesDescription="SAG PD R/L", ProtocolName="KNEE L-R"))),
    sound("wrong side", "to be ruled out", series(set_all(StudyDescription="MRI KNEE R/O TEAR", SeriesDescription="SAG")), side="LEFT"),
    case("missing geometry", "no orientation", series(set_all(ImageOrientationPatient=None))),
    case("missing geometry", "no position", series(set_all(ImagePositionPatient=None))),
    case("missing geometry", "one slice without position", series(set_one(MIDDLE, ImagePositionPatient=None))),
    case("missing geometry", "no spacing", series(set_all(PixelSpacing=None))),
    case("missing geometry", "one number of spacing", series(set_all(PixelSpacing=["3"]))),
    case("bad affine", "orientation of zeros", series(set_all(ImageOrientationPatient=["0"] * 6))),
    case("bad affine", "rows along columns", series(set_all(ImageOrientationPatient=["0", "1", "0", "0", "1", "0"]))),
    case("bad affine", "directions of length a half", series(set_all(ImageOrientationPatient=["0", "0.5", "0", "0", "0", "-0.5"]))),
    case("bad affine", "directions at 60 degrees", series(set_all(ImageOrientationPatient=["0", "1", "0", "0", "0.5", "-0.866"]))),
    case("bad affine", "NaN orientation", series(set_raw(None, ImageOrientationPatient=b"nan\\1\\0\\0\\0\\-1"))),
    case("bad affine", "NaN position", series(set_raw(MIDDLE, ImagePositionPatient=b"nan\\0\\0 "))),
    case("bad affine", "words for a position", series(set_raw(MIDDLE, ImagePositionPatient=b"here\\there\\everywhere "))),
    case("bad affine", "voxel sizes alone", series(per_slice(_bare))),
    case("bad affine", "voxel sizes alone, slices downwards", series(per_slice(lambda number, data: _bare(-number, data)))),
    case("absurd spacing", "zero", series(set_all(PixelSpacing=["0", "0"]))),
    case("absurd spacing", "negative", series(set_all(PixelSpacing=["-3", "3"]))),
    case("absurd spacing", "metres", series(set_all(PixelSpacing=["3000", "3000"]))),
    case("absurd spacing", "micrometres", series(set_all(PixelSpacing=["0.001", "0.001"]))),
    case("absurd spacing", "not a number", series(set_raw(None, PixelSpacing=b"nan\\nan "))),
    case("absurd spacing", "slices a metre apart", series(per_slice(lambda number, data: move(data, 0, 1000.0 * number)))),
    case("wrong dimensions", "more rows than voxels", series(set_one(MIDDLE, Rows=64))),
    case("wrong dimensions", "more rows than voxels, everywhere", series(set_all(Rows=64))),
    case("wrong dimensions", "fewer rows than voxels, everywhere", series(set_all(Rows=16))),
    case("wrong dimensions", "no rows", series(set_all(Rows=None))),
    case("wrong dimensions", "zero rows", series(set_all(Rows=0))),
    case("huge claims", "65535 by 65535", series(set_all(Rows=65535, Columns=65535))),
    case("wrong dtype", "8 bits allocated", series(set_all(BitsAllocated=8, BitsStored=8, HighBit=7))),
    case("wrong dtype", "32 bits allocated", series(set_all(BitsAllocated=32, BitsStored=32, HighBit=31))),
    case("wrong dtype", "no bits", series(set_all(BitsAllocated=None))),
    case("wrong dtype", "seven bits", series(set_all(BitsAllocated=7))),
    case(
        "dtype",
        "RGB",
        series(
            set_all(
                SamplesPerPixel=3,
                PhotometricInterpretation="RGB",
                PlanarConfiguration=0,
                BitsAllocated=8,
                BitsStored=8,
                HighBit=7,
                PixelRepresentation=0,
                Columns=20,
            )
        ),
    ),
    case("4D", "two frames in one slice", series(set_one(MIDDLE, NumberOfFrames=2))),
    case("no picture", "constant", series(per_slice(lambda _, data: setattr(data, "PixelData", bytes(len(data.PixelData)))))),
    case("no picture", "no voxels in one slice", series(set_one(MIDDLE, PixelData=None))),
    case("no picture", "no voxels at all", series(set_all(PixelData=None))),
    sound("rescaling", "slope 2, intercept -100", series(set_all(RescaleSlope=2, RescaleIntercept=-100))),
    case("rescaling", "a slope of its own for each slice", series(per_slice(_rescaled)), reads=True),
    case("rescaling", "slope not a number", series(set_raw(None, RescaleSlope=b"x ")), reads=True),
    *(sound("transfer syntax", name, series(transfer(syntax))) for name, syntax in SYNTAXES.items()),
    *(
        sound("transfer syntax", name, _compressed(syntax))
        for name, syntax in (("JPEG lossless", "JPEGLosslessProcess14_1"), ("JPEG-LS", "JPEGLSLossless"), ("JPEG 2000", "JPEG2000Lossless"))
    ),
    case("transfer syntax", "JPEG 2000, one slice cut", _compressed_and_cut),
    case(
        "transfer syntax",
        "unknown",
        series(lambda slices, _: [setattr(data.file_meta, "TransferSyntaxUID", "1.2.3.4") for data in slices].clear()),
    ),
]

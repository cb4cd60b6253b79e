"""Planted DICOM series whose grey levels or files are odd and legal, or lie in a way that can be
seen through.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from tests.ingestion.faults.dicom_plants import case, per_slice, series, sound
from tests.ingestion.faults.dicom_series import Change, datasets, save, set_all
from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Planted

_UNSIGNED_12 = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0}


def _cells(change: Callable[[NDArray[np.int64]], NDArray[Any]], dtype: str = "<u2") -> Change:
    """Replace every slice's cells by others."""

    def edit(_: int, data: FileDataset) -> None:
        cells = np.frombuffer(data.PixelData, "<i2").reshape(data.Rows, data.Columns).astype(np.int64)
        data.PixelData = np.asarray(change(cells)).astype(dtype).tobytes()

    return per_slice(edit)


def _overlay(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    bits = np.zeros_like(cells)
    bits[4:10, 3:-3:2] = 1
    return cells | bits << 12


def _padded(value: int) -> Change:
    """The darkest voxels, which are clipped anyway, are padding."""

    def change(slices: list[FileDataset], knee: Knee) -> None:
        low = np.percentile(knee.array, 0.4)
        for data in slices:
            cells = np.frombuffer(data.PixelData, "<i2").copy()
            cells[cells <= low] = value
            data.PixelData = cells.tobytes()
            data.PixelPaddingValue = value

    return change


def _through_table(data: FileDataset) -> None:
    """A descending look-up table, and the cells that it makes the knee's voxels of."""
    cells = np.frombuffer(data.PixelData, "<i2").astype(np.int64)
    data.PixelData = (4095 - cells).astype("<u2").tobytes()
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 16])
    item.ModalityLUTType = "US"
    item.add_new("LUTData", "OW", np.arange(4095, -1, -1).astype("<u2").tobytes())
    data.ModalityLUTSequence = Sequence([item])


def _cut_table(data: FileDataset) -> None:
    _through_table(data)
    data.ModalityLUTSequence[0].LUTData = data.ModalityLUTSequence[0].LUTData[:100]


def _as_capture(_: int, data: FileDataset) -> None:
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data.ImageType = ["DERIVED", "SECONDARY"]


def _packed(damage: Callable[[bytes], bytes] = bytes) -> Callable[[Path, Knee], None]:
    def plant(folder: Path, knee: Knee) -> None:
        for number, path in enumerate(save(folder, datasets(knee))):
            content = gzip.compress(path.read_bytes(), 1)
            path.with_name(f"{path.name}.dcm.gz").write_bytes(damage(content) if number == 3 else content)
            path.unlink()

    return plant


def _bare(first: str) -> Callable[[Path, Knee], None]:
    """Without preamble and file header, from the element ``first`` on."""

    def plant(folder: Path, knee: Knee) -> None:
        for path, data in zip(save(folder, datasets(knee)), datasets(knee), strict=True):
            plain, stream = pydicom.Dataset(), io.BytesIO()
            least = pydicom.tag.Tag(first)
            plain.update({element.tag: element for element in data if element.tag >= least})
            pydicom.dcmwrite(stream, plain, implicit_vr=True, little_endian=True, enforce_file_format=False)
            path.write_bytes(stream.getvalue())

    return plant


CASES: list[Planted] = [
    *(
        sound(
            "grey levels",
            f"times {factor} under BitsStored {stored}",
            series(
                _cells(lambda cells, factor=factor: cells * factor), set_all(BitsStored=stored, HighBit=stored - 1, PixelRepresentation=0)
            ),
        )
        for factor, stored in ((1, 8), (1, 10), (8, 12), (16, 12), (4, 10))
    ),
    sound(
        "grey levels",
        "signed, times 8 under BitsStored 12",
        series(_cells(lambda cells: (cells - 2048) * 8, "<i2"), set_all(BitsStored=12, HighBit=11)),
    ),
    sound("grey levels", "an overlay beyond BitsStored", series(_cells(_overlay), set_all(**_UNSIGNED_12))),
    sound("grey levels", "a constant beyond BitsStored", series(_cells(lambda cells: cells | 5 << 12), set_all(**_UNSIGNED_12))),
    sound("grey levels", "padding of -32768", series(_padded(-32768))),
    sound("grey levels", "padding of 32767", series(_padded(32767))),
    sound("grey levels", "padding of 0", series(_padded(0))),
    sound(
        "grey levels",
        "a slope of -1",
        series(_cells(lambda cells: 4095 - cells), set_all(**_UNSIGNED_12, RescaleSlope=-1, RescaleIntercept=4095)),
    ),
    sound(
        "grey levels",
        "a slope of -1, dark is bright",
        series(set_all(PhotometricInterpretation="MONOCHROME1", RescaleSlope=-1, RescaleIntercept=0)),
    ),
    sound(
        "grey levels", "a descending look-up table", series(per_slice(lambda _, data: _through_table(data)), set_all(PixelRepresentation=0))
    ),
    case("rescaling", "a look-up table that is cut", series(per_slice(lambda _, data: _cut_table(data)))),
    sound(
        "odd files", "zeros behind the voxels", series(per_slice(lambda _, data: setattr(data, "PixelData", data.PixelData + bytes(128))))
    ),
    case(
        "wrong dimensions",
        "noise behind the voxels",
        series(per_slice(lambda _, data: setattr(data, "PixelData", data.PixelData + data.PixelData[:128]))),
    ),
    sound("odd files", "secondary captures", series(per_slice(_as_capture))),
    sound("odd files", "compressed one by one", _packed()),
    case("truncated", "compressed one by one, one of them cut", _packed(lambda content: content[: len(content) // 2])),
    *(sound("odd files", f"no preamble, from {first} on", _bare(first)) for first in ("SOPClassUID", "SOPInstanceUID", "Modality")),
]

"""Small images on grids of any orientation, written in each format, for tests to read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK
from numpy.typing import NDArray
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless, generate_uid

from kneeoa.formats.volume import Volume

DIRECTIONS = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


def grid(
    codes: str, spacing: tuple[float, float, float], origin: tuple[float, float, float] = (0, 0, 0), tilt: float = 0.0
) -> NDArray[np.float64]:
    """An affine whose array axes point along ``codes``, turned by ``tilt`` degrees about two of the
    patient's axes.
    """
    angle = np.radians(tilt)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([DIRECTIONS[code] for code in codes], dtype=float).T * spacing
    affine[:3, 3] = origin
    return affine


def pattern(shape: tuple[int, int, int]) -> NDArray[np.int16]:
    """A number of its own for each voxel, so that no flip or permutation looks like another."""
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def world(affine: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """World position (RAS+ mm) of each voxel centre, shape ``[*shape, 3]``."""
    index = np.stack(np.meshgrid(*(np.arange(size) for size in shape), indexing="ij"), axis=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def write_nifti(path: Path, array: NDArray[Any], affine: NDArray[np.float64]) -> Path:
    image = nibabel.Nifti1Image(array, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nibabel.save(image, path)
    return path


def write_itk(path: Path, array: NDArray[Any], affine: NDArray[np.float64]) -> Path:
    """Write with SimpleITK: its axes are the array's, reversed; its millimetres are LPS."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    lps = np.diag([-1.0, -1.0, 1.0])
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing([float(value) for value in spacing[::-1]])
    image.SetOrigin([float(value) for value in lps @ affine[:3, 3]])
    image.SetDirection([float(value) for value in (lps @ (affine[:3, :3] / spacing)[:, ::-1]).ravel()])
    SimpleITK.WriteImage(image, str(path))
    return path


def write_series(folder: Path, array: NDArray[Any], affine: NDArray[np.float64], names: list[str] | None = None, **tags: Any) -> list[Path]:
    """Write ``[slice, row, column]`` as one DICOM file a slice; ``tags`` overrides tags of every
    file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lps = np.diag([-1.0, -1.0, 1.0])
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    directions = lps @ (affine[:3, :3] / spacing)
    uid = str(tags.pop("SeriesInstanceUID", "1.2.3.4"))
    paths = []
    for number, plane in enumerate(array):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(folder), str(number), uid])
        path = folder / (names[number] if names else f"{number + 1:03d}")
        data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        data.PatientName, data.PatientBirthDate, data.Modality, data.SeriesInstanceUID = "Doe^Jane", "19500101", "MR", uid
        data.ImagePositionPatient = [float(value) for value in lps @ (affine[:3, 3] + number * affine[:3, 0])]
        data.ImageOrientationPatient = [float(value) for value in (*directions[:, 2], *directions[:, 1])]
        data.PixelSpacing = [float(spacing[1]), float(spacing[2])]
        data.Rows, data.Columns = plane.shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 1
        data.PixelData = plane.astype("<i2").tobytes()
        for name, value in tags.items():
            setattr(data, name, value)
        data.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def recompress(path: Path, syntax: str) -> None:
    """Write a file again in another transfer syntax, by its number: native ones and RLE with
    pydicom, the others with GDCM.
    """
    uid = UID(syntax)
    if uid == RLELossless or not uid.is_encapsulated:
        data = dcmread(path)
        if uid == RLELossless:
            data.compress(RLELossless)
            data.save_as(path)
        else:
            data.file_meta.TransferSyntaxUID = uid
            if not uid.is_little_endian and data.BitsAllocated == 16:
                data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
            copy = FileDataset(str(path), {}, file_meta=data.file_meta, preamble=b"\0" * 128)
            for element in data:
                copy.add(element)
            dcmwrite(path, copy, implicit_vr=uid.is_implicit_VR, little_endian=uid.is_little_endian, enforce_file_format=True)
        return
    import gdcm

    original = gdcm.ImageReader()
    original.SetFileName(str(path))
    assert original.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    change.SetInput(original.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(original.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()


def write_enhanced(
    path: Path, stacks: list[NDArray[Any]], affine: NDArray[np.float64], echo_times: list[float], shuffle: bool = True, scales: Any = None
) -> Path:
    """One enhanced multi-frame file of several ``[slice, row, column]`` on one grid, an echo time
    each, frames in a mixed-up order.
    """
    files = write_series(path.parent / f"{path.name}-slices", stacks[0], affine)
    data, slices = dcmread(files[0]), [dcmread(file) for file in files]
    order = [(echo, number) for number in range(len(slices)) for echo in range(len(stacks))]
    if shuffle:
        order = [order[index] for index in np.random.default_rng(3).permutation(len(order))]
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, orientation.ImageOrientationPatient = data.PixelSpacing, data.ImageOrientationPatient
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([measures]), Sequence([orientation])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for echo, number in order:
        group, place, echoes = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = slices[number].ImagePositionPatient
        echoes.EffectiveEchoTime = echo_times[echo]
        group.PlanePositionSequence, group.MREchoSequence = Sequence([place]), Sequence([echoes])
        if scales is not None:
            values = Dataset()
            values.RescaleSlope, values.RescaleIntercept, values.RescaleType = scales[number], 0, "US"
            group.PixelValueTransformationSequence = Sequence([values])
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = Sequence(groups)
    del data.ImagePositionPatient, data.ImageOrientationPatient, data.PixelSpacing
    data.NumberOfFrames = len(order)
    data.PixelData = b"".join(stacks[echo][number].astype("<i2").tobytes() for echo, number in order)
    data.save_as(path)
    return path


def same_place(volume: Volume, array: NDArray[Any], affine: NDArray[np.float64], tolerance: float = 1e-3) -> bool:
    """Whether two volumes hold equal values at equal places, whatever the order of their axes
    (values are all different).
    """
    if sorted(volume.array.shape) != sorted(array.shape):
        return False
    expected_places = world(affine, array.shape).reshape(-1, 3)[np.argsort(array.ravel())]
    read = world(volume.affine, volume.array.shape).reshape(-1, 3)[np.argsort(volume.array.ravel())]
    return bool(
        np.allclose(expected_places, read, atol=tolerance) and np.array_equal(np.sort(volume.array.ravel()), np.sort(array.ravel()))
    )

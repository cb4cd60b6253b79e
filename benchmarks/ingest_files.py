"""Make the files that ``ingest.py`` reads: a knee of seeded voxels, as a NIfTI file, as a DICOM
series, and in the tables of a made cohort; drawn radiographs of one knee and of both.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage
from scipy import ndimage

from kneeoa.phantom.radiograph import Exposure, Scene, random_scene, render
from kneeoa.phantom.radiograph_files import write_png, write_radiograph
from kneeoa.phantom.radiograph_knee import knee_of_severity
from kneeoa.tables.cohort import CASES, IMAGES

# Columns front to back, rows head to foot, slices left to right, as converters write sagittal DESS.
# In the plane 0.3642 mm and not OAI's 0.3646, so that MONAI's grid of 0.547 mm, which starts at the
# first voxel, and ours, which is centred, have the same voxel centres.
SHAPE = (384, 384, 160)
_PLANE = 0.547 * 255 / 383
AFFINE = np.array([[0, 0, 0.7, -55.65], [-_PLANE, 0, 0, 69.74], [0, -_PLANE, 0, 69.74], [0, 0, 0, 1.0]])


def make_voxels(seed: int = 0) -> NDArray[np.int16]:
    """Smooth anatomy in a limb's outline, a coil's fall-off and Rician noise, int16, axes as in the
    file.
    """
    rng = np.random.default_rng(seed)
    tissue = ndimage.zoom(rng.standard_normal((24, 24, 10)).astype(np.float32), (16, 16, 16), order=1)
    i, j, _ = np.ogrid[-1:1:384j, -1:1:384j, 0:1]
    limb = (i / 0.88) ** 2 + (j / 1.2) ** 2 < 1
    signal = limb * np.clip(130 + 70 * tissue, 20, None) * (1.2 - 0.4 * i**2)
    noise = rng.standard_normal((2, *SHAPE), dtype=np.float32) * 5
    voxels: NDArray[np.int16] = np.hypot(signal + noise[0], noise[1]).astype(np.int16)
    return voxels


def make_nifti(path: Path, voxels: NDArray[np.int16]) -> int:
    """Write ``.nii.gz`` at gzip's usual level 6; returns its bytes."""
    image = nibabel.Nifti1Image(voxels, AFFINE)
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=6, mtime=0))
    return path.stat().st_size


def make_series(folder: Path, voxels: NDArray[np.int16]) -> None:
    """Write one uncompressed DICOM file a slice, as OAI's archive holds them, with names that do
    not sort as the slices lie.
    """
    folder.mkdir()
    lps = np.diag([-1.0, -1.0, 1.0])
    for number in range(voxels.shape[2]):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
        meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{number + 1}")
        data = Dataset()
        data.file_meta = meta
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        data.Modality, data.SeriesInstanceUID, data.InstanceNumber, data.EchoTime = "MR", "1.2.3", number + 1, 4.71
        data.ImagePositionPatient = [round(float(value), 4) for value in lps @ (AFFINE[:3, 3] + number * AFFINE[:3, 2])]
        data.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        data.PixelSpacing = [round(_PLANE, 6)] * 2
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 384, 384, 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 1
        data.PixelData = np.ascontiguousarray(voxels[:, :, number].T).tobytes()
        data.save_as(folder / f"{struct.unpack('>H', struct.pack('<H', number))[0]:05d}", enforce_file_format=True)


def make_radiographs(folder: Path, number: int) -> list[Path]:
    """Write PNG files of 224x224 pixels, each of a right knee as worn as chance has it."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    paths = []
    for place in range(number):
        knees = {"R": knee_of_severity(float(rng.uniform(70, 84)), float(rng.uniform(0, 0.9)))}
        scene = Scene((224, 224), 0.5, {"R": (0.0, 0.0)}, knees, {"R": 0.0}, turn=float(rng.uniform(-5, 5)), exposure=Exposure(marker=""))
        paths.append(folder / f"{place}.png")
        write_png(paths[-1], render(scene, rng).picture)
    return paths


def make_film(path: Path) -> Path:
    """Write an uncompressed DICOM file of 12 bits, 2860x3500 pixels of 0.125 mm, of both knees."""
    rng = np.random.default_rng(3)
    return write_radiograph(path, render(random_scene(rng, (2860, 3500), 0.125), rng).picture, 0.125)


def write_tables(folder: Path, files: list[tuple[str, str]], view: str = "sag_dess") -> None:
    """The tables of a cohort of one shard: a case for each ``(path, format)``, right and left in
    turn.
    """
    cases, images = [], []
    for number, (path, kind) in enumerate(files):
        subject, side = f"{number:07d}", "RL"[number % 2]
        case = {"cohort": "main", "case_id": f"{subject}-{side}-00m", "shard": 0}
        cases.append({**dict.fromkeys(CASES.schema.names), **case, "subject": subject, "side": side, "visit": "00m"})
        image = {"view": view, "role": "image", "path": path, "format": kind, "shows": "knee"}
        images.append({**dict.fromkeys(IMAGES.schema.names), **case, **image})
    CASES.write(folder / "cases.parquet", cases)
    IMAGES.write(folder / "images.parquet", images)

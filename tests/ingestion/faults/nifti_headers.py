"""NIfTI headers that lie, and odd ones that are legal."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np

from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Plant, Planted, bad, either, legal
from tests.ingestion.faults.volume_bytes import nifti, nifti2_of, nifti_of

NAN, INF = math.nan, math.inf


def _plain(**fields: float) -> Plant:
    return lambda folder, knee: _write(folder / "dess.nii", nifti(knee, **fields))


def _packed(**fields: float) -> Plant:
    return lambda folder, knee: _write(folder / "dess.nii.gz", gzip.compress(nifti(knee, **fields), 1))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _rows(matrix: list[list[float]]) -> dict[str, float]:
    return {f"srow{row}{column}": value for row, values in enumerate(matrix) for column, value in enumerate(values)}


def _typed(dtype: str, factor: float = 1.0) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        array, affine = knee.stored("LPI", dtype)
        _write(folder / "dess.nii.gz", gzip.compress(nifti_of((array * factor).astype(dtype), affine), 1))

    return plant


def _voxel(value: float, count: int = 1) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        array, affine = knee.stored("RAS", "<f4")
        array.reshape(-1)[array.size // 2 : array.size // 2 + count] = value
        _write(folder / "dess.nii.gz", gzip.compress(nifti_of(array, affine), 1))

    return plant


def _shaped(kind: str) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        array, affine = knee.stored("RAS")
        made: dict[str, np.ndarray[Any, Any]] = {
            "4D of one": array[..., None],
            "4D of two": np.stack([array, array[::-1]], axis=-1),
            "5D vector": np.stack([array] * 3, axis=-1)[:, :, :, None, :],
            "2D": array[:, :, 10],
            "one slice": array[:, :, 10:11],
            "constant": np.full_like(array, 7),
            "complex": array.astype("<c8"),
            "complex 128": array.astype("<c16"),
        }
        _write(folder / "dess.nii", nifti_of(made[kind], affine))

    return plant


def _rgb(folder: Path, knee: Knee) -> None:
    array, affine = knee.stored("RAS", "|u1")
    content = nifti_of(array, affine, datatype=128, bitpix=24)
    _write(folder / "dess.nii", content + array.tobytes() * 2)


def _members(folder: Path, knee: Knee) -> None:
    content = nifti(knee)
    _write(folder / "dess.nii.gz", b"".join(gzip.compress(content[start : start + 9000]) for start in range(0, len(content), 9000)))


def _bomb(folder: Path, knee: Knee) -> None:
    """A header that asks for little, and 4 GiB of zeros behind it."""
    _write(folder / "dess.nii.gz", gzip.compress(nifti(knee), 1) + gzip.compress(bytes(1 << 24), 9) * 256)


def _hollow_bomb(folder: Path, knee: Knee) -> None:
    """A header that asks for 8 GB, and zeros enough to fill them: legal bytes, no knee."""
    header = nifti(knee, dim1=2000, dim2=2000, dim3=1000)[:352]
    _write(folder / "dess.nii.gz", gzip.compress(header) + gzip.compress(bytes(1 << 24), 9) * 500)


def _big_endian(folder: Path, knee: Knee) -> None:
    _write(folder / "dess.nii.gz", gzip.compress(nifti(knee, "LPS", ">i2"), 1))


def _nifti2(folder: Path, knee: Knee) -> None:
    _write(folder / "dess.nii.gz", gzip.compress(nifti2_of(*knee.stored("RAS")), 1))


def _nifti2_claim(folder: Path, knee: Knee) -> None:
    _write(folder / "dess.nii", nifti2_of(*knee.stored("RAS"), shape=(1_000_000, 1_000_000, 1_000_000)))


def _extension(folder: Path, knee: Knee) -> None:
    content = nifti(knee, vox_offset=352 + 64)
    extension = (64).to_bytes(4, "little") + (6).to_bytes(4, "little") + b"a comment".ljust(56, b"\0")
    _write(folder / "dess.nii", content[:348] + b"\1\0\0\0" + extension + content[352:])


def _pair(folder: Path, knee: Knee) -> None:
    """Analyze 7.5: a header without orientation, voxels beside it."""
    content = nifti(knee, sform_code=0, vox_offset=0)
    _write(folder / "dess.hdr", content[:344] + bytes(4))
    _write(folder / "dess.img", content[352:])


def _qform_only(folder: Path, knee: Knee) -> None:
    import nibabel

    array, affine = knee.stored("RAS")
    image = nibabel.Nifti1Image(array, None)
    image.set_sform(None, 0)
    image.set_qform(affine, 1)
    _write(folder / "dess.nii", image.to_bytes())


def _bare(linear: list[list[float]]) -> Plant:
    """The knee's voxels under directions of one axis each and an origin of 0."""

    def plant(folder: Path, knee: Knee) -> None:
        array, _ = knee.stored("PIR")
        affine = np.eye(4)
        affine[:3, :3] = linear
        _write(folder / "dess.nii.gz", gzip.compress(nifti_of(array, affine), 1))

    return plant


def _turned(folder: Path, knee: Knee) -> None:
    """Voxel sizes alone, as ITK writes them, and then turned to RAS+ by who took them for true."""
    array, _ = knee.stored("PIR")
    affine = np.diag([3.2, 3.0, 4.0, 1.0])
    affine[:2, 3] = -affine[[0, 1], [0, 1]] * (np.asarray(array.shape[:2]) - 1)
    _write(folder / "dess.nii", nifti_of(array[::-1, ::-1], affine))


def _sheared(folder: Path, knee: Knee) -> None:
    array, affine = knee.stored("RAS")
    affine[:3, 1] += 0.7 * affine[:3, 2]
    _write(folder / "dess.nii", nifti_of(array, affine))


def _units(code: int, millimetres: float) -> Plant:
    """An affine in other units, and the code that says so."""

    def plant(folder: Path, knee: Knee) -> None:
        array, affine = knee.stored("RAS")
        affine[:3] /= millimetres
        _write(folder / "dess.nii.gz", gzip.compress(nifti_of(array, affine, xyzt_units=code), 1))

    return plant


def _named(name: str, *, packed: bool) -> Plant:
    return lambda folder, knee: _write(folder / name, gzip.compress(nifti(knee), 1) if packed else nifti(knee))


CASES: list[Planted] = [
    bad("wrong dimensions", "first axis too long", "nii", _plain(dim1=60)),
    bad("wrong dimensions", "first axis too long", "nii.gz", _packed(dim1=60)),
    bad("wrong dimensions", "first axis too short", "nii", _plain(dim1=15)),
    bad("wrong dimensions", "first axis too short", "nii.gz", _packed(dim1=15)),
    bad("wrong dimensions", "an axis of zero", "nii", _plain(dim2=0)),
    bad("wrong dimensions", "a negative axis", "nii.gz", _packed(dim3=-32)),
    bad("wrong dimensions", "no axes", "nii", _plain(ndim=0)),
    bad("wrong dimensions", "ninety axes", "nii", _plain(ndim=90)),
    bad("huge claims", "32767 cubed", "nii", _plain(dim1=32767, dim2=32767, dim3=32767)),
    bad("huge claims", "32767 cubed", "nii.gz", _packed(dim1=32767, dim2=32767, dim3=32767)),
    bad("huge claims", "a million cubed", "nii", _nifti2_claim),
    either("huge claims", "a gzip bomb behind the image", "nii.gz", _bomb),
    bad("huge claims", "a gzip bomb that fills its header's claim", "nii.gz", _hollow_bomb),
    bad("wrong dtype", "unknown code", "nii", _plain(datatype=77)),
    bad("wrong dtype", "wider than the voxels", "nii", _plain(datatype=64, bitpix=64)),
    either("wrong dtype", "bits that contradict the type", "nii", _plain(bitpix=8)),
    bad("wrong dtype", "half as wide as the voxels", "nii.gz", _packed(datatype=2, bitpix=8)),
    bad("wrong header", "voxels begin beyond the end", "nii", _plain(vox_offset=1e9)),
    bad("wrong header", "voxels begin nowhere", "nii", _plain(vox_offset=NAN)),
    bad("wrong header", "voxels begin before the file", "nii.gz", _packed(vox_offset=-500)),
    bad("wrong header", "size of the header", "nii", _plain(sizeof_hdr=1234567)),
    bad("bad affine", "NaN", "nii", _plain(srow00=NAN)),
    bad("bad affine", "NaN", "nii.gz", _packed(srow13=NAN)),
    bad("bad affine", "infinite", "nii", _plain(srow22=INF)),
    bad("bad affine", "singular", "nii.gz", _packed(srow00=0, srow10=0, srow20=0)),
    bad("bad affine", "all zeros", "nii", _plain(**_rows([[0.0] * 4] * 3))),
    bad("bad affine", "two axes alike", "nii", _plain(**_rows([[3, 3, 0, 0], [0, 0.001, 0, 0], [0, 0, 3, 0]]))),
    bad("bad affine", "identity", "nii.gz", _packed(**_rows([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]), pixdim1=1, pixdim2=1, pixdim3=1)),
    bad("bad affine", "no orientation codes", "nii", _plain(sform_code=0)),
    bad("bad affine", "voxel sizes alone", "nii.gz", _bare([[3.2, 0, 0], [0, 3, 0], [0, 0, 4]])),
    bad("bad affine", "voxel sizes alone, from ITK", "nii.gz", _bare([[-3.2, 0, 0], [0, -3, 0], [0, 0, 4]])),
    bad("bad affine", "voxel sizes alone, from Analyze", "nii.gz", _bare([[-3.2, 0, 0], [0, 3, 0], [0, 0, 4]])),
    bad("bad affine", "voxel sizes alone, axes reversed", "nii.gz", _bare([[0, 0, 4], [0, 3, 0], [3.2, 0, 0]])),
    bad("bad affine", "voxel sizes alone, axes in another order", "nii.gz", _bare([[0, 0, 4], [3.2, 0, 0], [0, 3, 0]])),
    bad("bad affine", "voxel sizes alone, turned afterwards", "nii", _turned),
    bad("bad affine", "strongly sheared", "nii", _plain(**_rows([[3, 2.5, 0, 0], [0, 3, 0, 0], [0, 0, 4, 0]]))),
    bad("bad affine", "strongly sheared, its voxel sizes agree", "nii", _sheared),
    bad("absurd spacing", "micrometres", "nii", _plain(**_rows([[0.003, 0, 0, 0], [0, 0.003, 0, 0], [0, 0, 0.003, 0]]))),
    bad("absurd spacing", "metres", "nii.gz", _packed(**_rows([[900, 0, 0, 0], [0, 900, 0, 0], [0, 0, 900, 0]]))),
    bad("absurd spacing", "one axis of a metre", "nii.gz", _packed(**_rows([[1000, 0, 0, 0], [0, 3, 0, 0], [0, 0, 3, 0]]))),
    either("absurd spacing", "zero pixel size beside a good affine", "nii", _plain(pixdim1=0)),
    either("absurd spacing", "negative pixel size beside a good affine", "nii", _plain(pixdim2=-3)),
    either("absurd spacing", "NaN pixel size beside a good affine", "nii.gz", _packed(pixdim3=NAN)),
    either("absurd spacing", "broken quaternion beside a good affine", "nii", _plain(qform_code=1, quatern_b=NAN)),
    legal("rescaling", "slope 0 means none", "nii.gz", _packed(scl_slope=0)),
    legal("rescaling", "slope NaN means none", "nii", _plain(scl_slope=NAN)),
    legal("rescaling", "slope 2, intercept -100", "nii.gz", _packed(scl_slope=2, scl_inter=-100)),
    either("rescaling", "slope infinite", "nii", _plain(scl_slope=INF)),
    either("rescaling", "intercept NaN", "nii.gz", _packed(scl_slope=2, scl_inter=NAN)),
    legal("dtype", "float32", "nii.gz", _typed("<f4", 0.25)),
    legal("dtype", "float64", "nii.gz", _typed("<f8", 1e-3)),
    legal("dtype", "uint16", "nii.gz", _typed("<u2", 8)),
    legal("dtype", "int32", "nii.gz", _typed("<i4", 1000)),
    legal("dtype", "int64", "nii.gz", _typed("<i8", 1000)),
    legal("dtype", "big-endian", "nii.gz", _big_endian),
    legal("dtype", "NIfTI-2", "nii.gz", _nifti2),
    bad("dtype", "complex", "nii", _shaped("complex")),
    bad("dtype", "complex of 128 bits", "nii", _shaped("complex 128")),
    bad("dtype", "RGB", "nii", _rgb),
    legal("4D", "of one volume", "nii", _shaped("4D of one")),
    bad("4D", "of two volumes", "nii", _shaped("4D of two")),
    bad("4D", "vectors", "nii", _shaped("5D vector")),
    bad("4D", "two axes only", "nii", _shaped("2D")),
    bad("4D", "one slice", "nii", _shaped("one slice")),
    bad("no picture", "constant", "nii", _shaped("constant")),
    bad("no picture", "one voxel NaN", "nii.gz", _voxel(NAN)),
    bad("no picture", "one voxel infinite", "nii.gz", _voxel(INF)),
    bad("no picture", "every other voxel NaN", "nii.gz", _voxel(NAN, 9000)),
    legal("odd but legal", "gzip in several members", "nii.gz", _members),
    legal("odd but legal", "a header extension", "nii", _extension),
    legal("odd but legal", "metres", "nii.gz", _units(1, 1000)),
    legal("odd but legal", "micrometres and seconds", "nii.gz", _units(3 + 8, 0.001)),
    legal("odd but legal", "no units", "nii.gz", _units(0, 1)),
    legal("odd but legal", "millimetres called metres", "nii.gz", _units(1, 1)),
    legal("odd but legal", "quaternion only", "nii", _qform_only),
    either("odd but legal", "Analyze pair", "hdr+img", _pair),
    either("names", "compressed, named .nii", "nii", _named("dess.nii", packed=True)),
    either("names", "not compressed, named .nii.gz", "nii.gz", _named("dess.nii.gz", packed=False)),
    legal("names", "upper case .NII.GZ", "nii.gz", _named("DESS.NII.GZ", packed=True)),
    legal("names", "upper case .NII", "nii", _named("DESS.NII", packed=False)),
]

"""MetaImage and NRRD headers that lie, and odd ones that are legal."""

from __future__ import annotations

import zlib
from pathlib import Path

from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Plant, Planted, bad, either, legal
from tests.ingestion.faults.volume_bytes import meta, nrrd


def _mha(codes: str = "LPS", dtype: str = "<i2", **fields: str | None) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        (folder / "dess.mha").write_bytes(b"".join(meta(knee, codes, dtype, **fields)))

    return plant


def _mhd(raw: str | None = "dess.raw", named: str = "dess.raw", name: str = "dess.mhd", **fields: str | None) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        header, voxels = meta(knee, data_file=named, **fields)
        (folder / name).write_bytes(header)
        if raw is not None:
            (folder / raw).write_bytes(voxels)

    return plant


def _compressed(*, wrong_size: bool) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        _, voxels = meta(knee)
        packed = zlib.compress(voxels)
        size = str(len(packed) // (2 if wrong_size else 1))
        header, _ = meta(knee, CompressedData="True", CompressedDataSize=size)
        (folder / "dess.mha").write_bytes(header + packed)

    return plant


def _crlf(folder: Path, knee: Knee) -> None:
    header, voxels = meta(knee)
    (folder / "dess.mha").write_bytes(header.replace(b"\n", b"\r\n") + voxels)


def _nrrd(codes: str = "LPS", dtype: str = "<i2", name: str = "dess.nrrd", **fields: str | None) -> Plant:
    return lambda folder, knee: _write(folder / name, nrrd(knee, codes, dtype, **fields))


def _raw_nrrd(folder: Path, knee: Knee) -> None:
    _write(folder / "dess.nrrd", nrrd(knee, "RIP", pack=None))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _segments(folder: Path, knee: Knee) -> None:
    """Key/value pairs as 3D Slicer writes them."""
    content = nrrd(knee)
    _write(folder / "dess.nrrd", content.replace(b"\n\n", b"\nSegment0_Name:=femur\nSegment0_Color:=1 0 0\n\n", 1))


_UNIT, _NOWHERE = "1 0 0 0 1 0 0 0 1", "0 0 0"
"""The direction and origin that SimpleITK writes of an array whose spacing alone was set."""

_META: list[Planted] = [
    bad("wrong dimensions", "more voxels than there are", "mha", _mha(DimSize="60 32 32")),
    bad("wrong dimensions", "fewer voxels than there are", "mha", _mha(DimSize="15 32 30")),
    bad("wrong dimensions", "an axis of zero", "mha", _mha(DimSize="0 32 30")),
    bad("wrong dimensions", "a negative axis", "mhd", _mhd(DimSize="20 -32 30")),
    bad("wrong dimensions", "no sizes", "mha", _mha(DimSize=None)),
    bad("wrong dimensions", "words for sizes", "mhd", _mhd(DimSize="twenty by thirty")),
    bad("huge claims", "a million cubed", "mha", _mha(DimSize="1000000 1000000 1000000")),
    bad("huge claims", "a million cubed", "mhd", _mhd(DimSize="1000000 1000000 1000000")),
    bad("huge claims", "1500 cubed", "mha", _mha(DimSize="1500 1500 1500")),
    bad("4D", "two axes", "mha", _mha(NDims="2", DimSize="20 960", ElementSpacing="1 1", Offset="0 0", TransformMatrix="1 0 0 1")),
    bad("4D", "four axes", "mha", _mha(NDims="4", DimSize="20 32 15 2", ElementSpacing="1 1 1 1", Offset="0 0 0 0", TransformMatrix=None)),
    bad("dtype", "three channels", "mha", _mha(ElementNumberOfChannels="3")),
    bad("wrong dtype", "unknown type", "mha", _mha(ElementType="MET_NUMBER")),
    bad("wrong dtype", "wider than the voxels", "mhd", _mhd(ElementType="MET_DOUBLE")),
    legal("dtype", "big-endian", "mha", _mha("RAS", ">i2")),
    legal("dtype", "float32", "mha", _mha("RAS", "<f4")),
    bad("absurd spacing", "zero", "mha", _mha(ElementSpacing="0 3 3")),
    bad("absurd spacing", "negative", "mha", _mha(ElementSpacing="3 -3 3")),
    bad("absurd spacing", "NaN", "mhd", _mhd(ElementSpacing="nan 3 3")),
    bad("absurd spacing", "kilometres", "mha", _mha(ElementSpacing="1000000 3 3")),
    bad("absurd spacing", "nanometres", "mha", _mha(ElementSpacing="0.000001 0.000001 0.000001")),
    bad("absurd spacing", "not given", "mha", _mha(ElementSpacing=None, TransformMatrix=None, Offset=None)),
    bad("bad affine", "singular", "mha", _mha(TransformMatrix="1 0 0 1 0 0 0 0 1")),
    bad("bad affine", "zeros", "mhd", _mhd(TransformMatrix="0 0 0 0 0 0 0 0 0")),
    bad("bad affine", "NaN", "mha", _mha(TransformMatrix="nan 0 0 0 1 0 0 0 1")),
    bad("bad affine", "spacing alone", "mha", _mha("RIP", TransformMatrix=_UNIT, Offset=_NOWHERE)),
    bad("bad affine", "spacing alone, no transform", "mha", _mha("PIR", TransformMatrix=None, Offset=None)),
    bad("bad affine", "spacing alone, axes in another order", "mhd", _mhd(TransformMatrix="0 1 0 0 0 1 1 0 0", Offset=_NOWHERE)),
    bad("bad affine", "spacing alone, RAS+", "mha", _mha("PIR", TransformMatrix="-1 0 0 0 -1 0 0 0 1", Offset=_NOWHERE)),
    bad("bad affine", "NaN origin", "mha", _mha(Offset="nan 0 0")),
    bad("bad affine", "strongly sheared", "mha", _mha(TransformMatrix="1 0 0 0.7 0.7 0 0 0 1")),
    bad("links", "the voxels' file is not there", "mhd", _mhd(raw=None)),
    bad("links", "the voxels' file is the system's", "mhd", _mhd(raw=None, named="/etc/passwd")),
    bad("links", "the voxels' file is the header", "mhd", _mhd(raw=None, named="dess.mhd")),
    bad("links", "the voxels' file is a folder", "mhd", _mhd(raw=None, named=".")),
    bad("links", "no voxels' file is named", "mhd", _mhd(named="")),
    legal("odd but legal", "compressed", "mha", _compressed(wrong_size=False)),
    either("odd but legal", "compressed, its size told wrongly", "mha", _compressed(wrong_size=True)),
    either("odd but legal", "lines end in CRLF", "mha", _crlf),
    legal("odd but legal", "a name with blanks", "mhd", _mhd(raw="right knee.raw", named="right knee.raw", name="right knee.mhd")),
    legal("names", "upper case .MHA", "mha", lambda folder, knee: _write(folder / "DESS.MHA", b"".join(meta(knee)))),
]

_NRRD: list[Planted] = [
    bad("wrong dimensions", "more voxels than there are", "nrrd", _nrrd(sizes="60 32 32")),
    bad("wrong dimensions", "fewer voxels than there are", "nrrd", _nrrd(sizes="15 32 30")),
    bad("wrong dimensions", "an axis of zero", "nrrd", _nrrd(sizes="0 32 30")),
    bad("wrong dimensions", "no sizes", "nrrd", _nrrd(sizes=None)),
    bad("huge claims", "a million cubed", "nrrd", _nrrd(sizes="1000000 1000000 1000000")),
    bad("4D", "two axes", "nrrd", _nrrd(dimension="2", sizes="20 960", space_directions="(1,0,0) (0,1,0)", kinds="domain domain")),
    bad(
        "dtype",
        "colours",
        "nrrd",
        _nrrd(dimension="4", sizes="3 20 16 20", space_directions="none (3,0,0) (0,3,0) (0,0,3)", kinds="RGB-color domain domain domain"),
    ),
    bad("wrong dtype", "unknown type", "nrrd", _nrrd(type="number")),
    bad("wrong dtype", "unknown encoding", "nrrd", _nrrd(encoding="zebra")),
    legal("dtype", "big-endian", "nrrd", _nrrd("RAS", ">i2")),
    legal("dtype", "double", "nrrd", _nrrd("RAS", "<f8")),
    bad("bad affine", "no space", "nrrd", _nrrd(space=None, space_directions=None, space_origin=None)),
    bad("bad affine", "NaN direction", "nrrd", _nrrd(space_directions="(nan,0,0) (0,3,0) (0,0,3)")),
    bad("bad affine", "a direction of zeros", "nrrd", _nrrd(space_directions="(0,0,0) (0,3,0) (0,0,3)")),
    bad("bad affine", "singular", "nrrd", _nrrd(space_directions="(3,0,0) (3,0,0) (0,0,3)")),
    bad("bad affine", "spacing alone", "nrrd", _nrrd("RIP", space_directions="(4,0,0) (0,3,0) (0,0,3.2)", space_origin="(0,0,0)")),
    bad(
        "bad affine",
        "spacing alone, RAS+",
        "nrrd",
        _nrrd("PIR", space="RAS", space_directions="(3.2,0,0) (0,3,0) (0,0,4)", space_origin="(0,0,0)"),
    ),
    bad(
        "bad affine", "spacings without directions", "nrrd", _nrrd(space=None, space_directions=None, space_origin=None, spacings="4 3 3.2")
    ),
    bad("bad affine", "a space in time", "nrrd", _nrrd(space="left-posterior-superior-time")),
    bad("absurd spacing", "kilometres", "nrrd", _nrrd(space_directions="(1e6,0,0) (0,1e6,0) (0,0,1e6)")),
    bad("absurd spacing", "nanometres", "nrrd", _nrrd(space_directions="(1e-6,0,0) (0,1e-6,0) (0,0,1e-6)")),
    bad("links", "the voxels' file is not there", "nrrd", _nrrd(data_file="nothing.raw")),
    legal("odd but legal", "not compressed", "nrrd", _raw_nrrd),
    legal("odd but legal", "names of segments", "nrrd", _segments),
    legal("names", "upper case .NRRD", "nrrd", _nrrd(name="DESS.NRRD")),
]

CASES = _META + _NRRD

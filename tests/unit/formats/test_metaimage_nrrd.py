"""MetaImage and NRRD: what SimpleITK reads, and what it passes over."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from kneeoa.errors import UnusableImage
from kneeoa.formats.nrrd_header import segment_labels
from kneeoa.formats.read_volume import read_volume
from kneeoa.formats.volume import Segment
from kneeoa.masks.tissue_labels import to_tissues
from tests.unit.formats.made import grid, pattern, same_place, write_itk

SHAPE = (6, 5, 4)
AFFINE = grid("ALI", (3.0, 0.5, 0.7), (10, -20, 30), tilt=9)
FORMATS = {".mha": "meta", ".mhd": "meta", ".nrrd": "nrrd", ".nhdr": "nrrd"}


def read(path: Path):
    return read_volume(path, FORMATS[path.suffix])


def reason(path: Path) -> str:
    with pytest.raises(UnusableImage) as caught:
        read(path)
    return caught.value.reason


def write(path: Path, compressed: bool = False, dtype: type = np.int16) -> Path:
    write_itk(path, pattern(SHAPE).astype(dtype), AFFINE)
    if compressed:
        SimpleITK.WriteImage(SimpleITK.ReadImage(str(path)), str(path), True)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64])
def test_each_type_lies_where_simpleitk_puts_it(tmp_path: Path, suffix: str, compressed: bool, dtype: type) -> None:
    path = write(tmp_path / f"a{suffix}", compressed, dtype)
    result, reference = read(path), SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(result.array, SimpleITK.GetArrayFromImage(reference))
    assert same_place(result, pattern(SHAPE), AFFINE)
    for index in ((0, 0, 0), (3, 0, 0), (0, 4, 0), (0, 0, 5)):
        x, y, z = reference.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(result.affine @ (*index[::-1], 1), (-x, -y, z, 1), atol=1e-4)


@pytest.mark.parametrize("suffix", [".mha", ".nrrd"])
def test_big_endian_voxels(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}")
    content = path.read_bytes().replace(b"endian: little", b"endian: big").replace(b"ByteOrderMSB = False", b"ByteOrderMSB = True")
    path.write_bytes(content[:-240] + pattern(SHAPE).astype(">i2").tobytes())
    result = read(path)
    assert same_place(result, pattern(SHAPE), AFFINE)
    assert result.array.dtype.isnative


@pytest.mark.parametrize("suffix", [".mha", ".nrrd"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("isal", [True, False])
def test_cut_padded_and_damaged_files(tmp_path: Path, suffix: str, compressed: bool, isal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isal:
        monkeypatch.setitem(sys.modules, "isal", None)
    path = write(tmp_path / f"a{suffix}", compressed)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 11):
        path.write_bytes(whole[:length])
        # A header cut within 'LOCAL' names a file that is not there.
        assert reason(path) in ("unreadable", "not-3d", "missing-file"), length
    if compressed:
        for place in range(20, 90, 7):
            content = bytearray(whole)
            content[-place] ^= 0x5A
            path.write_bytes(content)
            assert reason(path) in ("unreadable", "wrong-dimensions"), place
    for old, new, slug in (
        (b"4 5 6", b"4 5 5", "wrong-dimensions"),
        (b"4 5 6", b"4 5 7", "unreadable"),
        (b"4 5 6", b"9999 9999 9999", "too-large"),
    ):
        path.write_bytes(whole.replace(old, new))
        assert reason(path) == slug
    assert whole.count(b"4 5 6") == 1


@pytest.mark.parametrize(
    ("old", "new", "slug"),
    [
        (rb"ElementSpacing = .*", b"ElementSpacing = 0 0.5 3", "absurd-spacing"),
        (rb"ElementSpacing = .*", b"ElementSpacing = -0.7 0.5 3", "absurd-spacing"),
        (rb"ElementSpacing = .*", b"ElementSpacing = nan 0.5 3", "absurd-spacing"),
        (rb"ElementSpacing = .*", b"ElementSpacing = 700 500 3000", "absurd-spacing"),
        (rb"ElementSpacing = .*\n", b"", "missing-geometry"),
        (rb"ElementSpacing = .*", b"ElementSpacing = a b c", "unreadable"),
        (rb"TransformMatrix = .*", b"TransformMatrix = 0 0 0 0 0 0 0 0 0", "bad-affine"),
        (rb"TransformMatrix = .*", b"TransformMatrix = 1 0 0 1", "bad-affine"),
        (rb"Offset = .*", b"Offset = nan 0 0", "bad-affine"),
        (rb"NDims = 3", b"NDims = 4", "not-3d"),
        (rb"MET_SHORT", b"MET_MAGIC", "unreadable"),
        (rb"ElementType", b"ElementNumberOfChannels = 3\nElementType", "not-greyscale"),
        (rb"BinaryData = True", b"BinaryData = False", "unsupported-meta"),
        (rb"LOCAL", b"LIST", "unsupported-meta"),
        (rb"LOCAL", b"slice%03d.raw 1 6 1", "unsupported-meta"),
        (rb"LOCAL", b"../../secret.raw", "outside-folder"),
        (rb"LOCAL", b"/etc/passwd", "outside-folder"),
        (rb"LOCAL", b"C:\\\\data\\\\a.raw", "outside-folder"),
        (rb"LOCAL", b"..\\\\a.raw", "outside-folder"),
        (rb"LOCAL", b"nowhere.raw", "missing-file"),
    ],
)
def test_meta_headers_that_are_wrong(tmp_path: Path, old: bytes, new: bytes, slug: str) -> None:
    path = write(tmp_path / "a.mha")
    content, count = re.subn(old, new, path.read_bytes())
    assert count == 1
    path.write_bytes(content)
    assert reason(path) == slug


def test_a_meta_file_without_a_transform_has_the_axes_of_the_patient(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mha")
    path.write_bytes(re.sub(rb"TransformMatrix = .*\n", b"", path.read_bytes()))
    np.testing.assert_allclose(read(path).affine[:3, :3], np.diag([-1, -1, 1]) @ np.diag([0.7, 0.5, 3.0])[:, ::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "slug"),
    [
        (rb"space directions: \([^)]*\)", b"space directions: (0,0,0)", "bad-affine"),
        (rb"space directions: \([^)]*\)", b"space directions: (nan,0,0)", "bad-affine"),
        (rb"space directions: \([^)]*\)", b"space directions: (900,0,0)", "absurd-spacing"),
        (rb"space directions: .*\n", b"", "bad-affine"),
        (rb"space: .*", b"space dimension: 3", "ambiguous-affine"),
        (rb"space origin: .*\n", b"", "bad-affine"),
        (rb"type: short", b"type: block", "unreadable"),
        (rb"encoding: raw", b"encoding: ascii", "unsupported-nrrd"),
        (rb"encoding: raw", b"encoding: raw\nbyte skip: 7", "unsupported-nrrd"),
        (rb"encoding: raw", b"encoding: raw\ndata file: /etc/passwd", "outside-folder"),
        (rb"encoding: raw", b"encoding: raw\ndata file: nowhere.raw", "missing-file"),
        (rb"encoding: raw", b"encoding: raw\ndata file: LIST", "unsupported-nrrd"),
    ],
)
def test_nrrd_headers_that_are_wrong(tmp_path: Path, old: bytes, new: bytes, slug: str) -> None:
    path = write(tmp_path / "a.nrrd")
    content, count = re.subn(old, new, path.read_bytes())
    assert count == 1
    path.write_bytes(content)
    assert reason(path) == slug


@pytest.mark.parametrize(("space", "signs"), [("right-anterior-superior", (-1, -1, 1)), ("LAS", (1, -1, 1)), ("LPS", (1, 1, 1))])
def test_nrrd_axes_of_each_space(tmp_path: Path, space: str, signs: tuple[int, int, int]) -> None:
    path = write(tmp_path / "a.nrrd")
    path.write_bytes(path.read_bytes().replace(b"left-posterior-superior", space.encode()))
    np.testing.assert_allclose(read(path).affine, np.diag([*signs, 1]) @ AFFINE, atol=1e-4)


SEGMENTS = "Segment0_Name:=Femur\nSegment0_LabelValue:=1\nSegment0_Layer:=0\nSegment1_Name:=Cartilage: femoral\nSegment1_LabelValue:=4\n"


def segmentation(tmp_path: Path, text: str) -> Path:
    path = write(tmp_path / "a.nrrd")
    path.write_bytes(path.read_bytes().replace(b"encoding: raw", b"encoding: raw\n" + text.strip().encode()))
    return path.rename(tmp_path / "a.seg.nrrd")


def test_segments_of_slicer_have_names(tmp_path: Path) -> None:
    path = segmentation(tmp_path, SEGMENTS)
    assert segment_labels(path) == {"Femur": 1, "Cartilage: femoral": 4}
    assert same_place(read(path), pattern(SHAPE), AFFINE)
    assert read(path).segments == (Segment("Femur", 1, "0"), Segment("Cartilage: femoral", 4, "0"))


def test_a_mask_of_segments_is_translated_by_their_names(tmp_path: Path) -> None:
    path = segmentation(tmp_path, SEGMENTS)
    out = to_tissues(read(path), {"femur": (4,), "femoral_cartilage": ("cartilage femoral",)}).array
    np.testing.assert_array_equal(out == 2, read(path).array == 1)
    np.testing.assert_array_equal(out == 1, read(path).array == 4)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        (SEGMENTS + "Segment1_Layer:=1\n", "layered-segmentation"),
        (SEGMENTS.replace("Value:=4", "Value:=1"), "layered-segmentation"),
        (SEGMENTS.replace("Cartilage: femoral", "Femur"), "layered-segmentation"),
        (SEGMENTS.replace("Segment1_LabelValue:=4\n", ""), "layered-segmentation"),
        ("Other:=1", "unreadable"),
    ],
)
def test_segments_that_are_no_label_map(tmp_path: Path, text: str, slug: str) -> None:
    with pytest.raises(UnusableImage) as caught:
        segment_labels(segmentation(tmp_path, text))
    assert caught.value.reason == slug


@pytest.mark.parametrize(
    ("kind", "text", "slug"), [("list", SEGMENTS, "layered-segmentation"), ("vector", "", "not-greyscale"), ("time", "", "not-3d")]
)
def test_a_fourth_axis_is_named_for_what_it_is(tmp_path: Path, kind: str, text: str, slug: str) -> None:
    path = write(tmp_path / "a.nrrd")
    content = path.read_bytes().replace(b"dimension: 3", b"dimension: 4").replace(b"sizes: ", b"sizes: 2 ")
    content = content.replace(b"space directions: ", b"space directions: none ").replace(b"kinds: ", f"{text}kinds: {kind} ".encode())
    path.write_bytes(content + bytes(240))
    assert reason(path) == slug

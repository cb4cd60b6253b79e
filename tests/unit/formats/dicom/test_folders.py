"""Other files in a folder of slices, archives of slices, and what must never be said of a
header.
"""

import errno
import gzip
import io
import logging
import tarfile
import traceback
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset

from kneeoa.errors import UnusableImage
from kneeoa.formats import archive
from kneeoa.formats.file_names import format_of
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, pattern, recompress, same_place, write_series

SHAPE = (6, 5, 4)
AFFINE = grid("RIP", (3.0, 0.5, 0.7), (10, 20, 30), tilt=8)


def reason(path: Path, format: str = "dicom") -> str:
    with pytest.raises(UnusableImage) as caught:
        read_volume(path, format)
    return caught.value.reason


def test_what_is_no_slice_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "Knie ü 膝"
    files = write_series(folder, pattern(SHAPE), AFFINE, [f"Schnitt {number} é" for number in range(6)])
    for name in (".DS_Store", "._001", "DICOMDIR", "dicomdir", "notes.txt", "Thumbs.db", "page.HTML"):
        (folder / name).write_bytes(b"\0\5\x16\7 junk" * 30)
    (folder / "more").mkdir()
    (folder / "more/001").write_bytes(b"junk")
    (folder / "loop").symlink_to(folder)
    report = pydicom.dcmread(files[0])
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    del report.PixelData, report.Rows, report.Columns
    report.save_as(folder / "report")
    shot = pydicom.dcmread(files[0])
    shot.SOPClassUID = shot.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    shot.SamplesPerPixel, shot.PhotometricInterpretation, shot.PlanarConfiguration = 3, "RGB", 0
    del shot.ImagePositionPatient
    shot.save_as(folder / "screenshot")
    assert same_place(read_volume(folder, "dicom"), pattern(SHAPE), AFFINE)


@pytest.mark.parametrize("name", ["007", "007.dcm", "junk.bin"])
@pytest.mark.parametrize("content", [b"", b"junk" * 100, b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM" + b"junk" * 100])
def test_junk_that_may_have_been_a_slice_makes_the_case_unusable(tmp_path: Path, name: str, content: bytes) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    (tmp_path / "s" / name).write_bytes(content)
    assert reason(tmp_path / "s") == "unreadable"


def test_links_that_lead_nowhere_are_not_dropped(tmp_path: Path) -> None:
    files = write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    files[5].unlink()
    files[5].symlink_to(files[5])
    assert reason(tmp_path / "s") == "unreadable"
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert reason(tmp_path / "round") == "missing-file"


def failing(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    real: Callable[..., Any] = Path.open

    def deny(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "003":
            raise OSError(code, "what the machine says")
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", deny)


def test_a_file_that_may_not_be_read_is_an_exclusion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    failing(monkeypatch, errno.EACCES)
    assert reason(tmp_path / "s") == "unreadable"


def test_a_machine_in_trouble_excludes_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    failing(monkeypatch, errno.ESTALE)
    with pytest.raises(OSError, match="what the machine says"):
        read_volume(tmp_path / "s", "dicom")


def test_files_without_a_preamble_and_with_long_headers_are_read(tmp_path: Path) -> None:
    for number, path in enumerate(write_series(tmp_path / "s", pattern(SHAPE), AFFINE)):
        data = pydicom.dcmread(path)
        data.add_new(0x00091001, "OB", bytes(100_000))
        data.save_as(path)
        if number % 2:
            bare = io.BytesIO()
            data.file_meta, data.preamble = FileMetaDataset(), None
            pydicom.dcmwrite(bare, data, implicit_vr=False, little_endian=True, enforce_file_format=False)
            path.write_bytes(bare.getvalue())
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


def pack(folder: Path, path: Path) -> Path:
    """An archive of a folder, with what macOS and odd tools put in."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            for file in sorted(folder.iterdir()):
                out.write(file, f"a/b/{file.name}")
            out.writestr("__MACOSX/a/._001", b"junk")
            out.writestr("../../escape.txt", b"junk")
        return path
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as out:
        out.add(folder, "series")
        for name in ("series/._001", "../../../escape.txt", "/absolute.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = 4
            out.addfile(entry, io.BytesIO(b"junk"))
        link = tarfile.TarInfo("series/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    return path


ARCHIVES = ("s.tar.gz", "s.TGZ", "s.tar", "s.zip")


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"])
def test_an_archive_is_read_in_memory(tmp_path: Path, name: str, syntax: str) -> None:
    for path in write_series(tmp_path / "s", pattern(SHAPE), AFFINE, ["c", "a", "f", "b", "e", "d"]):
        recompress(path, syntax)
    result = pack(tmp_path / "s", tmp_path / name)
    assert format_of(name) == "dicom-archive"
    before = sorted(tmp_path.rglob("*"))
    assert same_place(read_volume(result, "dicom-archive"), pattern(SHAPE), AFFINE)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_cut_anywhere_is_never_read(tmp_path: Path, name: str) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    path = pack(tmp_path / "s", tmp_path / name)
    whole = path.read_bytes()
    last = len(whole) - 9
    if path.suffix == ".tar":  # what follows the two empty blocks at the end of a tar file is padding
        last = len(whole.rstrip(b"\0")) // 512 * 512 + 512
    for length in [*np.linspace(0, last, 40).astype(int), *range(0, last, 512)]:
        path.write_bytes(whole[:length])
        assert reason(path, "dicom-archive") in ("unreadable", "too-few-slices"), length


def test_a_damaged_byte_in_an_archive_is_found(tmp_path: Path) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    for name in ("s.tar.gz", "s.zip", "s.tar"):
        path = pack(tmp_path / "s", tmp_path / name)
        content = bytearray(path.read_bytes())
        # A tar file has checksums of its members' headers only.
        content[content.index(b"series/003") if name == "s.tar" else len(content) // 3] ^= 0xFF
        path.write_bytes(bytes(content))
        assert reason(path, "dicom-archive") == "unreadable"


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    path = pack(tmp_path / "s", tmp_path / name)
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 3000)
    assert reason(path, "dicom-archive") == "too-large"
    monkeypatch.undo()
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 500)
    assert reason(path, "dicom-archive") == "too-large"


def test_a_bomb_that_is_no_slice_is_not_inflated_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.tgz"
    with tarfile.open(path, "w:gz") as out:
        entry = tarfile.TarInfo("._hidden")
        entry.size = 2_000_000
        out.addfile(entry, io.BytesIO(bytes(2_000_000)))
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 100_000)
    assert reason(path, "dicom-archive") == "too-large"
    (tmp_path / "text.tgz").write_bytes(gzip.compress(b"hello" * 1000))
    assert reason(tmp_path / "text.tgz", "dicom-archive") == "unreadable"


SECRETS = ("Geheimrat", "19391224", "Klinikum", "Kennwort")


@pytest.mark.parametrize("fault", ["none", "uid", "cut", "number", "jpeg"])
def test_nothing_of_a_header_is_said(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    files = write_series(
        tmp_path / "s", pattern(SHAPE), AFFINE, PatientName="Geheimrat^Anna", PatientBirthDate="19391224", InstitutionName="Klinikum"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in files:
            data = pydicom.dcmread(path)
            if fault == "uid":
                data.SeriesInstanceUID = data.StudyInstanceUID = "Kennwort"
            data.save_as(path)
            content = path.read_bytes()
            if fault == "number":
                spoiled = pydicom.dcmread(path)
                spoiled.add_new("PixelSpacing", "LO", ["Kennwort", "Kennwort"])
                spoiled.save_as(path)
            if fault == "cut":
                path.write_bytes(content[: content.index(b"Geheimrat") + 4])
            if fault == "jpeg":
                recompress(path, "1.2.840.10008.1.2.4.70")
                path.write_bytes(path.read_bytes()[:-40] + b"Kennwort" * 5)
    caplog.clear()
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            message = str(read_volume(tmp_path / "s", "dicom").array.shape)
        except UnusableImage as error:
            message = "".join(traceback.format_exception(error))
    assert ("(6, 5, 4)" in message) == (fault in ("none", "uid"))
    output = message + caplog.text + "".join(str(each.message) for each in warned) + "".join(capfd.readouterr())
    assert not any(secret in output for secret in SECRETS), output


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
@pytest.mark.parametrize("first", ["SpecificCharacterSet", "InstanceCreationDate", "SOPInstanceUID", "StudyDate", "Modality"])
def test_files_without_a_preamble_may_begin_with_any_element(tmp_path: Path, syntax: str, first: str) -> None:
    order = ["SpecificCharacterSet", "ImageType", "InstanceCreationDate", "SOPClassUID", "SOPInstanceUID", "StudyDate", "Modality"]
    dates = {"InstanceCreationDate": "20200101", "StudyDate": "20200101"}
    for path in write_series(tmp_path / "s", pattern(SHAPE), AFFINE, SpecificCharacterSet="ISO_IR 100", **dates):
        recompress(path, syntax)
        data = pydicom.dcmread(path)
        for keyword in order[: order.index(first)]:
            if keyword in data:
                delattr(data, keyword)
        plain, bare = pydicom.Dataset(), io.BytesIO()
        plain.update({element.tag: element for element in data})
        implicit, little = syntax == "1.2.840.10008.1.2", syntax != "1.2.840.10008.1.2.2"
        pydicom.dcmwrite(bare, plain, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
        path.write_bytes(bare.getvalue())
        assert bare.getvalue()[128:132] != b"DICM"
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


@pytest.mark.parametrize("suffix", [".dcm.gz", ".gz", ".DCM.GZ"])
def test_slices_compressed_one_by_one_are_read(tmp_path: Path, suffix: str) -> None:
    for path in write_series(tmp_path / "s", pattern(SHAPE), AFFINE):
        path.with_name(path.name + suffix).write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    before = sorted(tmp_path.rglob("*"))
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)
    assert sorted(tmp_path.rglob("*")) == before
    victim = before[3]
    for content in (victim.read_bytes()[:-9], b"junk" * 99, b"", gzip.compress(b"junk" * 99)):
        victim.write_bytes(content)
        assert reason(tmp_path / "s") == "unreadable"


def test_a_slice_that_inflates_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in write_series(tmp_path / "s", pattern(SHAPE), AFFINE):
        path.with_name(f"{path.name}.dcm.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 500)
    assert reason(tmp_path / "s") == "too-large"


CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def as_capture(files: list[Path], **tags: Any) -> None:
    for path in files:
        data = pydicom.dcmread(path)
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = CAPTURE
        data.ImageType = ["DERIVED", "SECONDARY"]
        for keyword, value in tags.items():
            if value is None:
                delattr(data, keyword)
            else:
                setattr(data, keyword, value)
        data.save_as(path)


@pytest.mark.parametrize("spacing", ["PixelSpacing", "NominalScannedPixelSpacing", "ImagerPixelSpacing"])
def test_captures_that_lie_in_the_patient_are_slices(tmp_path: Path, spacing: str) -> None:
    as_capture(write_series(tmp_path / "s", pattern(SHAPE), AFFINE), **{"PixelSpacing": None} | {spacing: [0.5, 0.7]})
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


def test_captures_beside_slices_are_left(tmp_path: Path) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    other = [f"x{number}" for number in range(6)]
    as_capture(write_series(tmp_path / "s", pattern(SHAPE)[::-1], AFFINE, other, SeriesInstanceUID="1.2.3.9"))
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)

"""Label maps of radiographs: every label as it was drawn, or a reason why not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kneeoa.errors import UnusableImage
from kneeoa.radiographs.label_picture import read_label_picture

LABELS = np.repeat(np.arange(5, dtype=np.uint8), 60).reshape(15, 20)


@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp"])
def test_grey_levels_are_labels(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(LABELS).save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read_label_picture(tmp_path / f"a.{suffix}", suffix), LABELS)


def test_labels_of_sixteen_bits_are_kept(tmp_path: Path) -> None:
    Image.fromarray(LABELS.astype(np.uint16) * 300).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_picture(tmp_path / "a.png", "png"), LABELS.astype(int) * 300)


def test_indices_of_a_palette_are_labels_whatever_their_colours(tmp_path: Path) -> None:
    picture = Image.fromarray(LABELS)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90])
    picture.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as stored:
        assert stored.mode == "P"
    np.testing.assert_array_equal(read_label_picture(tmp_path / "a.png", "png"), LABELS)


def test_colours_without_a_palette_and_lossy_pictures_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((15, 20, 3), dtype=np.uint8)
    colours[:7, :, 0] = 255
    Image.fromarray(colours).save(tmp_path / "a.png")
    Image.fromarray(LABELS).save(tmp_path / "a.jpg")
    for name, kind, reason in (
        ("a.png", "png", "not-greyscale"),
        ("a.jpg", "jpeg", "not-a-label-map"),
        ("a.nii", "nifti", "not-a-label-map"),
    ):
        with pytest.raises(UnusableImage) as caught:
            read_label_picture(tmp_path / name, kind)
        assert caught.value.reason == reason


@pytest.mark.parametrize(("content", "reason"), [(b"", "unreadable"), (b"\x89PNG\r\n\x1a\n\0\0", "unreadable"), (None, "missing-file")])
def test_damaged_and_missing_files_have_their_reason(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnusableImage) as caught:
        read_label_picture(tmp_path / "a.png", "png")
    assert caught.value.reason == reason


def test_a_cut_picture_with_a_palette_is_damaged(tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 5, (200, 200), dtype=np.uint8))
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90])
    picture.save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnusableImage) as caught:
        read_label_picture(tmp_path / "a.png", "png")
    assert caught.value.reason == "unreadable"

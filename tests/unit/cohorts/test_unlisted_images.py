"""Images that no line of a manifest names are counted, once."""

from pathlib import Path

import pytest

from kneeoa.cohorts.manifest import read
from kneeoa.config.cohorts import Cohort


def tree(root: Path, lines: list[str], files: list[str], **columns: str) -> list[str]:
    """The loose reasons of a manifest of these lines beside these files."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    (root / "t.csv").write_text("\n".join(lines) + "\n")
    section = {"table": "t.csv", "subject": "id", "path": "file"} | columns
    cohort = Cohort.model_validate({"reader": "manifest", "root": "r", "views": ["pa"], "labels": {"kl": "kl"}, "manifest": section})
    return [f"{reason.reason}: {reason.detail}" for reason in read(cohort, root).loose]


def test_pictures_without_a_line_are_told_once(tmp_path: Path) -> None:
    files = [f"img/P{number:03d}.png" for number in range(30)]
    lines = ["id,kl,file", *(f"P{number:03d},{number % 5},img/P{number:03d}.png" for number in range(6))]
    assert tree(tmp_path, lines, files) == [
        "unlisted-image: 24 images below the root are named by no line of t.csv, the first is img/P006.png."
    ]


@pytest.mark.parametrize(
    ("lines", "files", "columns"),
    [
        (["id,kl,file", "a,0,img/a.png"], ["img/a.png", "readme.txt", "t.xlsx", "img/Thumbs.db"], {}),
        (["id,kl,file", "a,0,series/a"], ["series/a/001.dcm", "series/a/deep/002.dcm"], {}),
        (["id,kl,file", "a,0,series\\\\a"], ["series/a/001.dcm"], {}),
        (["id,kl,file", "a,0,a.png"], ["img/a.png", "elsewhere/b.png"], {"folder": "img"}),
        (["id,kl,file,m", "a,0,a.nii.gz,a_mask.nii.gz"], ["a.nii.gz", "a_mask.nii.gz"], {"mask": "m"}),
        (["id,kl,file,month", "a,0,a.png,00m", "a,0,b.png,99m"], ["a.png", "b.png"], {"visit": "month"}),
    ],
)
def test_what_a_line_names_is_listed_whatever_becomes_of_the_line(
    tmp_path: Path, lines: list[str], files: list[str], columns: dict[str, str]
) -> None:
    assert not any(reason.startswith("unlisted-image") for reason in tree(tmp_path, lines, files, **columns))


def test_columns_for_each_view_name_their_files(tmp_path: Path) -> None:
    section = {"table": "t.csv", "subject": "id", "path": "{view}_file", "views": {"pa": "front", "lateral": "side"}}
    given = {"reader": "manifest", "root": "r", "views": ["pa", "lateral"], "labels": {"kl": "kl"}, "manifest": section}
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).touch()
    (tmp_path / "t.csv").write_text("id,kl,front_file,side_file\nx,1,a.png,b.png\n")
    assert [reason.detail for reason in read(Cohort.model_validate(given), tmp_path).loose] == [
        "1 images below the root are named by no line of t.csv, the first is c.png."
    ]

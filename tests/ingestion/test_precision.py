"""An edit of the raw data reruns exactly the shard that it touches, in every layout; and no other
shard's bytes change.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kneeoa.atomic_io import sha256_file
from kneeoa.cohorts.raw_digests import UNATTRIBUTED, raw_digests
from kneeoa.cohorts.shards import shard_of
from kneeoa.config.cohorts import Cohort
from tests.ingestion.faults.dicom_series import datasets, save
from tests.ingestion.faults.knees import VIEW, knee
from tests.ingestion.faults.single_files import write_gz
from tests.ingestion.layouts import LAYOUTS, PEOPLE, SHARDS, Layout
from tests.ingestion.stages import Tables, barcode, build_tables, run_volumes, series, write_tables


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest, tmp_path: Path) -> Layout:
    chosen = LAYOUTS[request.param]
    chosen.write(tmp_path, chosen.subjects)
    return chosen


def changed(root: Path, source: Layout, edit: Callable[[], object]) -> set[int]:
    """The shards whose digest an edit changes; tables of the whole cohort apart."""
    before = raw_digests(root, source.cohort)
    edit()
    after = raw_digests(root, source.cohort)
    assert before.keys() == after.keys() == {UNATTRIBUTED, *range(SHARDS)}
    return {key for key in before if before[key] != after[key]} - {UNATTRIBUTED}


def test_nothing_changes_where_nothing_is_touched(layout: Layout, tmp_path: Path) -> None:
    assert changed(tmp_path, layout, lambda: None) == set()
    assert len({shard_of(subject, SHARDS) for subject in layout.subjects}) >= 4, "too few shards to tell them apart"


def test_a_file_that_is_touched_changes_its_shard_alone(layout: Layout, tmp_path: Path) -> None:
    for subject in layout.subjects:
        for place in filter(None, (layout.image, layout.mask)):
            path = place(tmp_path, subject)
            expected = {shard_of(subject, SHARDS)}
            assert changed(tmp_path, layout, lambda path=path: os.utime(path, ns=(1, 1))) == expected
            assert changed(tmp_path, layout, lambda path=path: path.write_text("longer")) == expected
    assert changed(tmp_path, layout, layout.image(tmp_path, layout.subjects[0]).unlink) == {shard_of(layout.subjects[0], SHARDS)}


def test_a_new_subject_changes_its_shard_alone(layout: Layout, tmp_path: Path) -> None:
    new = layout.subjects[-1][:-2] + "99"
    more = (*layout.subjects, new)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    def add() -> None:
        layout.write(tmp_path, more)
        for path, stamp in stamps.items():
            if path.suffix not in (".csv", ".txt"):
                os.utime(path, ns=(stamp, stamp))

    assert changed(tmp_path, layout, add) == {shard_of(new, SHARDS)}


def test_an_edited_row_of_the_image_index_changes_its_shard_alone(layout: Layout, tmp_path: Path) -> None:
    if layout.index is None:
        pytest.skip("file names alone tell which image is whose in this layout")
    path = tmp_path / layout.index
    for subject in layout.subjects:
        lines = path.read_text().splitlines()
        at = next(number for number, line in enumerate(lines) if subject in line)
        lines[at] = lines[at].replace(",R,", ",L,").replace("RIGHT", "LEFT")
        assert changed(tmp_path, layout, lambda lines=lines: path.write_text("\n".join(lines) + "\n")) == {shard_of(subject, SHARDS)}


def test_an_edited_label_changes_the_tables_and_no_shard(layout: Layout, tmp_path: Path) -> None:
    if layout.labels is None:
        pytest.skip("labels have no table of their own in this layout")
    path = tmp_path / layout.labels
    before = raw_digests(tmp_path, layout.cohort)[UNATTRIBUTED]
    assert changed(tmp_path, layout, lambda: path.write_text(path.read_text().replace("|1\n", "|3\n"))) == set()
    assert raw_digests(tmp_path, layout.cohort)[UNATTRIBUTED] != before


def _volumes(root: Path, out: Path, cohort: Cohort) -> dict[int, tuple[str, ...]]:
    """SHA-256 of the files of every shard of volumes, made anew."""
    shutil.rmtree(out, ignore_errors=True)
    build_tables(root, out, cohort)
    for shard in range(SHARDS):
        run_volumes(root, out, VIEW, shard)
    return {shard: tuple(sha256_file(path) for path in Tables(out).of_shard("volumes", shard).values()) for shard in range(SHARDS)}


def test_bytes_change_where_digests_do_and_nowhere_else(tmp_path: Path) -> None:
    """A chain of edits of real files: after each, every shard is made anew; those whose digest
    stayed have the bytes that they had.
    """
    root, cohort = tmp_path / "raw", Cohort(reader="oai", root="raw", shards=SHARDS)
    people = PEOPLE[:8]
    write_tables(root, [(subject, "RIGHT", "1") for subject in people])
    for number, subject in enumerate(people):
        place = series(root, subject)
        if number % 2:
            write_gz(place, knee(number))
        else:
            save(place, datasets(knee(number)))
    contents = root / "contents.csv"

    def row(subject: str, old: str, new: str) -> None:
        contents.write_text(
            "".join(line.replace(old, new) if subject in line else line for line in contents.read_text().splitlines(keepends=True))
        )

    def new_person() -> None:
        write_gz(series(root, "9500077"), knee(77))
        line = contents.read_text().splitlines()[1].replace(people[0], "9500077").replace(barcode(people[0]), barcode("9500077"))
        contents.write_text(contents.read_text() + line + "\n")

    edits: dict[str, tuple[str, Callable[[], object]]] = {
        "another image": (people[1], lambda: write_gz(series(root, people[1]), knee(50))),
        "a slice is gone": (people[2], (series(root, people[2]) / "010").unlink),
        "the other side": (people[3], lambda: row(people[3], "DESS_RIGHT", "DESS_LEFT")),
        "no longer listed": (people[4], lambda: row(people[4], "SAG_3D_DESS", "COR_IW_TSE")),
        "the folder is gone": (people[5], lambda: shutil.rmtree(series(root, people[5]))),
        "somebody new": ("9500077", new_person),
        "a link to another's file": (
            people[7],
            lambda: _relink(series(root, people[7]) / "dess.nii.gz", series(root, people[1]) / "dess.nii.gz"),
        ),
    }
    digests, files = raw_digests(root, cohort), _volumes(root, tmp_path / "out", cohort)
    for name, (subject, edit) in edits.items():
        edit()
        new_digests, new_files = raw_digests(root, cohort), _volumes(root, tmp_path / "out", cohort)
        changed_digests = {shard for shard in range(SHARDS) if new_digests[shard] != digests[shard]}
        differ = {shard for shard in range(SHARDS) if new_files[shard] != files[shard]}
        assert differ == changed_digests == {shard_of(subject, SHARDS)}, name
        digests, files = new_digests, new_files


def _relink(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)

"""Digests of the raw tree: a subject's files move its own shard's digest and no other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kneeoa.cohorts.index import UNATTRIBUTED, raw_digests
from kneeoa.cohorts.shards import shard_of
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from tests.unit.cohorts.oai_tree import image, reading, series, write_tree

COHORT = Cohort(reader="oai", root="somewhere", shards=3)
SUBJECTS = [f"{9000001 + number}" for number in range(12)]


def tree(root: Path) -> None:
    write_tree(root, [series(subject, "LEFT") for subject in SUBJECTS], [reading(subject, "2", "1") for subject in SUBJECTS])
    for subject in SUBJECTS:
        image(root, subject)
        (root / "masks/x").mkdir(parents=True, exist_ok=True)
        (root / "masks/x" / f"{subject}_L_V00.nii.gz").write_bytes(b"m")


def changed(before: dict[int, str], after: dict[int, str]) -> set[int]:
    assert before.keys() == after.keys()
    return {key for key in before if before[key] != after[key]}


def test_every_shard_has_a_digest_that_stays_while_nothing_changes(tmp_path: Path) -> None:
    tree(tmp_path)
    digests = raw_digests(tmp_path, COHORT)
    assert sorted(digests) == [UNATTRIBUTED, 0, 1, 2]
    assert len(set(digests.values())) == 4
    assert raw_digests(tmp_path, COHORT) == digests


def test_a_subjects_files_change_its_shard_alone(tmp_path: Path) -> None:
    tree(tmp_path)
    before = raw_digests(tmp_path, COHORT)
    subject = SUBJECTS[4]
    own = {shard_of(subject, 3)}
    slice_ = tmp_path / "00m/0.C.2" / subject / "20040101/10000000/001"
    slice_.write_bytes(b"longer")
    resized = raw_digests(tmp_path, COHORT)
    assert changed(before, resized) == own
    os.utime(slice_, ns=(1, 1))
    touched = raw_digests(tmp_path, COHORT)
    assert changed(resized, touched) == own
    (tmp_path / "masks/x" / f"{subject}_L_V00.nii.gz").rename(tmp_path / "masks" / f"{subject}_L_V00.nii.gz")
    assert changed(touched, raw_digests(tmp_path, COHORT)) == own


def test_one_more_subject_changes_one_shard_and_a_table_none(tmp_path: Path) -> None:
    tree(tmp_path)
    before = raw_digests(tmp_path, COHORT)
    image(tmp_path, "9999999")
    after = raw_digests(tmp_path, COHORT)
    assert changed(before, after) == {shard_of("9999999", 3)}
    (tmp_path / "kxr_sq_bu00.txt").write_text("other")
    assert changed(after, raw_digests(tmp_path, COHORT)) == {UNATTRIBUTED}


def test_a_line_of_the_image_index_changes_its_subjects_shard_and_the_tables(tmp_path: Path) -> None:
    tree(tmp_path)
    before = raw_digests(tmp_path, COHORT)
    contents = tmp_path / "contents.csv"
    lines = contents.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if SUBJECTS[3] in line)
    lines[at] = lines[at].replace("LEFT", "RIGHT")
    contents.write_text("\n".join(lines) + "\n")
    assert changed(before, raw_digests(tmp_path, COHORT)) == {UNATTRIBUTED, shard_of(SUBJECTS[3], 3)}


def test_paper_as_files_are_attributed_by_their_own_names(tmp_path: Path) -> None:
    cohort = Cohort(reader="oai_zib", root="somewhere", shards=5)
    (tmp_path / "imagesTr").mkdir()
    for number in range(10):
        (tmp_path / f"imagesTr/oaizib_{number:03d}_0000.nii.gz").touch()
    before = raw_digests(tmp_path, cohort)
    (tmp_path / "imagesTr/oaizib_003_0000.nii.gz").write_bytes(b"x")
    assert changed(before, raw_digests(tmp_path, cohort)) == {shard_of("003", 5)}


def test_a_missing_root_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(KneeoaError, match="does not exist"):
        raw_digests(tmp_path / "none", COHORT)


def test_shards_are_stable_and_cover_their_range() -> None:
    assert [shard_of(subject, 4) for subject in ("9001104", "001")] == [shard_of(subject, 4) for subject in ("9001104", "001")]
    assert {shard_of(str(number), 4) for number in range(100)} == {0, 1, 2, 3}
    assert shard_of("9001104", 1) == 0


def test_importing_the_index_is_cheap() -> None:
    heavy = ("numpy", "pandas", "scipy", "torch", "pyarrow")
    code = f"import sys, kneeoa.cohorts.index; print([name for name in {heavy} if name in sys.modules])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment).stdout.strip() == "[]"

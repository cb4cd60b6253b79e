"""Digests of the raw tree: a subject's files move its own shard's digest and no other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kneeoa.cohorts.raw_digests import UNATTRIBUTED, raw_digests
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
    expected = {shard_of(subject, 3)}
    slice_ = tmp_path / "00m/0.C.2" / subject / "20040101/10000000/001"
    slice_.write_bytes(b"longer")
    resized = raw_digests(tmp_path, COHORT)
    assert changed(before, resized) == expected
    os.utime(slice_, ns=(1, 1))
    touched = raw_digests(tmp_path, COHORT)
    assert changed(resized, touched) == expected
    (tmp_path / "masks/x" / f"{subject}_L_V00.nii.gz").rename(tmp_path / "masks" / f"{subject}_L_V00.nii.gz")
    assert changed(touched, raw_digests(tmp_path, COHORT)) == expected


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
    cohort = Cohort(reader="oaizib_cm", root="somewhere", shards=5)
    (tmp_path / "imagesTr").mkdir()
    for number in range(10):
        (tmp_path / f"imagesTr/oaizib_{number:03d}_0000.nii.gz").touch()
    before = raw_digests(tmp_path, cohort)
    (tmp_path / "imagesTr/oaizib_003_0000.nii.gz").write_bytes(b"x")
    assert changed(before, raw_digests(tmp_path, cohort)) == {shard_of("003", 5)}


def manifest(root: Path, name: str = "knees.csv") -> Cohort:
    """Six subjects, an image each (a header with its data file, or a folder) and a label."""
    rows = ["id,side,file,kl"]
    for number in range(6):
        path = f"x/{number}.mhd" if number % 2 else f"x/series{number}"
        rows.append(f"s{number},R,{path},2")
        if number % 2:
            (root / "x").mkdir(exist_ok=True)
            (root / path).write_bytes(b"h")
            (root / path).with_suffix(".raw").write_bytes(b"r")
        else:
            (root / path / "deep").mkdir(parents=True)
            (root / path / "deep/001").write_bytes(b"d")
    (root / name).write_text("\n".join(rows))
    section = {"table": name, "subject": "id", "side": "side", "path": "file"}
    return Cohort.model_validate({"reader": "manifest", "root": "r", "shards": 5, "labels": {"kl": "kl"}, "manifest": section})


@pytest.mark.parametrize("path", ["x/series2/deep/001", "x/3.mhd", "x/3.raw"])
def test_a_manifests_files_belong_to_the_subject_that_their_row_names(tmp_path: Path, path: str) -> None:
    cohort = manifest(tmp_path)
    before = raw_digests(tmp_path, cohort)
    (tmp_path / path).write_bytes(b"other")
    subject = "s2" if "series2" in path else "s3"
    assert changed(before, raw_digests(tmp_path, cohort)) == {shard_of(subject, 5)}


def test_a_manifests_path_reruns_its_subjects_shard_and_a_label_none(tmp_path: Path) -> None:
    cohort = manifest(tmp_path)
    before = raw_digests(tmp_path, cohort)
    text = (tmp_path / "knees.csv").read_text()
    (tmp_path / "knees.csv").write_text(text.replace("x/3.mhd,2", "x/3.mhd,4"))
    relabelled = raw_digests(tmp_path, cohort)
    assert changed(before, relabelled) == {UNATTRIBUTED}
    (tmp_path / "knees.csv").write_text(text.replace("s3,R", "s3,L"))
    assert changed(relabelled, raw_digests(tmp_path, cohort)) == {UNATTRIBUTED, shard_of("s3", 5)}


def test_a_manifest_that_is_no_text_counts_for_every_shard(tmp_path: Path) -> None:
    cohort = manifest(tmp_path, "knees.parquet")
    before = raw_digests(tmp_path, cohort)
    (tmp_path / "x/3.raw").write_bytes(b"longer")
    after = raw_digests(tmp_path, cohort)
    assert changed(before, after) == set(before)
    (tmp_path / "knees.parquet").write_text("more")
    assert changed(after, raw_digests(tmp_path, cohort)) == set(before)


def test_a_manifest_outside_the_root_is_seen(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    configured = manifest(root)
    table = (root / "knees.csv").rename(tmp_path / "knees.csv")
    assert configured.manifest is not None
    cohort = configured.model_copy(update={"manifest": configured.manifest.model_copy(update={"table": str(table)})})
    before = raw_digests(root, cohort)
    table.write_text(table.read_text().replace("x/3.mhd,2", "x/3.mhd,33"))
    assert changed(before, raw_digests(root, cohort)) == {UNATTRIBUTED}
    table.unlink()
    with pytest.raises(KneeoaError, match="the manifest is not there"):
        raw_digests(root, cohort)


def test_a_landmark_reruns_the_shard_of_its_subject(tmp_path: Path) -> None:
    tree(tmp_path)
    cohort = COHORT.model_copy(update={"landmarks": "centres.csv"})
    rows = ["subject,side,row,column", *(f"{subject},L,10,20" for subject in SUBJECTS)]
    (tmp_path / "centres.csv").write_text("\n".join(rows))
    before = raw_digests(tmp_path, cohort)
    (tmp_path / "centres.csv").write_text("\n".join([*rows[:-1], f"{SUBJECTS[-1]},L,11,20"]))
    assert changed(before, raw_digests(tmp_path, cohort)) == {UNATTRIBUTED, shard_of(SUBJECTS[-1], 3)}


def test_a_line_of_the_archives_index_changes_its_subjects_shard(tmp_path: Path) -> None:
    rows = ["src_subject_id\timage_description\timage_file", "Subject\tDescription\tFile"]
    rows += [f"{subject}\tSAG_3D_DESS_LEFT\ts3://b/00m/0.C.2/{subject}/1.tar.gz" for subject in SUBJECTS]
    (tmp_path / "image03.txt").write_text("\n".join(rows))
    before = raw_digests(tmp_path, COHORT)
    (tmp_path / "image03.txt").write_text(
        "\n".join(rows).replace(f"LEFT\ts3://b/00m/0.C.2/{SUBJECTS[2]}", f"RIGHT\ts3://b/00m/0.C.2/{SUBJECTS[2]}")
    )
    assert changed(before, raw_digests(tmp_path, COHORT)) == {UNATTRIBUTED, shard_of(SUBJECTS[2], 3)}


def test_a_missing_root_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(KneeoaError, match="does not exist"):
        raw_digests(tmp_path / "none", COHORT)


def test_shards_are_stable_and_cover_their_range() -> None:
    assert [shard_of(subject, 4) for subject in ("9001104", "001")] == [shard_of(subject, 4) for subject in ("9001104", "001")]
    assert {shard_of(str(number), 4) for number in range(100)} == {0, 1, 2, 3}
    assert shard_of("9001104", 1) == 0


def test_importing_the_index_is_cheap() -> None:
    heavy = ("numpy", "pandas", "scipy", "torch", "pyarrow")
    code = f"import sys, kneeoa.cohorts.raw_digests; print([name for name in {heavy} if name in sys.modules])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment).stdout.strip() == "[]"

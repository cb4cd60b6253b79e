"""Links are followed, loops are not, and what cannot be listed is told of."""

import os
from pathlib import Path

import pytest

from kneeoa.cohorts import raw_digests as module
from kneeoa.cohorts.raw_digests import raw_digests
from kneeoa.config.cohorts import Cohort
from kneeoa.formats.walk import files_below
from tests.unit.cohorts.oai_tree import image, write_tree


def tangled(root: Path) -> None:
    """Two folders that link to one another, a link to itself, a link to nowhere, a link above, a
    hidden file.
    """
    for name in ("a/deep", "b"):
        (root / name).mkdir(parents=True)
    (root / "a/one").write_bytes(b"1")
    (root / "b/two").write_bytes(b"2")
    (root / "a/to_b").symlink_to(root / "b")
    (root / "b/to_a").symlink_to(root / "a")
    (root / "a/deep/up").symlink_to(root)
    (root / "a/self").symlink_to(root / "a/self")
    (root / "b/nowhere").symlink_to(root / "gone")
    (root / "b/.hidden").write_bytes(b"h")


def test_loops_end(tmp_path: Path) -> None:
    tangled(tmp_path)
    paths = [path for path, _ in files_below(tmp_path)]
    assert paths == sorted(paths, key=lambda path: path.split("/"))
    assert {"a/one", "a/to_b/two", "b/to_a/one", "b/two", "b/nowhere"} <= set(paths)
    assert not any(path.count("to_a") > 1 or ".hidden" in path for path in paths)
    assert next(path for path, _ in files_below(tmp_path, "b/to_a")).startswith("b/to_a/")
    assert list(files_below(tmp_path, "none")) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may list everything")
def test_a_folder_that_cannot_be_listed_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    failed: list[OSError] = []
    assert list(files_below(tmp_path, failed=failed.append)) == []
    assert len(failed) == 1


def test_the_index_survives_loops_and_sees_what_links_point_at(tmp_path: Path) -> None:
    tangled(tmp_path / "tree")
    write_tree(tmp_path / "tree", [], [])
    far = tmp_path / "far"
    image(far, "9000001")
    (tmp_path / "tree/00m").symlink_to(far / "00m")
    cohort = Cohort(reader="oai", root="somewhere", shards=2)
    before = raw_digests(tmp_path / "tree", cohort)
    image(far, "9000001").write_bytes(b"longer")
    after = raw_digests(tmp_path / "tree", cohort)
    assert sum(before[key] != after[key] for key in before) == 1
    assert before[module.UNATTRIBUTED] == after[module.UNATTRIBUTED]


def test_threads_give_the_same_digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, [], [])
    for number in range(30):
        image(tmp_path, f"{9000001 + number}")
    cohort = Cohort(reader="oai", root="somewhere", shards=3)
    alone = raw_digests(tmp_path, cohort)
    threaded: list[int] = []
    real = module._Walk._threaded

    def counted(walk: module._Walk, folders: list[module._Folder]) -> list[module.Part]:
        threaded.append(len(folders))
        return real(walk, folders)

    monkeypatch.setattr(module._Walk, "_threaded", counted)
    monkeypatch.setattr(module, "_MIN_BUSY_SHARE", 2.0)
    monkeypatch.setattr(module, "_BATCH", 4)
    assert raw_digests(tmp_path, cohort) == alone
    assert threaded

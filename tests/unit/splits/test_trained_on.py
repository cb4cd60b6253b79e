"""Nobody of validation and test is trained on elsewhere: by id where people are the same, by
picture wherever they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kneeoa.atomic_io import sha256_file
from kneeoa.errors import KneeoaError
from kneeoa.splits.trained_on import leave_out_trained
from kneeoa.tables.cohort import EXCLUSIONS, SPLITS
from kneeoa.tables.shards import VOLUMES

EMPTY = dict.fromkeys(("joint_row", "joint_column", "joint_fit", "negative"))
PLACE = {"source_shape": [1], "source_spacing": [1.0], "source_centre": [0.0], "affine": [0.0] * 16, "mirrored": False}
SCALE = {"low": 0.0, "high": 1.0, "mean": 0.0, "sd": 1.0}


class Cohorts:
    """Cases added one by one, each with a picture of its own unless it is told which."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cases: dict[str, list[dict[str, Any]]] = {}
        self.images: list[dict[str, Any]] = []

    def add(self, cohort: str, subject: str, split: str, side: str = "R", view: str = "pa", *, source: str = "", image: str = "") -> str:
        case = {"cohort": cohort, "case_id": f"{subject}-{side}-00m"}
        self.cases.setdefault(cohort, []).append({**case, "subject": subject, "side": side, "visit": "00m", "split": split})
        digests = {"source_digest": source or f"source {cohort} {case['case_id']}", "digest": image or f"seen {cohort} {case['case_id']}"}
        self.images.append({**case, "view": view, "shard": 0, "row": len(self.images), **digests, **EMPTY, **PLACE, **SCALE})
        return str(case["case_id"])

    def run(self, name: str, same: tuple[str, ...] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
        for cohort, rows in self.cases.items():
            SPLITS.write(self.root / f"{cohort}.parquet", rows)
        VOLUMES.write(self.root / "volumes.parquet", self.images)
        out, exclusions = self.root / "out.parquet", self.root / "exclusions.parquet"
        leave_out_trained(
            name=name,
            same_people=same,
            splits=[self.root / f"{cohort}.parquet" for cohort in self.cases],
            volumes=[self.root / "volumes.parquet"],
            out_splits=out,
            out_exclusions=exclusions,
        )
        return SPLITS.read(out), EXCLUSIONS.read(exclusions)


def follow_up(root: Path) -> Cohorts:
    """Forty people, 24 of whom are trained on, and their follow-up elsewhere."""
    made = Cohorts(root)
    for number in range(40):
        split = "train" if number < 24 else "val" if number < 30 else "test"
        made.add("base", f"p{number:02d}", split)
        made.add("later", f"p{number:02d}", "test")
    return made


def test_of_the_same_people_none_is_tested_who_was_trained_on(tmp_path: Path) -> None:
    kept, out = follow_up(tmp_path).run("later", same=("base",))
    assert sorted(kept["subject"]) == [f"p{number:02d}" for number in range(24, 40)]
    assert sorted(out["subject"]) == [f"p{number:02d}" for number in range(24)]
    assert set(out["reason"]) == {"trained-on"}
    assert set(zip(out["cohort"], out["stage"], out["scope"], strict=True)) == {("later", "splits", "case")}
    assert out["detail"].iloc[0] == "p00-R-00m (test): subject p00 is trained on in cohort 'base'."


def test_other_people_with_the_same_ids_stay(tmp_path: Path) -> None:
    made = follow_up(tmp_path)
    kept, out = made.run("later")
    assert len(kept) == 40
    assert len(out) == 0
    assert sha256_file(tmp_path / "out.parquet") == sha256_file(tmp_path / "later.parquet"), "as it was, byte for byte"


def test_training_itself_is_never_touched(tmp_path: Path) -> None:
    made = follow_up(tmp_path)
    made.add("base", "p99", "train", source="one picture")
    made.add("later", "p98", "test", source="one picture")
    kept, out = made.run("base", same=("later",))
    assert len(kept) == 41
    assert len(out) == 0


def test_two_cohorts_that_are_both_trained_on_lose_each_others_people(tmp_path: Path) -> None:
    made = Cohorts(tmp_path)
    for subject, first, second in (
        ("a", "train", "test"),
        ("b", "test", "train"),
        ("c", "train", "train"),
        ("d", "test", "test"),
        ("e", "train", "val"),
    ):
        made.add("one", subject, first)
        made.add("two", subject, second)
    left = {name: made.run(name, same=(other,))[1]["case_id"].tolist() for name, other in (("one", "two"), ("two", "one"))}
    assert left == {"one": ["b-R-00m"], "two": ["a-R-00m", "e-R-00m"]}


@pytest.mark.parametrize("digest", ["source", "image"])
@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize("cohort", ["base", "later"])
def test_a_picture_that_is_trained_on_under_another_name_leaves(tmp_path: Path, digest: str, split: str, cohort: str) -> None:
    made = Cohorts(tmp_path)
    for number in range(4):
        made.add("base", f"p{number}", ("train", "test")[number % 2])
        made.add("later", f"p{number}", "test")
    made.add("base", "original", "train", **{digest: "one picture"})
    twin = made.add(cohort, "copy", split, side="L", **{digest: "one picture"})
    kept, out = made.run(cohort)
    assert out[["case_id", "subject", "reason"]].to_numpy().tolist() == [[twin, "copy", "same-picture"]]
    assert "original-R-00m of cohort 'base'" in out["detail"].iloc[0]
    assert twin not in set(kept["case_id"])
    assert len(kept) == len(made.cases[cohort]) - 1


def test_pictures_are_compared_within_a_view_and_against_training_alone(tmp_path: Path) -> None:
    made = Cohorts(tmp_path)
    made.add("base", "a", "train", view="lateral", source="one picture")
    made.add("base", "b", "test", source="one picture")
    made.add("base", "c", "test", source="one picture")
    kept, out = made.run("base")
    assert len(kept) == 3
    assert len(out) == 0


def test_a_film_of_both_knees_of_one_person_is_no_twin(tmp_path: Path) -> None:
    made = Cohorts(tmp_path)
    for split in ("train", "test"):
        for side in ("R", "L"):
            made.add("base", split, split, side, source=f"film of {split}")
    assert len(made.run("base")[1]) == 0


def test_a_cohort_of_which_nothing_is_left_to_test_is_told(tmp_path: Path) -> None:
    made = Cohorts(tmp_path)
    made.add("base", "a", "train")
    made.add("later", "a", "test")
    with pytest.raises(KneeoaError, match=r"cohort 'later': all of its 1 cases of test are trained on elsewhere, first: a-R-00m"):
        made.run("later", same=("base",))


def test_a_cohort_without_a_case_stays_empty(tmp_path: Path) -> None:
    made = Cohorts(tmp_path)
    made.add("base", "a", "train")
    made.cases["unlabelled"] = []
    kept, out = made.run("unlabelled", same=("base",))
    assert len(kept) == len(out) == 0

"""Planted names in a folder of grades: each picture becomes the case that its name gives, as it is
(left knees mirrored), with its folder's grade; or a row of exclusions says why not.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from kneeoa.cohorts.build import build_cohort
from kneeoa.cohorts.raw_digests import raw_digests
from kneeoa.config.cohorts import Cohort
from kneeoa.config.volumes import View
from kneeoa.ingestion.array_writer import open_rows
from kneeoa.ingestion.shard import make_volumes
from kneeoa.tables.cohort import CASES as CASE_TABLE
from kneeoa.tables.cohort import EXCLUSIONS, LABELS
from kneeoa.tables.shards import VOLUMES
from tests.ingestion.faults.grade_folders import CASES, PlantedName
from tests.ingestion.stages import LEVELS, Tables
from tests.ingestion.verdicts import Verdict, table

SHAPE = (24, 20)
VIEW = View(dimensions=2, shape=SHAPE, fit="extent", negatives="keep")
COHORT = Cohort(reader="grades_folder", root="raw", views=("pa",), shards=1)


def picture(number: int) -> NDArray[np.uint8]:
    """Smooth, so that JPEG keeps it, and like no other and no mirrored one."""
    rng = np.random.default_rng([14, number])
    down, across = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
    a, b, c = rng.uniform(1, 4, 3)
    return np.clip(128 + 50 * np.sin(a * across + b * down) + 40 * across + 20 * np.cos(c * down * across + a), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    root = tmp_path_factory.mktemp("grades")
    for number, case in enumerate(CASES):
        path = root / case.path
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(path, **({"quality": 97} if path.suffix.lower().startswith(".jp") else {}))
    out = tmp_path_factory.mktemp("out")
    tables, shard = Tables(out).of_cohort(), Tables(out).of_shard("volumes", 0)
    build_cohort(COHORT, "main", root, LEVELS, **tables)
    assert set(raw_digests(root, COHORT)) == {-1, 0}
    make_volumes(
        images=tables["images"], cases=tables["cases"], root=root, cohort="main", view_name="pa", view=VIEW, shard=0, **shard
    )  # fmt: skip
    labels = LABELS.read(tables["labels"])
    grades = {row["case_id"]: int(row["value"][0]) for row in labels[labels["level"] == "kl"].to_dict("records")}
    index, array = VOLUMES.read(shard["out_index"]), open_rows(shard["out_array"])
    rows = {row["case_id"]: np.asarray(array[row["row"]], dtype=np.float64) for row in index.to_dict("records")}
    assert EXCLUSIONS.read(shard["out_exclusions"]).empty
    assert set(CASE_TABLE.read(tables["cases"])["case_id"]) >= set(rows)
    details = [(row["reason"], row["detail"]) for row in EXCLUSIONS.read(tables["exclusions"]).to_dict("records")]
    assert len(rows) == sum(case.case is not None for case in CASES)
    return [_verdict(case, picture(number), rows, grades, details) for number, case in enumerate(CASES)]


def _verdict(
    case: PlantedName,
    truth: NDArray[np.uint8],
    rows: dict[str, NDArray[np.float64]],
    grades: dict[str, int],
    details: list[tuple[str, str]],
) -> Verdict:
    if case.case is None:
        reasons = {reason for reason, detail in details if case.path in detail}
        return Verdict(case.family, str(case), case.reason, "" if reasons == {case.reason} else f"excluded for {reasons}")
    if case.case not in rows:
        return Verdict(case.family, str(case), wrong=f"is not {case.case}")
    expected = truth[:, ::-1] if case.case.endswith("-L-00m") else truth
    alike = float(np.corrcoef(rows[case.case].ravel(), expected.ravel())[0, 1])
    if alike < 0.99 or grades[case.case] != case.grade:
        return Verdict(case.family, str(case), wrong=f"correlates by {alike:.2f}, grade {grades[case.case]}")
    return Verdict(case.family, str(case))


def test_pictures_of_a_folder_of_grades_are_read_or_refused_as_they_should(
    verdicts: list[Verdict], capsys: pytest.CaptureFixture[str]
) -> None:
    assert max(Counter(str(case) for case in CASES).values()) == 1
    with capsys.disabled():
        print(f"\n{table(verdicts)}")
    assert [f"{verdict.case}: {verdict.wrong}" for verdict in verdicts if verdict.wrong] == []

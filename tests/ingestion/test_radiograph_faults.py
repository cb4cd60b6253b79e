"""Planted faults of radiographs: a shard of good and broken ones; each is read rightly or excluded
for a reason that fits.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from kneeoa.config.volumes import View
from kneeoa.ingestion.array_writer import open_rows
from kneeoa.ingestion.shard import make_volumes
from kneeoa.tables.cohort import CASES as CASE_TABLE
from kneeoa.tables.cohort import EXCLUSIONS, IMAGES
from kneeoa.tables.shards import VOLUMES
from tests.ingestion.faults import radiograph_exams, radiograph_headers, radiographs
from tests.ingestion.faults.radiographs import SHAPE, SUFFIXES, PlantedRadiograph, picture
from tests.ingestion.verdicts import Verdict, table

CASES = [*radiographs.CASES, *radiograph_exams.CASES, *radiograph_headers.CASES]
VIEW = View(dimensions=2, shape=SHAPE, fit="extent", negatives="keep")


def case_id(number: int) -> str:
    return f"{number:03d}-{CASES[number].side}-00m"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    root = tmp_path_factory.mktemp("radiographs")
    cases, images = [], []
    for number, case in enumerate(CASES):
        path = root / f"{number:03d}{case.suffix or SUFFIXES[case.format]}"
        case.plant(path, picture(number))
        identity = {"cohort": "main", "case_id": case_id(number), "shard": 0}
        place = {"view": "pa", "role": "image", "path": path.name, "format": case.format, "shows": "knee"}
        images.append({**dict.fromkeys(IMAGES.schema.names), **identity, **place})
        cases.append({**dict.fromkeys(CASE_TABLE.schema.names), **identity, "subject": f"{number:03d}", "side": case.side, "visit": "00m"})
    CASE_TABLE.write(root / "cases.parquet", cases)
    IMAGES.write(root / "images.parquet", images)
    make_volumes(
        images=root / "images.parquet", cases=root / "cases.parquet", root=root, cohort="main", view_name="pa", view=VIEW, shard=0,
        out_array=root / "v.npy", out_index=root / "v.parquet", out_exclusions=root / "v.exclusions.parquet",
    )  # fmt: skip
    index, excluded = VOLUMES.read(root / "v.parquet"), EXCLUSIONS.read(root / "v.exclusions.parquet")
    excluded = excluded[excluded["scope"] != "flag"]
    assert sorted([*index["case_id"], *excluded["case_id"]]) == [case_id(number) for number in range(len(CASES))]
    assert [text for text in excluded["detail"] if str(root) in text] == []
    array = open_rows(root / "v.npy")
    rows, reasons = dict(zip(index["case_id"], index["row"], strict=True)), dict(zip(excluded["case_id"], excluded["reason"], strict=True))
    results = []
    for number, case in enumerate(CASES):
        name = case_id(number)
        if name in reasons:
            wrong = "" if reasons[name] in case.reasons else f"excluded as {reasons[identity]}"
            results.append(Verdict(case.family, str(case), reasons[name], wrong))
        else:
            row = np.asarray(array[rows[name]], dtype=np.float64)
            results.append(Verdict(case.family, str(case), wrong=_difference(case, row, picture(number).astype(np.float64))))
    return results


def _difference(case: PlantedRadiograph, pixels: NDArray[np.float64], truth: NDArray[np.float64]) -> str:
    """The picture as displayed, a left knee's mirrored; clipped and scaled as volumes are."""
    if not case.reads:
        return "passed as a knee"
    low, high = np.percentile(truth, (0.5, 99.5))
    expected = np.clip(truth[:, ::-1] if case.side == "L" else truth, low, high)
    off = float(np.abs(pixels - (expected - expected.mean()) / expected.std()).max())
    return "" if off < (0.02 if case.bits > 8 else 0.1) else f"its pixels differ by up to {off:.2f} deviations"


def test_radiographs_are_read_or_excluded_as_they_should(verdicts: list[Verdict], capsys: pytest.CaptureFixture[str]) -> None:
    assert max(Counter(str(case) for case in CASES).values()) == 1
    with capsys.disabled():
        print(f"\n{table(verdicts)}")
    assert [f"{verdict.case}: {verdict.wrong}" for verdict in verdicts if verdict.wrong] == []

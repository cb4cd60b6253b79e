"""Planted mask faults on phantom knees: a mask is believed and lies where it should, or is excluded
for a reason that fits.

Rates of detection over many knees are another test's; here each fault is planted on one or two
knees, with every sound mask beside it.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kneeoa.config.volumes import View
from kneeoa.phantom.grid import Grid
from kneeoa.phantom.volume_files import write_nifti
from tests.ingestion.faults.masks import CASES, PHANTOM, PlantedMask, Scan, scans
from tests.ingestion.stages import TISSUES, build_tables, cohort, mask, run_masks, run_volumes, series, write_tables
from tests.ingestion.verdicts import Verdict, table

VIEW = View(shape=(32, 96, 96), spacing=PHANTOM.spacing)


def subject(number: int) -> str:
    return f"{9200000 + number}"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    root, out = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("out")
    knees = scans()
    sides = ["RIGHT" if knee.knee.side == "R" else "LEFT" for knee in knees]
    chosen = [number % 2 for number in range(len(CASES))]
    write_tables(root, [(subject(number), sides[chosen[number]], "1") for number in range(len(CASES))])
    for number, case in enumerate(CASES):
        scan = knees[chosen[number]]
        write_nifti(series(root, subject(number)) / "dess.nii.gz", scan.voxels.astype(np.int16), scan.grid)
        other = next(knee for knee in (*knees[2:], *knees) if knee is not scan and knee.knee.side == scan.knee.side)
        case.plant(mask(root, subject(number), sides[chosen[number]][0], ""), scan, other)
    build_tables(root, out, cohort(1, masks=True))
    _, volumes, lost = run_volumes(root, out, VIEW, 0)
    assert len(volumes) == len(CASES), lost["detail"].tolist()
    array, index, excluded = run_masks(root, out, 0)
    assert set(index["case_id"][index["usable"]]).isdisjoint(excluded["case_id"])
    assert set(index["case_id"][index["usable"]]) | set(excluded["case_id"]) == set(volumes["case_id"])
    assert excluded["case_id"].is_unique
    kept = {row["case_id"].split("-")[0]: array[row["row"]] for _, row in index.iterrows() if row["usable"]}
    affines = {row["case_id"].split("-")[0]: np.asarray(row["affine"]).reshape(4, 4) for _, row in volumes.iterrows()}
    reasons = {row["case_id"].split("-")[0]: row for _, row in excluded.iterrows()}
    results = []
    for number, case in enumerate(CASES):
        owner = subject(number)
        if owner in reasons:
            row = reasons[owner]
            fits = row["reason"] in case.reasons
            wrong = "" if fits else f"excluded as {row['reason']}: {row['detail']}"
            results.append(Verdict(case.family, str(case), row["reason"], wrong))
        else:
            results.append(Verdict(case.family, str(case), wrong=_difference(case, kept[owner], knees[chosen[number]], affines[owner])))
    return results


def _difference(case: PlantedMask, values: np.ndarray, scan: Scan, affine: np.ndarray) -> str:
    if case.reasons:
        return "passed as this knee's mask"
    truth = scan.labels(Grid((values.shape[0], values.shape[1], values.shape[2]), affine))
    dice = []
    for name in sorted(TISSUES):
        labelled, true = values == sorted(TISSUES).index(name) + 1, truth == TISSUES[name][0]
        if name.endswith("cartilage"):
            dice.append(2 * (labelled & true).sum() / (labelled.sum() + true.sum()))
    return "" if min(dice) >= case.dice else f"its cartilages overlap with the truth by Dice {min(dice):.3f}"


def test_masks_are_believed_or_excluded_as_they_should(verdicts: list[Verdict], capsys: pytest.CaptureFixture[str]) -> None:
    assert max(Counter(str(case) for case in CASES).values()) == 1
    with capsys.disabled():
        print(f"\n{table(verdicts)}")
    assert [f"{verdict.case}: {verdict.wrong}" for verdict in verdicts if verdict.wrong] == []

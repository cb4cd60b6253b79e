"""Planted image faults: whole shards that mix good and broken knees; each is read rightly or
excluded for a reason that fits.
"""

from __future__ import annotations

import resource
import signal
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from kneeoa.cohorts.raw_digests import raw_digests
from tests.ingestion.faults import (
    archives,
    dicom_grey,
    dicom_headers,
    dicom_pictures,
    dicom_stacks,
    itk_headers,
    nifti_headers,
    odd_rows,
    places,
    single_files,
)
from tests.ingestion.faults.knees import SPACING, VIEW, Knee, knee
from tests.ingestion.faults.permissions import without_permission
from tests.ingestion.faults.planted import Planted
from tests.ingestion.stages import build_tables, cohort, run_volumes, series, write_tables
from tests.ingestion.verdicts import Verdict, table

PLANTED: list[Planted] = [
    *single_files.CASES,
    *nifti_headers.CASES,
    *itk_headers.CASES,
    *dicom_stacks.CASES,
    *dicom_headers.CASES,
    *dicom_pictures.CASES,
    *dicom_grey.CASES,
    *archives.CASES,
    *places.CASES,
    *odd_rows.CASES,
]
SHARDS = 3
_MEMORY_MB = 400
"""No claim of a header may cost more than this; knees as small as these take a few MB."""


class Fate:
    """The end of each case: its row of the array and index, or its row of exclusions."""

    def __init__(self, root: Path, out: Path) -> None:
        tables = build_tables(root, out, cohort(SHARDS))
        self.cases = tables["cases"]
        self.arrays: dict[str, NDArray[np.float16]] = {}
        self.kept: dict[str, pd.Series] = {}
        excluded = [tables["exclusions"]]
        for shard in range(SHARDS):
            array, index, reasons = run_volumes(root, out, VIEW, shard)
            assert len(array) == len(index)
            excluded.append(reasons)
            for _, row in index.iterrows():
                owner = row["case_id"].split("-")[0]
                self.kept[owner], self.arrays[owner] = row, array[row["row"]]
        self.exclusions = pd.concat(excluded, ignore_index=True)
        self.memory_mb = 0.0
        self.excluded = {row["subject"]: row for _, row in self.exclusions.iterrows() if row["scope"] == "case"}


def subject(number: int) -> str:
    return f"{9100000 + number}"


def sound(number: int) -> Knee:
    return knee(number, PLANTED[number].side)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """A stage that waits for ever (for a pipe that nobody writes to) fails instead, with the place
    where it waits.
    """

    def stop(_: int, frame: FrameType | None) -> None:
        pytest.fail(f"the stage hangs: {''.join(traceback.format_stack(frame)[-6:])}")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("raw")
    write_tables(made, [(subject(number), case.side, str(number % 5)) for number, case in enumerate(PLANTED)])
    for number, case in enumerate(PLANTED):
        case.plant(series(made, subject(number)), sound(number))
    return made


@pytest.fixture(scope="module")
def fate(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Fate:
    forbidden = []
    for number, case in enumerate(PLANTED):
        if case.damage:
            place = series(root, subject(number))
            forbidden += sorted(place.glob("forbidden*")) or [place]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with without_permission(forbidden), at_most(600):
        result = Fate(root, tmp_path_factory.mktemp("out"))
    result.memory_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return result


@pytest.fixture(scope="module")
def verdicts(fate: Fate) -> list[Verdict]:
    return [_verdict(case, subject(number), sound(number), fate) for number, case in enumerate(PLANTED)]


def _verdict(case: Planted, owner: str, truth: Knee, fate: Fate) -> Verdict:
    if owner in fate.kept and owner in fate.excluded:
        return Verdict(case.family, str(case), wrong="both kept and excluded")
    if owner in fate.excluded:
        row = fate.excluded[owner]
        if row["reason"] in case.reasons:
            return Verdict(case.family, str(case), excluded=row["reason"])
        return Verdict(case.family, str(case), wrong=f"excluded as {row['reason']}: {row['detail']}")
    if owner not in fate.kept:
        return Verdict(case.family, str(case), wrong="lost: neither kept nor excluded")
    if not case.reads:
        return Verdict(case.family, str(case), wrong="passed as a knee")
    return Verdict(case.family, str(case), wrong=_difference(fate.arrays[owner], fate.kept[owner], truth))


def _difference(array: NDArray[np.float16], row: pd.Series, truth: Knee) -> str:
    """Differences from the knee that was planted; empty where there are none."""
    off = float(np.abs(array.astype(np.float64) - truth.scaled()).max())
    if not off < 0.03:
        return f"its voxels differ by up to {off:.2f} deviations"
    affine = np.asarray(row["affine"]).reshape(4, 4)
    if not np.allclose(affine, truth.affine, atol=2e-3):
        return f"its affine differs by up to {np.abs(affine - truth.affine).max():.3f} mm"
    if bool(row["mirrored"]) != (truth.side == "LEFT") or not np.allclose(row["source_spacing"], SPACING, rtol=1e-3):
        return "its side or spacing differs"
    return ""


def test_there_are_at_least_two_hundred_distinct_ones(root: Path) -> None:
    names = Counter(str(case) for case in PLANTED)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) >= 200
    assert len({case.format for case in PLANTED}) >= 6


def test_none_crashes_a_shard_and_every_one_is_accounted_for(fate: Fate) -> None:
    planted = {subject(number) for number in range(len(PLANTED))}
    assert set(fate.cases["subject"]) == planted
    assert fate.kept.keys() | fate.excluded.keys() == planted
    assert not fate.kept.keys() & fate.excluded.keys()
    assert len(fate.exclusions[fate.exclusions["scope"] == "case"]) == len(fate.excluded), "a case has two reasons"


def test_none_passes_wrongly(verdicts: list[Verdict], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{table(verdicts)}")
    assert [f"{verdict.case}: {verdict.wrong}" for verdict in verdicts if verdict.wrong] == []


def test_reasons_are_sentences_that_name_no_place_outside_the_cohort(fate: Fate, root: Path) -> None:
    details = fate.exclusions["detail"]
    assert (details.str.len() > 20).all()
    assert [text for text in details if str(root) in text or "Traceback" in text] == []


def test_no_claim_of_a_header_costs_memory(fate: Fate) -> None:
    assert fate.memory_mb < _MEMORY_MB


def test_the_index_of_raw_files_survives_them_all(root: Path, fate: Fate) -> None:
    assert len(set(raw_digests(root, cohort(SHARDS)).values())) == SHARDS + 1

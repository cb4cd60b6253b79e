"""Planted faults of tables: the right grades, a row of exclusions, or one clear sentence; never
another person's grade.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kneeoa.errors import KneeoaError
from tests.ingestion.faults.knees import knee
from tests.ingestion.faults.single_files import write_gz
from tests.ingestion.faults.tables import CASES, GRADES, PlantedTable, sound
from tests.ingestion.stages import build_tables, cohort, series
from tests.ingestion.verdicts import Verdict, table


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    results = []
    for case in CASES:
        root, out = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("out")
        for subject in GRADES:
            write_gz(series(root, subject), knee(1))
        case.bend(sound()).write(root)
        results.append(_verdict(case, root, out))
    return results


def _verdict(case: PlantedTable, root: Path, out: Path) -> Verdict:
    try:
        tables = build_tables(root, out, cohort(2).model_copy(update={"reading_project": 15}))
    except KneeoaError as error:
        if case.grades is not None:
            return Verdict("tables", str(case), wrong=f"stops: {error}")
        clear = str(root) in str(error) and str(error)[-1] in ".?" and "\n" not in str(error)
        return Verdict("tables", str(case), excluded="one sentence", wrong="" if clear else f"not a clear sentence: {error}")
    if case.grades is None:
        return Verdict("tables", str(case), wrong="passed")
    labels = tables["labels"][tables["labels"]["level"] == "kl"]
    grades = {_short(row["case_id"]): int(row["value"][0]) for _, row in labels.iterrows()}
    excluded = tables["exclusions"][tables["exclusions"]["reason"] != "disagreement"]
    pairs = {(_short(case_id), reason) for case_id, reason in zip(excluded["case_id"], excluded["reason"], strict=True)}
    fits = {name for name, _ in pairs} == case.reasons.keys() and all(reason in case.reasons[name].split() for name, reason in pairs)
    if grades != case.grades:
        return Verdict("tables", str(case), wrong=f"grades {grades}, expected {case.grades}")
    if not fits:
        return Verdict("tables", str(case), wrong=f"exclusions {pairs}, expected {case.reasons}")
    return Verdict("tables", str(case), excluded=", ".join(sorted({reason for _, reason in pairs})) or None)


def _short(case_id: object) -> str:
    """``9300001`` for its right knee, ``9300001-L`` for the left, ``-`` for a row that names no
    knee.
    """
    return case_id.removesuffix("-00m").removesuffix("-R") if isinstance(case_id, str) else "-"


def test_tables_are_read_or_refused_as_they_should(verdicts: list[Verdict], capsys: pytest.CaptureFixture[str]) -> None:
    assert max(Counter(str(case) for case in CASES).values()) == 1
    with capsys.disabled():
        print(f"\n{table(verdicts)}")
    assert [f"{verdict.case}: {verdict.wrong}" for verdict in verdicts if verdict.wrong] == []

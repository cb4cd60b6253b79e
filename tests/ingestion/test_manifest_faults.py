"""Planted faults of manifests: the right labels and people, a row of exclusions for each that has
none; never another class.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from kneeoa.cohorts.build import build_cohort
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from kneeoa.tables.cohort import CASES as PEOPLE
from kneeoa.tables.cohort import EXCLUSIONS, LABELS
from tests.ingestion.faults.manifests import CASES, PlantedManifest
from tests.ingestion.stages import Tables
from tests.ingestion.verdicts import Verdict, table


def _verdict(case: PlantedManifest, root: Path) -> Verdict:
    for name in {cell for row in case.rows for cell in row.replace(";", ",").split(",") if cell.endswith(".png")}:
        (root / name).write_bytes(b"x")
    (root / "t.csv").write_text("\n".join(case.rows) + "\n")
    section = {"table": "t.csv", "subject": "id", "path": "file", **case.manifest}
    given = {"reader": "manifest", "root": "raw", "views": ["pa"], "labels": {case.level.name: case.columns}, "manifest": section}
    paths = Tables(root / "out").of_cohort()
    try:
        build_cohort(Cohort.model_validate(given | dict(case.cohort)), "main", root, (case.level,), **paths)
    except KneeoaError as error:
        return Verdict(case.family, str(case), wrong=f"stops: {error}")
    people, labels, excluded = (
        schema.read(paths[name]) for schema, name in ((PEOPLE, "cases"), (LABELS, "labels"), (EXCLUSIONS, "exclusions"))
    )
    subjects = dict(zip(people["case_id"], people["subject"], strict=True))
    wrong = _compared(case, people, labels, excluded, subjects)
    return Verdict(case.family, str(case), excluded=", ".join(sorted(set(excluded["reason"]))) or None, wrong="; ".join(wrong))


def _compared(
    case: PlantedManifest, people: pd.DataFrame, labels: pd.DataFrame, excluded: pd.DataFrame, subjects: dict[str, str]
) -> list[str]:
    """Differences from what should be."""
    values = {
        subjects[row["case_id"]]: [None if pd.isna(entry) else int(entry) for entry in row["value"]] for row in labels.to_dict("records")
    }
    reasons = {subjects.get(row["case_id"] or "", "-"): row["reason"] for row in excluded.to_dict("records")}
    wrong = []
    if values != {name: list(value) for name, value in case.labels.items()}:
        wrong.append(f"labels {values}, expected {case.labels}")
    if reasons != case.excluded or len(excluded) != len(case.excluded):
        wrong.append(f"exclusions {reasons}, expected {case.excluded}")
    for row in people.to_dict("records"):
        described = tuple(None if pd.isna(row[key]) else row[key] for key in ("sex", "age", "site", "given_split"))
        if described != case.people.get(row["subject"], described):
            wrong.append(f"{row['subject']} is {described}, expected {case.people[row['subject']]}")
    return wrong


def test_manifests_are_read_or_refused_as_they_should(tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]) -> None:
    assert max(Counter(str(case) for case in CASES).values()) == 1
    verdicts = [_verdict(case, tmp_path_factory.mktemp("raw")) for case in CASES]
    with capsys.disabled():
        print(f"\n{table(verdicts)}")
    assert [f"{verdict.case}: {verdict.wrong}" for verdict in verdicts if verdict.wrong] == []

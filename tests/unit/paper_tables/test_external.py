"""The tables of external cohorts: laid out as published tables are, beside the published
numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.external import build_external
from kneeoa.paper_tables import external_accuracy, external_calibration, external_change
from kneeoa.paper_tables.latex import Tabular
from kneeoa.paper_tables.table_files import read_csv, write_csv
from kneeoa.presentation.arms import ArmNames
from kneeoa.report.external_sentences import external_sentences
from kneeoa.report.report_data import ReportData
from tests.unit.contrasts.external_study import KL, LEVELS, predictions

ARMS = {"net": {"backbone": "resnet50", "mode": "single_kl"}, "other": {"backbone": "vit", "mode": "single_kl"}}
PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "away": [
        {"source": "Somebody 2024", "level": "kl", "accuracy_by_class": [0.84, None, 0.7, 0.81, 0.96], "accuracy": 0.757, "cases": 17040}
    ]
}


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("external")
    out = folder / "external.parquet"
    build_external([predictions(folder, arm) for arm in ARMS], ["away"], LEVELS, Statistics(resamples=50), out)
    return out


def tables(module: Any, path: Path, **more: Any) -> list[Tabular]:
    rows = module.csv_rows(path, **more)
    write_csv(path.parent / "table.csv", rows, order=module.CSV_ORDER)
    made: list[Tabular] = module.tabulars(read_csv(path.parent / "table.csv", module.SCHEMA), ArmNames(ARMS, {}), {})
    return made


def test_a_row_for_each_arm_then_the_published_one_by_class(external: Path) -> None:
    printed = tables(external_accuracy, external, published=PUBLISHED)
    assert [table.heading.split(" (")[0] for table in printed] == ["OA, away", "KL, away"]
    (kl,) = (table for table in printed if table.heading.startswith("KL"))
    assert list(kl.columns) == ["Arm", "Mode", *KL.classes, "All", "All, at home's prevalence"]
    assert [row[0] for row in kl.rows] == ["Cases (people)", "ResNet50", "ViT", "Somebody 2024"]
    assert kl.rows[-1] == ["Somebody 2024", "published", "0.840", "", "0.700", "0.810", "0.960", "0.757", ""]
    assert kl.rows[0][-2] == "120 (60)"
    assert "design effect of people" in kl.notes
    assert "Published numbers are of other networks" in kl.notes
    oa = printed[0]
    assert [row[0] for row in oa.rows] == ["Cases (people)", "ResNet50", "ViT"], "nothing is published of this level"
    assert "Published" not in oa.notes


def test_changes_of_prevalence_stand_once_and_those_of_metrics_for_each_arm(external: Path) -> None:
    printed = tables(external_change, external)
    (kl,) = (table for table in printed if table.heading.startswith("KL"))
    assert kl.heading == "KL, away against home"
    assert [row[2] for row in kl.rows[:5]] == [f"Prevalence, {label}" for label in KL.classes]
    assert [row[2] for row in kl.rows].count("Accuracy") == 2
    assert [row[2] for row in kl.rows].count("Accuracy at develop prevalence") == 2
    assert [row[2] for row in kl.rows].count("Mean abs. error ↓") == 2


def test_what_is_secondary_is_a_table_apart_that_says_so(external: Path) -> None:
    printed = tables(external_calibration, external)
    headings = [table.heading for table in printed if table.heading.startswith("KL")]
    assert headings == ["KL, away (external)", "KL, away (external); SECONDARY, adapted by the cohort's own labels"]
    first, second = (table for table in printed if table.heading.startswith("KL"))
    assert [row[2] for row in first.rows] == ["raw", "temperature"] * 2
    assert [row[2] for row in second.rows] == ["prior-corrected", "recalibrated"] * 2
    assert "uses this cohort's labels" in second.notes


def test_the_report_counts_the_sets_of_networks(external: Path) -> None:
    frames = {
        "external_accuracy": external_accuracy.csv_rows(external, PUBLISHED),
        "external_change": external_change.csv_rows(external),
    }
    sentences = external_sentences(ReportData(ARMS, frames, [], {}, 0.95))
    assert sentences[0].startswith("2 sets of networks")
    assert "cohort away: ResNet50 Single-KL; ViT Single-KL." in sentences[0]
    assert sum("The accuracy of" in sentence for sentence in sentences) == 2
    assert "secondary" in sentences[-1]

"""Metrics of each part of a plug-in are those of an arm that predicts what the part does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneeoa.config.metrics import BY_NAME
from kneeoa.config.statistics import Statistics, ThresholdRule
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.contrasts.part_metrics import build_part_metrics
from kneeoa.paper_tables import parts as part_table
from kneeoa.paper_tables.table_files import read_csv, write_table
from kneeoa.tables.part_predictions import PART_METRICS, PART_PREDICTIONS
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.tables.statistics import METRICS
from tests.unit.training.tiny_study import LEVELS

PARTS = ("map-1", "map-2", "combiner")
FACTORS = {"plugged": {"backbone": "resnet50", "mode": "dual", "plugin": "pim"}}


def predictions(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> tuple[list[Path], list[Path]]:
    """Tables of parts, and of arms that predict as each part does."""
    whole, by_part = [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        rows = []
        for split, people in (("val", 20), ("test", 40)):
            for person in range(people):
                grade = person % 5
                for side in ("R", "L"):
                    case = {"cohort": "oai", "split": split, "case_id": f"{split}{person}-{side}-00m", "subject": f"{split}{person}"}
                    for level, size, truth in (("oa", 2, int(grade >= 2)), ("kl", 5, grade)):
                        for part in PARTS:
                            logits = rng.normal(0, 1, size) + 1.2 * (np.arange(size) == truth)
                            probabilities = (np.exp(logits) / np.exp(logits).sum()).tolist()
                            rows.append(case | {"level": level, "part": part, "truth": [truth], "probabilities": probabilities})
        for row in rows:
            row |= {"study": "s", "arm": "plugged", "seed": seed}
        by_part.append(folder / f"parts-{seed}.parquet")
        PART_PREDICTIONS.write(by_part[-1], rows)
        for part in PARTS:
            file = folder / f"{part}-{seed}.parquet"
            same = [{key: value for key, value in row.items() if key != "part"} for row in rows if row["part"] == part]
            more = {
                "arm": part,
                "members": None,
                "side": "R",
                "visit": "00m",
                "logits": None,
                "label_source": "reader",
                "calibrated": False,
            }
            PREDICTIONS.write(file, [row | more | {"head": row["level"]} for row in same])
            whole.append(file)
    return by_part, whole


@pytest.mark.parametrize("threshold", [0.5, ThresholdRule(rule="sensitivity", value=0.8)], ids=["half", "fitted"])
def test_a_part_is_measured_as_an_arm_is(tmp_path: Path, threshold: float | ThresholdRule) -> None:
    statistics = Statistics(resamples=50, threshold=threshold)
    by_part, whole = predictions(tmp_path)
    build_part_metrics(by_part, LEVELS, statistics, tmp_path / "parts.parquet")
    build_metrics(whole, LEVELS, statistics, tmp_path / "metrics.parquet")
    table, arms = PART_METRICS.read(tmp_path / "parts.parquet"), METRICS.read(tmp_path / "metrics.parquet")
    assert set(table["part"]) == set(PARTS)
    assert {BY_NAME[name].in_paper for name in table["metric"]} == {True}
    assert {"accuracy", "auc"} <= set(table.loc[table["level"] == "oa", "metric"])
    keys = ["seed", "level", "part", "metric"]
    same = arms[arms["split"] == "test"].rename(columns={"arm": "part"})
    merged = table.merge(same, on=keys, suffixes=("", "_arm"), validate="one_to_one")
    assert len(merged) == len(table)
    for column in ("estimate", "low", "high"):
        np.testing.assert_array_equal(merged[column], merged[f"{column}_arm"])
    assert (merged["interval"] == merged["interval_arm"]).all()


def test_the_table_has_the_answer_beside_the_parts_and_says_that_it_chooses_nothing(tmp_path: Path) -> None:
    by_part, whole = predictions(tmp_path)
    build_part_metrics(by_part, LEVELS, Statistics(resamples=50), tmp_path / "parts.parquet")
    build_metrics([file for file in whole if file.name.startswith("combiner")], LEVELS, Statistics(resamples=50), tmp_path / "m.parquet")
    METRICS.write(tmp_path / "metrics.parquet", METRICS.read(tmp_path / "m.parquet").assign(arm="plugged"))
    out = (tmp_path / "t.csv", tmp_path / "t.tex")
    write_table("parts", *out, part_metrics=[tmp_path / "parts.parquet"], metrics=tmp_path / "metrics.parquet", arms=FACTORS)
    rows = read_csv(out[0], PART_METRICS)
    answer = rows[rows["part"] == part_table.ANSWER].set_index(["seed", "level", "metric"])["estimate"]
    combiner = rows[rows["part"] == "combiner"].set_index(["seed", "level", "metric"])["estimate"]
    assert len(answer) == len(combiner) > 0
    pd.testing.assert_series_equal(answer.sort_index(), combiner.sort_index())  # that arm's answer is its combiner's
    text = out[1].read_text()
    assert "These results choose nothing: the answer is always the mean of all parts, fixed beforehand." in text
    assert text.count("ResNet50") == 2 * (len(PARTS) + 1)
    first = [line.split(" & ")[2] for line in text.splitlines() if line.startswith("ResNet50")][: len(PARTS) + 1]
    assert first == ["answer: mean of all", "map 1", "map 2", "combiner"]

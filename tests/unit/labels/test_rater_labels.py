"""A rater's table: training and validation labels are its own, test labels the reference's; and
what runs make of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from kneeoa.config.hierarchy import Level
from kneeoa.config.raters import NoisyRater
from kneeoa.errors import KneeoaError
from kneeoa.labels.level_labels import read_labels
from kneeoa.labels.rater_agreement import load_accounts, provenance
from kneeoa.labels.rater_labels import rate_labels
from kneeoa.tables.cohort import LABELS, SPLITS
from kneeoa.training.run import train
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import DUAL, KL, LEVELS, SINGLE_OA, TRAINING, job, label_row

WEIGHTS = "weights.safetensors"


def cohort(folder: Path, cases: int = 400) -> tuple[Path, Path]:
    """Labels and splits of a cohort: half to train, a quarter each to validate and test; every
    fifteenth has an OA reading.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, splits = [], []
    for number in range(cases):
        case_id, grade = f"{number:04d}-R-00m", number % 5
        split = ("train", "train", "val", "test")[number // 5 % 4]
        splits.append({"cohort": "c", "case_id": case_id, "subject": f"{number:04d}", "side": "R", "visit": "00m", "split": split})
        rows += [label_row("c", case_id, "kl", [grade]), label_row("c", case_id, "oa", [int(grade >= 2)], "derived")]
        if number % 15 == 0:
            rows.append(label_row("c", case_id, "oa", [1]))
    rows += [label_row("c", "0001-R-00m", "features", [1, None, 0])]
    LABELS.write(folder / "labels.parquet", rows)
    SPLITS.write(folder / "splits.parquet", splits)
    return folder / "labels.parquet", folder / "splits.parquet"


def read(
    folder: Path, labels: Path, splits: Path, share: float = 0.3, levels: tuple[Level, ...] = LEVELS, name: str = "r"
) -> tuple[Path, Path]:
    out = folder / f"{name}.parquet", folder / f"{name}.json"
    rate_labels(
        rater=name, level=levels[-1].name, confusion=NoisyRater(adjacent=share).matrix(5), seed=0, levels=levels,
        labels=labels, splits=splits, out_labels=out[0], out_agreement=out[1],
    )  # fmt: skip
    return out


def classes(path: Path, cases: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: labels.values for name, labels in read_labels([path], cases, LEVELS).items()}


def test_training_and_validation_labels_are_his_and_test_labels_the_references(tmp_path: Path) -> None:
    labels, splits = cohort(tmp_path)
    mine = read(tmp_path, labels, splits)[0]
    cases = SPLITS.read(splits)
    reference, reread = classes(labels, cases), classes(mine, cases)
    for split in ("train", "val"):
        chosen = (cases["split"] == split).to_numpy()
        assert 0.15 < np.mean(reread["kl"][chosen] != reference["kl"][chosen]) < 0.45
        assert np.abs(reread["kl"] - reference["kl"])[chosen].max() == 1
        assert (reread["oa"][chosen] == np.array(KL.parent_class)[reread["kl"][chosen]]).all()  # even where somebody had read OA
    test = (cases["split"] == "test").to_numpy()
    before, after = LABELS.read(labels), LABELS.read(mine)
    reference_rows = set(cases.loc[test, "case_id"])
    rows = [
        [
            tuple(str(value) for value in row)
            for row in frame[frame["case_id"].isin(reference_rows)].sort_values(["case_id", "level", "source"]).to_numpy()
        ]
        for frame in (before, after)
    ]
    assert rows[0] == rows[1]
    assert (reread["oa"][test] == reference["oa"][test]).all()


def test_the_sources_say_who_read_and_other_levels_stay(tmp_path: Path) -> None:
    labels, splits = cohort(tmp_path)
    table = LABELS.read(read(tmp_path, labels, splits)[0])
    case = table[table["case_id"] == "0001-R-00m"].set_index("level")
    assert case["source"].to_dict() == {"features": "reader", "kl": "r", "oa": "derived"}
    assert [None if np.isnan(float(entry)) else int(entry) for entry in case.loc["features", "value"]] in ([1, None, 0],)
    reference_rows = LABELS.read(labels).merge(SPLITS.read(splits)[["case_id", "split"]])
    gone = (
        (reference_rows["level"] == "oa") & (reference_rows["source"] == "reader") & (reference_rows["split"] != "test")
    )  # they gave way to what follows from the grade
    assert len(table) == len(reference_rows) - gone.sum() < len(reference_rows)


def test_the_account_is_the_realised_agreement(tmp_path: Path) -> None:
    labels, splits = cohort(tmp_path)
    mine, account = read(tmp_path, labels, splits)
    cases = SPLITS.read(splits)
    reference, reread = classes(labels, cases), classes(mine, cases)
    record = json.loads(account.read_text())
    for level, count in (("kl", 5), ("oa", 2)):
        for split in ("train", "val"):
            chosen = (cases["split"] == split).to_numpy()
            reference_rows = record["agreement"][level][split]
            assert reference_rows["cases"] == chosen.sum() == np.sum(reference_rows["counts"])
            assert reference_rows["misread"] == pytest.approx(np.mean(reference[level][chosen] != reread[level][chosen]))
            kappa = cohen_kappa_score(reference[level][chosen], reread[level][chosen], labels=range(count), weights="quadratic")
            assert reference_rows["quadratic_kappa"] == pytest.approx(kappa)
    kept = provenance([account])["rater"]
    assert (kept["name"], kept["seed"]) == ("r", 0)
    assert kept["agreement"]["c"]["kl"]["train"] == {
        key: record["agreement"]["kl"]["train"][key] for key in ("cases", "misread", "quadratic_kappa")
    }
    assert provenance([]) == {}
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(KneeoaError, match=r"other\.json: is not the account of a rater"):
        load_accounts([tmp_path / "other.json"])


def test_labels_follow_through_a_hierarchy_of_three_levels(tmp_path: Path) -> None:
    top = Level(name="any", kind="binary", classes=("no", "yes"))
    middle = Level(name="oa", kind="ordinal", classes=("none", "mild", "severe"), parent="any", parent_class=(0, 1, 1))
    fine = KL.model_copy(update={"parent_class": (0, 0, 1, 1, 2)})
    labels, splits = cohort(tmp_path)
    kept = LABELS.read(labels)
    LABELS.write(labels, kept[kept["level"] == "kl"])
    mine = read(tmp_path, labels, splits, levels=(top, middle, fine))[0]
    cases = SPLITS.read(splits)
    reread = read_labels([mine], cases[cases["split"] != "test"], (top, middle, fine))
    assert (reread["oa"].values == np.array(fine.parent_class)[reread["kl"].values]).all()
    assert (reread["any"].values == np.array(middle.parent_class)[reread["oa"].values]).all()


def test_cases_without_a_fine_label_and_the_bytes_of_a_second_reading_do_not_change(tmp_path: Path) -> None:
    labels, splits = cohort(tmp_path)
    kept = LABELS.read(labels)
    LABELS.write(labels, kept[~((kept["level"] == "kl") & (kept["case_id"] < "0020"))])
    mine, account = read(tmp_path, labels, splits)
    first = mine.read_bytes(), account.read_bytes()
    cases = SPLITS.read(splits)
    unread = (cases["case_id"] < "0020").to_numpy()
    reference, reread = classes(labels, cases), classes(mine, cases)
    assert (reread["kl"][unread] == -1).all()
    assert (reread["oa"][unread] == reference["oa"][unread]).all()
    read(tmp_path, labels, splits)
    assert (mine.read_bytes(), account.read_bytes()) == first


def _learn(files: tiny_study.Files, out: Path, labels: list[Path], agreements: list[Path], **changes: Any) -> bytes:
    training = TRAINING.model_copy(update={"epochs": 1})
    train(**job(files, out, **changes) | {"labels": labels, "training": training, "provenance": {"code": "abc", **provenance(agreements)}})
    return (out / WEIGHTS).read_bytes()


def test_runs_learn_and_validate_on_his_labels_and_record_him(tmp_path: Path) -> None:
    files = tiny_study.make(tmp_path / "study")
    mine = [
        read(tmp_path, labels, splits, 0.5, name=f"r{place}")
        for place, (labels, splits) in enumerate(zip(files.labels, files.splits, strict=True))
    ]
    tables, accounts = [table for table, _ in mine], [account for _, account in mine]
    noisy = _learn(files, tmp_path / "noisy", tables, accounts, mode=DUAL)
    plain = _learn(files, tmp_path / "plain", files.labels, [], mode=DUAL)
    assert noisy != plain
    assert plain == _learn(files, tmp_path / "again", files.labels, [], mode=DUAL)
    record, reference = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("noisy", "plain"))
    assert reference["provenance"]["code"] == "abc"
    assert "rater" not in reference["provenance"]
    assert set(record["provenance"]["rater"]["agreement"]) == {"north", "south"}
    assert record["data"]["train"]["digest"] != reference["data"]["train"]["digest"]
    assert record["data"]["val"]["digest"] != reference["data"]["val"]["digest"]
    # A mode that knows of no grade learns the same rater's OA, not the reference's.
    single = [_learn(files, tmp_path / f"oa{place}", paths, [], mode=SINGLE_OA) for place, paths in enumerate((tables, files.labels))]
    assert single[0] != single[1]

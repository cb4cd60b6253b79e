from __future__ import annotations

import pandas as pd
import pytest

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.labels.level_labels import read_labels
from kneeoa.tables.cohort import LABELS
from tests.unit.training.tiny_study import KL, LEVELS, label_row

CASES = pd.DataFrame({"cohort": ["a", "a", "b"], "case_id": ["1", "2", "1"]})


def read(tmp_path, rows, levels=LEVELS):
    LABELS.write(tmp_path / "labels.parquet", rows)
    return read_labels([tmp_path / "labels.parquet"], CASES, levels)


def test_labels_follow_the_cases_and_parents_are_derived(tmp_path):
    rows = [label_row("b", "1", "kl", [3]), label_row("a", "1", "kl", [1]), label_row("a", "1", "oa", [1]), label_row("c", "1", "kl", [4])]
    labels = read(tmp_path, rows)
    assert labels["kl"].values.tolist() == [1, -1, 3]
    assert labels["kl"].sources == ["reader", "none", "reader"]
    assert labels["oa"].values.tolist() == [1, -1, 1]  # what was read stays, even against the finer label
    assert labels["oa"].sources == ["reader", "none", "derived"]
    assert labels["oa"].labelled().tolist() == [True, False, True]


def test_labels_climb_the_whole_hierarchy(tmp_path):
    top = Level(name="any", kind="binary", classes=("no", "yes"))
    middle = Level(name="grade", kind="ordinal", classes=("none", "mild", "severe"), parent="any", parent_class=(0, 1, 1))
    fine = KL.model_copy(update={"parent": "grade", "parent_class": (0, 0, 1, 1, 2)})
    labels = read(tmp_path, [label_row("a", "2", "kl", [4]), label_row("b", "1", "kl", [1])], (top, middle, fine))
    assert labels["grade"].values.tolist() == [-1, 2, 0]
    assert labels["any"].values.tolist() == [-1, 1, 0]


def test_the_cohorts_reader_wins_over_other_sources_and_those_over_the_derived(tmp_path):
    rows = [
        label_row("a", "1", "oa", [0], "derived"),
        label_row("a", "1", "oa", [1], "reader"),
        label_row("a", "1", "oa", [0], "automatic"),
    ]
    rows += [label_row("a", "2", "oa", [0], "derived"), label_row("a", "2", "oa", [1], "zzz")]
    rows += [label_row("b", "1", "oa", [None], "reader"), label_row("b", "1", "oa", [1], "derived")]
    labels = read(tmp_path, rows)
    assert labels["oa"].values.tolist() == [1, 1, 1]
    assert labels["oa"].sources == ["reader", "zzz", "derived"]


def test_multilabel_gaps_are_missing_and_do_not_climb(tmp_path):
    findings = Level(name="features", kind="multilabel", classes=("a", "b", "c"), parent="oa", parent_class=(1, 1, 1))
    labels = read(
        tmp_path, [label_row("a", "1", "features", [1, None, 0]), label_row("a", "2", "features", [None] * 3)], (LEVELS[0], findings)
    )
    assert labels["features"].values.tolist() == [[1, -1, 0], [-1, -1, -1], [-1, -1, -1]]
    assert labels["features"].labelled().tolist() == [True, False, False]
    assert labels["features"].sources == ["reader", "none", "none"]
    assert labels["oa"].values.tolist() == [-1, -1, -1]


def test_nothing_climbs_into_a_multilabel_level(tmp_path):
    findings = Level(name="features", kind="multilabel", classes=("a", "b"))
    fine = KL.model_copy(update={"parent": "features"})
    labels = read(tmp_path, [label_row("a", "1", "kl", [3])], (findings, fine))
    assert labels["features"].values.tolist() == [[-1, -1]] * 3


@pytest.mark.parametrize("value", [[5], [-2], [1, 1], []])
def test_a_label_that_is_no_class_is_refused(tmp_path, value):
    with pytest.raises(KneeoaError, match=r"Case 1 of cohort a .*'kl'.* 0 to 4"):
        read(tmp_path, [label_row("a", "1", "kl", value)])

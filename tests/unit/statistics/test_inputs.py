"""Every method checks its input before it counts."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.statistics.inputs import classes_of, cluster_codes, finite, same_length, subject_count


def test_finite_names_the_first_bad_row_and_how_many_there_are() -> None:
    with pytest.raises(ValueError, match=r"scores: 2 values are not finite numbers, the first \(inf\) at row 1"):
        finite([[1, 2], [3, np.inf], [np.nan, 4]], "scores")
    assert finite([1, 2], "scores").dtype == np.float64


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.int64, np.float32, float])
def test_classes_of_any_kind_of_number(kind: type) -> None:
    classes = classes_of(np.array([0, 1, 1], dtype=kind), 2)
    assert classes.dtype == np.int64
    assert classes.tolist() == [0, 1, 1]


@pytest.mark.parametrize(("truth", "count"), [([0, 2], 2), ([-1, 0], 2), ([0.0, 0.5], 2), ([-1, 3], None), ([0, 5.5], None)])
def test_classes_out_of_range_are_named(truth: list[float], count: int | None) -> None:
    with pytest.raises(ValueError, match=r"grade: expected whole numbers from 0 .*found"):
        classes_of(truth, count, "grade")


def test_classes_without_an_upper_end() -> None:
    assert classes_of([0, 7, 4], None).tolist() == [0, 7, 4]
    assert classes_of([], 2).size == 0
    with pytest.raises(ValueError, match="one value per case"):
        classes_of([[0, 1]], 2)


def test_cluster_codes_and_subject_counts() -> None:
    codes = cluster_codes(np.array(["b", "a", "b"], dtype=object), 3)
    assert codes is not None
    assert codes.tolist() == [1, 0, 1]
    assert (subject_count(codes, 3), subject_count(None, 3)) == (2, 3)
    assert cluster_codes([3, 1, 2], 3) is None
    assert cluster_codes(None, 3) is None
    with pytest.raises(ValueError, match="cluster: 2 rows, but truth has 3"):
        cluster_codes([1, 2], 3)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", None, "b", None],
        [1.0, np.nan, 2.0, np.nan],
        np.array(["a", "", "b", ""]),
        np.array(["a", "nan", "b", "None"]),
        np.array(["a", pd.NA, "b", float("nan")], dtype=object),
        pd.Series(["a", None, "b", None], dtype="string"),
    ],
    ids=["null", "nan", "empty", "words", "mixed", "pandas"],
)
def test_missing_clusters_are_refused_by_their_rows(labels: Any) -> None:
    """All who have none would be one person."""
    with pytest.raises(ValueError, match="cluster: no subject in rows 2 and 4; every case needs"):
        cluster_codes(labels, 4)


def test_lengths() -> None:
    same_length(2, a=np.zeros((2, 5)))
    with pytest.raises(ValueError, match="b: 3 rows, but truth has 2"):
        same_length(2, a=np.zeros(2), b=np.zeros(3))

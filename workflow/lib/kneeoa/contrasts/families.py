"""The primary comparison, and families of tests that are corrected together, once all rows are
known.

One row speaks for a metric in its family. Where a test over random seeds exists it is that row, and
the metric's fixed-seed tests, which say nothing of networks that were not trained, belong to no
family.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kneeoa.config.metrics import base
from kneeoa.config.statistics import Family, Primary, Statistics
from kneeoa.contrasts.joint import correlation_of
from kneeoa.statistics.max_t import max_t
from kneeoa.statistics.multiplicity import adjust

NO_FAMILY = "none"
PRIMARY = "primary"
MAX_T = "max_t"
INFLUENCE = "influence"
"""The subjects' influences on a row's difference (:mod:`kneeoa.contrasts.joint`)."""
_OF_MARGIN = ("non_inferiority", "equivalence")


def correct(rows: list[dict[str, Any]], statistics: Statistics) -> list[dict[str, Any]]:
    """The rows with family, adjustment, m and p_adjusted added.

    The primary family holds one row for each backbone and cohort that ``statistics.primary`` leaves
    open, and for each class or cut of a metric that has no row for all: unadjusted where it is one,
    else by Holm. Any other row joins the first family that lists its test and, where given, its
    contrast and metric; a family spans backbones, cohorts, classes and findings. A row over random
    seeds joins as its metric's own tests would have. m is the number of the family's defined tests.
    A row in no family has family and adjustment "none", m 1 and no p_adjusted.

    Args:
        rows: each with contrast, backbone, cohort, metric, test, note and p (None where undefined),
            a metric's tests in a row; and, for a family adjusted by max-T, :data:`INFLUENCE`.
        statistics: primary and families.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    whole = {(row["contrast"], row["metric"]) for row in rows}
    joined = [_family(row, groups[_key(row)], statistics, whole) for row in rows]
    corrected = [{**row, "family": NO_FAMILY, "adjustment": "none", "m": 1, "p_adjusted": None} for row in rows]
    for row, name in zip(corrected, joined, strict=True):
        if name == NO_FAMILY and _superseded(row, groups[_key(row)]):
            row["note"] = "; ".join(filter(None, [row["note"], "seeds are fixed: in no family, the test over random seeds is"]))
    methods = {family.name: str(family.adjust) for family in statistics.families}
    methods[PRIMARY] = methods.get(PRIMARY, "none" if joined.count(PRIMARY) < 2 else "holm")
    for name, method in methods.items():
        members = [index for index, joins in enumerate(joined) if joins == name]
        raw = np.array([np.nan if rows[index]["p"] is None else rows[index]["p"] for index in members], dtype=np.float64)
        count = int((~np.isnan(raw)).sum())
        if method == MAX_T:
            adjusted = max_t(raw, correlation_of([rows[index].get(INFLUENCE) for index in members]))
        else:
            adjusted = adjust(raw, method)  # type: ignore[arg-type]
        for index, value in zip(members, adjusted, strict=True):
            p_adjusted = None if np.isnan(value) else float(value)
            corrected[index] |= {"family": name, "adjustment": method, "m": count, "p_adjusted": p_adjusted}
    for row in corrected:
        row.pop(INFLUENCE, None)
    return corrected


def _family(row: dict[str, Any], group: list[dict[str, Any]], statistics: Statistics, whole: set[tuple[str, str]]) -> str:
    """The name of the family that a row joins; ``group``: the rows of its contrast, backbone,
    cohort and metric; ``whole``: the contrasts and metrics of all rows.
    """
    if _superseded(row, group):
        return NO_FAMILY
    lead = next(one for one in group if not _superseded(one, group))
    if row is lead and statistics.primary is not None and _is_primary(row, statistics.primary, whole):
        return PRIMARY
    tests = {row["test"]}
    if row["test"] == "seeds":
        tests |= {one["test"] for one in group if one["test"] not in _OF_MARGIN}
    return next((family.name for family in statistics.families if _belongs(row, tests, family)), NO_FAMILY)


def _superseded(row: dict[str, Any], group: list[dict[str, Any]]) -> bool:
    return row["test"] not in ("seeds", *_OF_MARGIN) and any(one["test"] == "seeds" for one in group)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["contrast"], row["candidate"], row["reference"], row["cohort"], row["metric"]


def _is_primary(row: dict[str, Any], primary: Primary, whole: set[tuple[str, str]]) -> bool:
    """A metric that has rows for classes or cuts alone is primary in all of them; one that has a
    mean over findings in the mean.
    """
    metric = row["metric"] if (primary.contrast, primary.metric) in whole else base(row["metric"])
    return (
        (row["contrast"], metric) == (primary.contrast, primary.metric)
        and primary.backbone in (None, row["backbone"])
        and primary.cohort in (None, row["cohort"])
    )


def _belongs(row: dict[str, Any], tests: set[str], family: Family) -> bool:
    return (
        bool(tests & set(family.tests))
        and (family.contrasts is None or row["contrast"] in family.contrasts)
        and (family.metrics is None or base(row["metric"]) in family.metrics)
    )

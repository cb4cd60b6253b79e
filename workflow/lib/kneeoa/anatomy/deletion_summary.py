"""Summarise the deletions of all runs over subjects and seeds: the drop of the score for each
region, and tissue against control, paired by subject.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.anatomy.deletion_regions import CONTROL
from kneeoa.anatomy.subject_summaries import case_means, compare_paired, count_columns, estimate_columns, subject_means, subject_values
from kneeoa.config.analysis import Statistics
from kneeoa.tables.saliency import DELETION, DELETION_SUMMARY


def summarise_deletion(*, deletions: list[Path], group: str, statistics: Statistics, out: Path) -> None:
    """Write DELETION_SUMMARY: mean drops with subject-bootstrap intervals, and the drop of
    ``group`` less that of each control (mean of its copies).

    The drop is signed: where a tissue is evidence against the score, deleting it raises the score.
    The absolute value says how much the network relies on the region either way.

    Args:
        deletions: DELETION tables of all runs.
        group: the group of tissues that controls are copies of.
        statistics: resamples, confidence and seed.
        out: DELETION_SUMMARY table to write.

    Raises:
        KneeoaError: a table is not what it should be.
    """
    table = DELETION.concat(deletions)
    summaries: list[dict[str, Any]] = []
    for (study, arm, cohort), rows in table.groupby(["study", "arm", "cohort"], sort=True):
        for measure, values in (("drop", rows["drop"]), ("absolute_drop", rows["drop"].abs())):
            keys = {"study": study, "arm": arm, "cohort": cohort, "measure": measure, "seeds": int(rows["seed"].nunique())}
            summaries += [keys | row for row in _region_rows(case_means(rows, values, ["region"]), group, statistics, str(cohort))]
    DELETION_SUMMARY.write(out, summaries)


def _region_rows(cases: pd.DataFrame, group: str, statistics: Statistics, cohort: str) -> Iterator[dict[str, Any]]:
    for (region,), estimate in subject_means(cases, statistics, cohort).items():
        blank = dict.fromkeys(("reference", "p", "effect", "rank_biserial"))
        yield {"region": region} | blank | count_columns(cases[(region,)]) | estimate_columns(estimate)
    controls: list[tuple[str, ...]] = [tuple(column) for column in cases.columns if column[0].startswith(CONTROL)]
    if not controls:
        return
    differences = pd.DataFrame({column: cases[(group,)] - cases[column] for column in controls})
    differences.columns = pd.MultiIndex.from_tuples(controls)
    for (control,), estimate in subject_means(differences, statistics, cohort).items():
        paired = compare_paired(subject_values(differences[(control,)]))
        row = {"region": group, "reference": control, "p": paired.p, "effect": paired.effect, "rank_biserial": paired.rank_biserial}
        yield row | count_columns(differences[(control,)]) | estimate_columns(estimate, paired.note)

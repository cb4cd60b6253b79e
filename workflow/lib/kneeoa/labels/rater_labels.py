"""Write a noisy rater's label table: training and validation labels read again, everything else
unchanged.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.atomic_io import write_json
from kneeoa.config.hierarchy import Level
from kneeoa.labels.level_labels import DERIVED, read_labels
from kneeoa.labels.noise import reread
from kneeoa.labels.permutation import permute_between_subjects
from kneeoa.level_derivation import derive_label
from kneeoa.statistics.metrics import confusions, quadratic_kappa
from kneeoa.tables.cohort import LABELS, SPLITS

logger = logging.getLogger(__name__)

SPLITS_READ = ("train", "val")
"""Splits that a rater labels: a network learns from one and its epoch is chosen by the other; test
labels stay the reference's.
"""


def rate_labels(
    *,
    rater: str,
    level: str,
    confusion: Sequence[Sequence[float]] | None,
    seed: int,
    levels: tuple[Level, ...],
    labels: Path,
    splits: Path,
    out_labels: Path,
    out_agreement: Path,
) -> None:
    """Write the LABELS table of a rater, and a JSON account of how it agrees with the reference.

    Of every training and validation case with a label at ``level``, that label is read through
    ``confusion``, or is another subject's of the same split, and those of the coarser levels are
    derived from what was read, whatever their source was. Test cases, cases without a label at
    ``level`` (their coarse labels included) and other levels keep their rows. The account holds, by
    level and split, the counts (row reference, column read), the share of misread labels and the
    quadratic weighted kappa (null where undefined).

    Args:
        rater: the rater's name, and the source of its labels.
        level: the level that it reads; no single-label level is finer.
        confusion: ``[K][K]``, row the reference class, column the probability of what is read;
            None: labels are permuted between subjects.
        seed: of its errors.
        levels: the study's hierarchy, coarse to fine.
        labels: LABELS of a cohort.
        splits: SPLITS of the cohort.
        out_labels: table to write.
        out_agreement: account to write.

    Raises:
        KneeoaError: the files are not these tables, or a label is out of its level's range.
    """
    table, cases = LABELS.read(labels), SPLITS.read(splits)
    cases = cases[cases["split"].isin(SPLITS_READ)].sort_values(["cohort", "case_id"], ignore_index=True)
    reference = read_labels([labels], cases, levels)
    labelled = reference[level].labelled()
    cases = cases[labelled].reset_index(drop=True)
    read = {level: _reread(reference[level].values[labelled], cases, confusion, seed)}
    for parent, child in _parents_and_children(level, levels):
        groups = child.parent_class or ()
        read[parent.name] = np.array([derive_label(int(label), groups) for label in read[child.name]], dtype=np.int64)

    replaced = pd.MultiIndex.from_frame(cases[["cohort", "case_id"]])
    replaced_rows = table["level"].isin(read) & pd.MultiIndex.from_frame(table[["cohort", "case_id"]]).isin(replaced)
    rows = pd.concat(
        [table[~replaced_rows], *(_label_rows(cases, name, values, rater if name == level else DERIVED) for name, values in read.items())]
    )
    LABELS.write(out_labels, rows.sort_values(["cohort", "case_id", "level", "source"], ignore_index=True))

    sizes = {each.name: len(each.classes) for each in levels}
    agreement = {
        name: {
            split: _agreement(reference[name].values[labelled], values, sizes[name], (cases["split"] == split).to_numpy())
            for split in SPLITS_READ
        }
        for name, values in read.items()
    }
    stated = confusion if confusion is None else [list(row) for row in confusion]
    account = {
        "rater": rater,
        "cohort": _cohort_name(table),
        "level": level,
        "seed": seed,
        "confusion": stated,
        "permuted": confusion is None,
    }
    write_json(out_agreement, {**account, "agreement": agreement})
    training = agreement[level]["train"]
    logger.info("%d training labels of level %s read again, a share of %.3f differs", training["cases"], level, training["misread"] or 0.0)


def _reread(labels: NDArray[np.int64], cases: pd.DataFrame, confusion: Sequence[Sequence[float]] | None, seed: int) -> NDArray[np.int64]:
    """The classes of ``cases`` as the rater reads them."""
    cohorts, case_ids = cases["cohort"].tolist(), cases["case_id"].tolist()
    if confusion is not None:
        return reread(labels, cohorts, case_ids, confusion, seed)
    dealt = labels.copy()
    for rows in cases.groupby("split").indices.values():
        group = cases.iloc[rows]
        dealt[rows] = permute_between_subjects(
            labels[rows], group["cohort"].tolist(), group["subject"].tolist(), group["case_id"].tolist(), seed
        )
    return dealt


def _parents_and_children(level: str, levels: tuple[Level, ...]) -> list[tuple[Level, Level]]:
    """(parent, child) from ``level`` upwards, as far as labels are derived."""
    by_name = {each.name: each for each in levels}
    pairs, child = [], by_name[level]
    while child.parent is not None and by_name[child.parent].exclusive:
        pairs.append((by_name[child.parent], child))
        child = by_name[child.parent]
    return pairs


def _label_rows(cases: pd.DataFrame, level: str, values: NDArray[np.int64], source: str) -> pd.DataFrame:
    columns: dict[str, Any] = {"level": level, "source": source, "readings": 1, "disagreement": False, "all_values": None}
    return cases[["cohort", "case_id"]].assign(**columns, value=pd.Series([[int(value)] for value in values], cases.index, dtype=object))


def _agreement(reference: NDArray[np.int64], read: NDArray[np.int64], classes: int, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    """Counts, misread share and kappa over the ``chosen`` cases whose reference is known (a coarse
    one can be missing).
    """
    chosen = chosen & (reference >= 0)
    counts = confusions(reference[chosen], read[chosen], classes, np.ones((1, int(chosen.sum()))))
    cases = int(chosen.sum())
    kappa = float(quadratic_kappa(counts)[0])
    return {
        "cases": cases,
        "misread": float((reference[chosen] != read[chosen]).mean()) if cases else None,
        "quadratic_kappa": None if np.isnan(kappa) else kappa,
        "counts": counts[0].astype(int).tolist(),
    }


def _cohort_name(table: pd.DataFrame) -> str:
    return str(table["cohort"].iloc[0]) if len(table) else ""

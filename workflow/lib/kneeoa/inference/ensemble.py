"""Combine several networks' probabilities of the same cases, and make an ensemble of finished runs
from their prediction tables alone.

Images, weights and a GPU are not needed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import expit, logit, softmax

from kneeoa.config.hierarchy import Level, class_groupings
from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_probabilities
from kneeoa.statistics.inputs import Floats
from kneeoa.tables.runs import PREDICTIONS

_LOG = logging.getLogger(__name__)

CASE = ["cohort", "case_id"]
_SAME = ["split", "subject", "side", "visit", "truth", "label_source"]

Combination = Literal["mean", "logit_mean"]
_LEAST = 1e-300
"""The least probability whose logarithm is taken: a member that is certain outweighs the others,
but cannot overrule them.
"""


def combine(members: Sequence[Floats], level: Level, how: Combination) -> Floats:
    """Combined probabilities ``[cases, classes]`` of one head's own level.

    Args:
        members: probabilities ``[cases, classes]`` of each.
        level: of several exclusive classes, or multilabel, whose findings are combined one by one.
        how: ``mean``: the arithmetic mean (Lakshminarayanan et al. 2017, deep ensembles);
            ``logit_mean``: the geometric mean, made to sum to 1, which is the softmax (multilabel:
            sigmoid) of the average logits.
    """
    stacked = np.stack(members)
    if how == "mean":
        average: Floats = stacked.mean(axis=0)
        return average
    if not level.exclusive:
        below_one = np.nextafter(1.0, 0.0)
        independent: Floats = expit(logit(np.clip(stacked, _LEAST, below_one)).mean(axis=0))
        return independent
    exclusive: Floats = softmax(np.log(np.maximum(stacked, _LEAST)).mean(axis=0), axis=1)
    return exclusive


def ensemble(*, name: str, members: Sequence[Path], levels: tuple[Level, ...], how: Combination, out: Path) -> None:
    """Write PREDICTIONS of an ensemble: for every head that all members have, its own level and the
    coarser ones that it is summed to.

    The members' probabilities are taken as their tables have them; ``calibrated`` is true where all
    of them are. ``members`` of each row lists the runs (``<arm>/seed-<seed>``); ``seed`` is the one
    that they share, null where they differ. Logits are null.

    Args:
        name: of the ensemble, in place of an arm's.
        members: PREDICTIONS tables of runs, two or more.
        levels: the hierarchy, coarse to fine.
        how: how probabilities are combined (:func:`kneeoa.inference.ensemble.combine`).
        out: table to write.

    Raises:
        KneeoaError: fewer than two members, a table that is not one run's, no head in common, or
            other cases, labels or classes.
    """
    if len(members) < 2:
        raise KneeoaError(f"Ensemble '{name}' has {len(members)} member; an ensemble needs two at least.")
    tables = {_run_of(table, path): table for table, path in ((PREDICTIONS.read(path), path) for path in members)}
    if len(tables) < len(members):
        raise KneeoaError(f"Ensemble '{name}': a run is a member twice; its members are {list(tables)}.")
    declared = {level.name: level for level in levels}
    heads = [name for name in declared if all(((table["level"] == name) & (table["head"] == name)).any() for table in tables.values())]
    if not heads:
        raise KneeoaError(f"Ensemble '{name}': its members {list(tables)} have no head in common; name arms whose modes share a level.")
    parts = [part for head in heads for part in _combine_head(name, tables, declared[head], levels, how)]
    table = pd.concat(parts, ignore_index=True)
    seeds = {int(table["seed"].iloc[0]) for table in tables.values()}
    columns: dict[str, Any] = {
        "arm": name,
        "seed": min(seeds) if len(seeds) == 1 else None,
        "members": [list(tables)] * len(table),
        "logits": None,
    }
    table = table.assign(**columns)
    PREDICTIONS.write(out, table.sort_values([*CASE, "level", "head"], ignore_index=True))
    _LOG.info("%s: %d runs, heads %s, %d rows", name, len(tables), ", ".join(heads), len(table))


def _run_of(table: pd.DataFrame, path: Path) -> str:
    """``<arm>/seed-<seed>`` of a prediction table.

    Raises:
        KneeoaError: it is not the table of one run.
    """
    runs = table[["arm", "seed"]].drop_duplicates()
    if len(runs) != 1 or runs["seed"].isna().any():
        raise KneeoaError(f"{path}: is not the predictions of one run; an ensemble is made of runs.")
    return f"{runs['arm'].iloc[0]}/seed-{runs['seed'].iloc[0]}"


def _combine_head(
    name: str, tables: dict[str, pd.DataFrame], level: Level, levels: tuple[Level, ...], how: Combination
) -> list[pd.DataFrame]:
    """Combine one head of all members: rows at its own level and at every coarser one; identity and
    truth come from the first member.
    """
    declared = {each.name: each for each in levels}
    head_rows = {run: _select_rows(table, level.name, level.name) for run, table in tables.items()}
    first = next(iter(head_rows.values()))
    for run, rows in head_rows.items():
        _require_same(first, rows, f"Ensemble '{name}': {next(iter(head_rows))} and {run}")
    sizes = {len(value) for rows in head_rows.values() for value in rows["probabilities"]}
    if sizes != {len(level.classes)}:
        raise KneeoaError(f"Ensemble '{name}': level '{level.name}' has {len(level.classes)} classes, but members give {sorted(sizes)}.")
    combined = combine([np.stack(rows["probabilities"].to_list()) for rows in head_rows.values()], level, how)
    calibrated = all(bool(rows["calibrated"].all()) for rows in head_rows.values())
    parts = []
    for level_name, groups in class_groupings(levels, level.name).items():
        rows = first if level_name == level.name else _select_rows(next(iter(tables.values())), level_name, level.name)
        classes = len(declared[level_name].classes)
        values = combined if level_name == level.name else derive_probabilities(combined, groups, classes)
        parts.append(rows.assign(probabilities=list(values), calibrated=calibrated))
    return parts


def _select_rows(table: pd.DataFrame, level: str, head: str) -> pd.DataFrame:
    return table[(table["level"] == level) & (table["head"] == head)].sort_values(CASE, ignore_index=True)


def _require_same(first: pd.DataFrame, other: pd.DataFrame, where: str) -> None:
    """Check that two members predict the same cases and have the same labels.

    Raises:
        KneeoaError: they differ; the sentence begins with ``where``.
    """
    keys = [list(zip(rows["cohort"], rows["case_id"], strict=True)) for rows in (first, other)]
    apart = sorted(set(keys[0]) ^ set(keys[1]))
    if apart:
        raise KneeoaError(f"{where} do not predict the same cases: {len(apart)} are in one alone, first {apart[0][1]} of {apart[0][0]}.")
    for column in _SAME:
        differ = first[column].map(repr) != other[column].map(repr)
        if differ.any():
            raise KneeoaError(f"{where} have another '{column}' of case {first.loc[differ, 'case_id'].iloc[0]}; predict both again.")

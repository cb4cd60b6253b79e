"""Read the cases of a run: embeddings as one matrix, and everything that they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError, rerun_hint
from kneeoa.geometry.estimates import Floats
from kneeoa.tables.cohort import LABELS, TRUTH
from kneeoa.tables.shards import MASKS

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Embeddings:
    """The cases (columns cohort, split, case_id, subject) and their embeddings ``[cases, width]``,
    sorted by cohort and case.
    """

    cases: pd.DataFrame
    values: Floats


def read_embeddings(path: Path) -> Embeddings:
    """Read an embeddings table without a Python object per case.

    Raises:
        KneeoaError: the file is not an embeddings table, is empty, repeats a case or holds a value
            that is not finite.
    """
    names = ["cohort", "split", "case_id", "subject"]
    try:
        table = pq.read_table(path, columns=[*names, "embedding"])
    except (OSError, pa.ArrowInvalid) as error:
        raise KneeoaError(f"{path}: cannot be read as an embeddings table ({error}); {rerun_hint(path)}.") from error
    kind = table.schema.field("embedding").type
    if not pa.types.is_fixed_size_list(kind):
        raise KneeoaError(f"{path}: is not an embeddings table: 'embedding' is a {kind}, and a fixed-size list was expected.")
    if not len(table):
        raise KneeoaError(f"{path}: the embeddings table has no rows; run the prediction again.")
    column = table.column("embedding").combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False).reshape(len(table), kind.list_size).astype(np.float64)
    cases = table.select(names).to_pandas()
    order = cases.sort_values(["cohort", "case_id"], kind="stable").index.to_numpy()
    cases, values = cases.loc[order].reset_index(drop=True), values[order]
    repeated = cases.duplicated(["cohort", "case_id"])
    if repeated.any():
        raise KneeoaError(f"{path}: case '{cases.loc[repeated, 'case_id'].iloc[0]}' has two embeddings; one run gives one.")
    not_finite = ~np.isfinite(values).all(axis=1)
    if not_finite.any():
        raise KneeoaError(
            f"{path}: the embedding of case '{cases.loc[not_finite, 'case_id'].iloc[0]}' is not finite; did the training diverge?"
        )
    return Embeddings(cases, values)


def read_grades(paths: Sequence[Path], level: str, cases: pd.DataFrame) -> Floats:
    """Read the label of one level for each row of ``cases``: ``[cases]``, NaN where there is none.

    Raises:
        KneeoaError: two sources of a label disagree (the geometry does not choose between them).
    """
    labels = LABELS.concat(list(paths))
    labels = labels[labels["level"] == level]
    by_case: dict[tuple[str, str], float] = {}
    for cohort, case_id, value in zip(labels["cohort"], labels["case_id"], labels["value"], strict=True):
        if not len(value) or value[0] is None or np.isnan(value[0]):
            continue
        if by_case.setdefault((cohort, case_id), float(value[0])) != float(value[0]):
            raise KneeoaError(
                f"case '{case_id}' of cohort '{cohort}' has several labels of level '{level}' that disagree; keep one source."
            )
    return _aligned(by_case, cases)


def read_severity(paths: Sequence[Path], cases: pd.DataFrame) -> Floats:
    """Read the phantom's latent severity for each row of ``cases``: ``[cases]`` in [0, 1], NaN
    where there is no truth.
    """
    truth = TRUTH.concat(list(paths))
    return _aligned(dict(zip(zip(truth["cohort"], truth["case_id"], strict=True), truth["latent_severity"], strict=True)), cases)


def read_cartilage(paths: Sequence[Path], cases: pd.DataFrame) -> dict[str, Floats]:
    """Read mean thickness (mm) and volume (mm3) of cartilage of each row of ``cases``, by name:
    ``[cases]``, NaN without a usable mask.
    """
    masks = MASKS.concat(list(paths))
    masks = masks[masks["usable"].astype(bool)] if len(masks) else masks
    keys = list(zip(masks["cohort"], masks["case_id"], strict=True))
    return {name: _aligned(dict(zip(keys, masks[name], strict=True)), cases) for name in ("cartilage_thickness_mm", "cartilage_mm3")}


def _aligned(by_case: dict[tuple[str, str], float], cases: pd.DataFrame) -> Floats:
    keys = zip(cases["cohort"], cases["case_id"], strict=True)
    return np.array([by_case.get(key, np.nan) for key in keys], dtype=np.float64)


@dataclass(frozen=True)
class CaseTables:
    """Files of the tables that hold labels, truth and masks of the cases."""

    labels: list[Path]
    """LABELS of all cohorts."""
    truth: list[Path] = field(default_factory=list)
    """TRUTH; empty where there is none."""
    masks: list[Path] = field(default_factory=list)
    """MASKS of the run's view; empty where there are none."""


@dataclass(frozen=True)
class Cases:
    """The cases of a run, all splits; arrays are ``[cases]``, NaN where a case has no value."""

    frame: pd.DataFrame
    subjects: NDArray[np.str_]
    train: Flags
    level: Level
    grade: Floats
    binary: dict[str, Floats]
    severity: Floats
    cartilage: dict[str, Floats]

    def test_cases(self) -> dict[str, Flags]:
        """Return the test cases of each cohort as ``[cases]`` flags."""
        test = (self.frame["split"] == "test").to_numpy()
        return {str(name): test & (self.frame["cohort"] == name).to_numpy() for name in self.frame.loc[test, "cohort"].unique()}


def ordinal_level(levels: tuple[Level, ...], name: str | None) -> Level:
    """Return the level whose grades the axis should order: ``name``, or the finest ordinal one.

    Raises:
        KneeoaError: there is no such level, or it is not ordinal.
    """
    ordinal = {level.name: level for level in levels if level.ordered}
    if name is not None and name not in ordinal:
        raise KneeoaError(f"'geometry.level' is '{name}', but the ordinal levels are {sorted(ordinal)}.")
    if not ordinal:
        raise KneeoaError("a severity axis needs an ordinal level, and the hierarchy has none; leave the geometry out of this study.")
    return ordinal[name] if name is not None else list(ordinal.values())[-1]


def read_cases(data: Embeddings, sources: CaseTables, levels: tuple[Level, ...], level: Level) -> Cases:
    """Read ``sources`` and join them to the cases of ``data``.

    Raises:
        KneeoaError: a table is not what it should be, or two labels of a case disagree.
    """
    return Cases(
        frame=data.cases,
        subjects=data.cases["subject"].to_numpy(dtype=str),
        train=(data.cases["split"] == "train").to_numpy(),
        level=level,
        grade=read_grades(sources.labels, level.name, data.cases),
        binary={item.name: read_grades(sources.labels, item.name, data.cases) for item in levels if item.binary},
        severity=read_severity(sources.truth, data.cases),
        cartilage=read_cartilage(sources.masks, data.cases),
    )

"""Prediction tables made elsewhere, brought into the one prediction table by a column map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.config.analysis import ImportedArm, ImportedLevel, Imports
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.hierarchy import derive_label, derive_probabilities
from kneeoa.probabilities import ROUNDING, first_bad_row, row_rounding
from kneeoa.tables.predictions import PREDICTIONS

Probabilities = NDArray[np.float64]
Labels = list[int | None]


def import_predictions(imports: Imports, arm_name: str, levels: tuple[Level, ...], study: str, folder: Path, out: Path) -> None:
    """Read one arm's CSV or Parquet file and write it as a prediction table.

    Each imported level gives rows of its own head. A level with a parent also gives rows (parent,
    this head): the parent's probabilities summed through ``parent_class``, up the hierarchy,
    whether or not the parent has a head of its own. Seed and logits are null, ``label_source`` is
    "import". An empty label is kept as null (unread).

    Args:
        imports: the column map.
        arm_name: one of ``imports.arms``.
        levels: the hierarchy, coarse to fine.
        study: name of the study.
        folder: folder of the tables, variables expanded.
        out: file to write.

    Raises:
        KneeoaError: unknown arm or level, missing file or column, repeated ids, labels that are not
            classes or that contradict the hierarchy, probabilities outside [0, 1] or that do not
            sum to 1.
    """
    if arm_name not in imports.arms:
        raise KneeoaError(f"Arm '{arm_name}' is not among the imported arms {sorted(imports.arms)}.")
    arm = imports.arms[arm_name]
    path = Path(folder) / arm.file
    by_name = {level.name: level for level in levels}
    unknown = [name for name in arm.levels if name not in by_name]
    if unknown:
        raise KneeoaError(f"Imported arm '{arm_name}' maps the level '{unknown[0]}', but the study's levels are {sorted(by_name)}.")
    frame = _read(path, imports, arm)
    cases = _cases(frame, imports, path)
    truths = {name: _truth(frame[columns.truth], by_name[name], path) for name, columns in arm.levels.items()}
    blocks = []
    for level in levels:
        if level.name not in arm.levels:
            continue
        own = _probabilities(frame, arm.levels[level.name], level, path)
        for spoken, probabilities, truth in _with_parents(level, own, truths[level.name], by_name):
            if spoken.name in truths:
                _require_consistent(truths[spoken.name], truth, cases["case_id"], spoken.name, level.name, path)
            block = cases.assign(level=spoken.name, head=level.name, truth=pd.Series([[value] for value in truth]))
            blocks.append(block.assign(probabilities=pd.Series(list(probabilities))))
    if not blocks:
        raise KneeoaError(f"Imported arm '{arm_name}' maps no level; give at least one under 'levels'.")
    table = pd.concat(blocks, ignore_index=True).assign(
        study=study,
        arm=arm_name,
        seed=None,
        members=None,
        cohort=imports.cohort,
        split=imports.split,
        side=None,
        visit=imports.visit,
        logits=None,
        label_source="import",
        calibrated=False,
    )
    PREDICTIONS.write(out, table)


def _read(path: Path, imports: Imports, arm: ImportedArm) -> pd.DataFrame:
    identifiers = [imports.case_id] + ([imports.subject] if imports.subject else [])
    columns = [*identifiers, *(c for level in arm.levels.values() for c in (level.truth, *level.probabilities))]
    if not path.is_file():
        raise KneeoaError(f"{path}: the file of imported predictions does not exist; check 'folder' and 'file' in the imports section.")
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, dtype=dict.fromkeys(identifiers, str), float_precision="round_trip")
    except (ValueError, OSError) as error:
        raise KneeoaError(f"{path}: cannot be read as a table of predictions: {error}.") from error
    missing = [name for name in dict.fromkeys(columns) if name not in frame.columns]
    if missing:
        raise KneeoaError(f"{path}: lacks the columns {missing}; it has {list(frame.columns)}. Correct the column map of the imports.")
    return frame


def _cases(frame: pd.DataFrame, imports: Imports, path: Path) -> pd.DataFrame:
    """Columns case_id and subject as text, one row a case."""
    columns = {"case_id": imports.case_id, "subject": imports.subject or imports.case_id}
    for column in columns.values():
        empty = frame[column].isna()
        if empty.any():
            raise KneeoaError(f"{path}: column '{column}' is empty in data row {_row(empty)}; every case needs it.")
    cases = pd.DataFrame({name: frame[column].astype(str) for name, column in columns.items()})
    repeated = cases["case_id"].duplicated(keep=False)
    if repeated.any():
        names = sorted(set(cases.loc[repeated, "case_id"]))
        raise KneeoaError(f"{path}: the ids {names[:10]} ({len(names)} in all) occur more than once; one row per case is expected.")
    return cases.reset_index(drop=True)


def _truth(column: pd.Series, level: Level, path: Path) -> Labels:
    if level.kind == "multilabel":
        raise KneeoaError(f"{path}: level '{level.name}' is multilabel, which cannot be imported from one truth column.")
    values = pd.to_numeric(column, errors="coerce")
    count = len(level.classes)
    wrong = column.notna() & (values.isna() | (values % 1 != 0) | (values < 0) | (values >= count))
    if wrong.any():
        found = f"'{column[wrong].iloc[0]}' in data row {_row(wrong)}"
        raise KneeoaError(f"{path}: column '{column.name}' holds {found}; level '{level.name}' has the classes 0 to {count - 1}.")
    return [None if np.isnan(value) else int(value) for value in values.to_numpy(dtype=np.float64, na_value=np.nan)]


def _probabilities(frame: pd.DataFrame, columns: ImportedLevel, level: Level, path: Path) -> Probabilities:
    names, count = list(columns.probabilities), len(level.classes)
    if len(names) != count and not (level.kind == "binary" and len(names) == 1):
        raise KneeoaError(f"{path}: level '{level.name}' has {count} classes, but {len(names)} probability columns are mapped to it.")
    for name in names:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        wrong = ~((numbers >= -ROUNDING) & (numbers <= 1 + ROUNDING))
        if wrong.any():
            found = f"'{frame[name][wrong].iloc[0]}' in data row {_row(wrong)}"
            raise KneeoaError(f"{path}: column '{name}' holds {found}; a probability from 0 to 1 is expected.")
    values = np.clip(frame[names].astype(np.float64).to_numpy(), 0.0, 1.0)
    if len(names) == 1:
        return np.column_stack([1.0 - values[:, 0], values[:, 0]])
    bad = first_bad_row(values)
    if bad is not None:
        raise KneeoaError(
            f"{path}: the columns {names} sum to {values[bad].sum():.7g} in data row {bad + 1}; they must sum to 1, and the table's "
            f"precision explains {row_rounding(values)[bad]:.2g} at most. Correct the columns, or export them with all digits."
        )
    return values


def _with_parents(
    level: Level, probabilities: Probabilities, truth: Labels, by_name: dict[str, Level]
) -> Iterator[tuple[Level, Probabilities, Labels]]:
    """The level itself, then each coarser level read from it."""
    yield level, probabilities, truth
    while level.parent is not None and level.parent_class is not None:
        groups = level.parent_class
        level = by_name[level.parent]
        probabilities = derive_probabilities(probabilities, groups, len(level.classes))
        truth = [None if label is None else derive_label(label, groups) for label in truth]
        yield level, probabilities, truth


def _require_consistent(given: Labels, derived: Labels, cases: pd.Series, coarse: str, fine: str, path: Path) -> None:
    pairs = zip(cases, given, derived, strict=True)
    wrong = [case for case, a, b in pairs if a is not None and b is not None and a != b]
    if wrong:
        raise KneeoaError(
            f"{path}: the '{coarse}' label contradicts the '{fine}' label of {len(wrong)} cases, e.g. {wrong[:5]}; "
            "correct the labels or the level's 'parent_class'."
        )


def _row(mask: pd.Series) -> int:
    """Number of the first marked data row, counted from 1 below the header."""
    return int(np.flatnonzero(mask.to_numpy())[0]) + 1

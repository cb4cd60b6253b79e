"""Import predictions made elsewhere: convert their tables to PREDICTIONS by a column map."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.atomic_io import write_json
from kneeoa.config.analysis import ImportedArm, ImportedLevel, Imports
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_label, derive_probabilities
from kneeoa.probabilities import ROUNDING, first_bad_row, row_rounding
from kneeoa.subject_ids import listed_rows, missing_rows, subject_id_warning
from kneeoa.tables.runs import PREDICTIONS

LOG = logging.getLogger(__name__)

Probabilities = NDArray[np.float64]
Labels = list[list[int | None]]
"""For each case its class, or whether it has each finding; None where it was not read."""


def import_predictions(
    imports: Imports,
    arm_name: str,
    levels: tuple[Level, ...],
    study: str,
    folder: Path,
    out: Path,
    out_account: Path | None = None,
) -> None:
    """Read one arm's CSV or Parquet file and write it as a prediction table.

    Each imported level gives rows of its own head. A level with a parent also gives rows (parent,
    this head): the parent's probabilities summed through ``parent_class``, up the hierarchy,
    whether or not the parent has a head of its own. Seed and logits are null, ``label_source`` is
    "import". An empty label is kept as null (unread). Subject ids that look like knees or visits of
    one person cause a warning in the log and in the account.

    Args:
        imports: the column map.
        arm_name: one of ``imports.arms``.
        levels: the hierarchy, coarse to fine.
        study: name of the study.
        folder: folder of the tables, variables expanded.
        out: file to write.
        out_account: JSON to write: ``cohort``, ``arm``, ``cases``, ``subjects``, and ``doubts``, a
            list of sentences.

    Raises:
        KneeoaError: unknown arm or level, missing file or column, absent or repeated ids, labels
            that are not classes or that contradict the hierarchy, probabilities outside [0, 1] or
            that do not sum to 1.
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
    cases = _read_cases(frame, imports, path)
    truths = {name: _read_truth(frame, columns, by_name[name], path) for name, columns in arm.levels.items()}
    blocks = []
    for level in levels:
        if level.name not in arm.levels:
            continue
        head_probabilities = _read_probabilities(frame, arm.levels[level.name], level, path)
        for read_level, probabilities, truth in _with_parents(level, head_probabilities, truths[level.name], by_name):
            if read_level.name in truths:
                _require_consistent(truths[read_level.name], truth, cases["case_id"], read_level.name, level.name, path)
            block = cases.assign(level=read_level.name, head=level.name, truth=pd.Series(truth))
            blocks.append(block.assign(probabilities=pd.Series(list(probabilities))))
    if not blocks:
        raise KneeoaError(f"Imported arm '{arm_name}' maps no level; give at least one under 'levels'.")
    table = pd.concat(blocks, ignore_index=True)
    table = table[table["split"] != "train"].assign(
        study=study,
        arm=arm_name,
        seed=None,
        members=None,
        cohort=imports.cohort,
        side=None,
        visit=imports.visit,
        logits=None,
        label_source="import",
        calibrated=False,
    )
    doubts = [sentence for sentence in [subject_id_warning(cases["subject"].unique())] if sentence]
    if doubts and imports.subject is None:
        doubts = [f"{doubts[0]} The column of the person can be named as imports.subject."]
    for sentence in doubts:
        LOG.warning("%s: %s", path, sentence)
    PREDICTIONS.write(out, table)
    if out_account is not None:
        account = {"cohort": imports.cohort, "arm": arm_name, "cases": len(cases), "subjects": int(cases["subject"].nunique())}
        write_json(out_account, account | {"doubts": doubts})


def _read(path: Path, imports: Imports, arm: ImportedArm) -> pd.DataFrame:
    identifiers = [imports.case_id] + ([imports.subject] if imports.subject else [])
    columns = [
        *identifiers,
        *([imports.split_column] if imports.split_column else []),
        *(c for level in arm.levels.values() for c in (*level.truth_columns, *level.probabilities)),
    ]
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


def _read_cases(frame: pd.DataFrame, imports: Imports, path: Path) -> pd.DataFrame:
    """Columns case_id and subject as text, one row a case."""
    columns = {"case_id": imports.case_id, "subject": imports.subject or imports.case_id}
    for column in columns.values():
        absent = missing_rows(frame[column])
        if absent:
            raise KneeoaError(f"{path}: column '{column}' is empty in data {listed_rows(absent)}; every case needs it.")
    cases = pd.DataFrame({name: _as_text(frame[column]) for name, column in columns.items()})
    repeated = cases["case_id"].duplicated(keep=False)
    if repeated.any():
        names = sorted(set(cases.loc[repeated, "case_id"]))
        raise KneeoaError(f"{path}: the ids {names[:10]} ({len(names)} in all) occur more than once; one row per case is expected.")
    return cases.assign(split=_read_splits(frame, imports.split_column, path)).reset_index(drop=True)


def _read_splits(frame: pd.DataFrame, column: str | None, path: Path) -> pd.Series | str:
    if column is None:
        return "test"
    splits = frame[column].astype(str).str.strip().str.lower().replace({"validation": "val", "valid": "val", "training": "train"})
    wrong = ~splits.isin(["train", "val", "test"])
    if wrong.any():
        value = f"'{frame[column][wrong].iloc[0]}' in data row {_first_row_number(wrong)}"
        raise KneeoaError(f"{path}: column '{column}' holds {value}; it is val or test.")
    if not (splits == "test").any():
        raise KneeoaError(f"{path}: column '{column}' marks no case as test; arms are compared on test cases.")
    return splits


def _as_text(ids: pd.Series) -> pd.Series:
    """Ids as text without spaces around them; whole numbers in a column of floats without ".0"."""
    whole = ids.dtype.kind == "f" and bool((ids % 1 == 0).all())
    return (ids.astype("int64") if whole else ids).astype(str).str.strip()


def _read_truth(frame: pd.DataFrame, columns: ImportedLevel, level: Level, path: Path) -> Labels:
    names = columns.truth_columns
    if len(names) != level.label_size:
        raise KneeoaError(f"{path}: level '{level.name}' {needed_truth(level)}, but 'truth' names {len(names)}.")
    entries = [_read_classes(frame[name], level.label_top + 1, level, path) for name in names]
    return [list(case) for case in zip(*entries, strict=True)]


def needed_truth(level: Level) -> str:
    """The number of columns of the reference label that a level takes, as the rest of a
    sentence.
    """
    if not level.exclusive:
        return f"is multilabel and needs a truth column for each of its {len(level.classes)} findings"
    return "needs one truth column"


def _read_classes(column: pd.Series, count: int, level: Level, path: Path) -> list[int | None]:
    values = pd.to_numeric(column, errors="coerce")
    wrong = column.notna() & (values.isna() | (values % 1 != 0) | (values < 0) | (values >= count))
    if wrong.any():
        value = f"'{column[wrong].iloc[0]}' in data row {_first_row_number(wrong)}"
        has = None if level.exclusive else f"a finding of level '{level.name}' is 0 or 1"
        has = has or f"level '{level.name}' has the classes 0 to {count - 1}"
        raise KneeoaError(f"{path}: column '{column.name}' holds {value}; {has}.")
    return [None if np.isnan(value) else int(value) for value in values.to_numpy(dtype=np.float64, na_value=np.nan)]


def _read_probabilities(frame: pd.DataFrame, columns: ImportedLevel, level: Level, path: Path) -> Probabilities:
    names, count = list(columns.probabilities), len(level.classes)
    if len(names) != count and not (level.binary and len(names) == 1):
        raise KneeoaError(f"{path}: level '{level.name}' has {count} classes, but {len(names)} probability columns are mapped to it.")
    for name in names:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        wrong = ~((numbers >= -ROUNDING) & (numbers <= 1 + ROUNDING))
        if wrong.any():
            shown = f"'{frame[name][wrong].iloc[0]}' in data row {_first_row_number(wrong)}"
            raise KneeoaError(f"{path}: column '{name}' holds {shown}; a probability from 0 to 1 is expected.")
    values: Probabilities = np.clip(frame[names].astype(np.float64).to_numpy(), 0.0, 1.0)
    if len(names) == 1:
        return np.column_stack([1.0 - values[:, 0], values[:, 0]])
    if not level.exclusive:
        return values
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
    """Yield the level itself, then each coarser level derived from it."""
    yield level, probabilities, truth
    while level.exclusive and level.parent is not None and level.parent_class is not None:
        groups = level.parent_class
        level = by_name[level.parent]
        probabilities = derive_probabilities(probabilities, groups, len(level.classes))
        truth = [[None if label is None else derive_label(label, groups) for label in case] for case in truth]
        yield level, probabilities, truth


def _require_consistent(given: Labels, derived: Labels, cases: pd.Series, coarse: str, fine: str, path: Path) -> None:
    pairs = zip(cases, given, derived, strict=True)
    wrong = [case for case, a, b in pairs if any(x != y for x, y in zip(a, b, strict=True) if x is not None and y is not None)]
    if wrong:
        raise KneeoaError(
            f"{path}: the '{coarse}' label contradicts the '{fine}' label of {len(wrong)} cases, e.g. {wrong[:5]}; "
            "correct the labels or the level's 'parent_class'."
        )


def _first_row_number(mask: pd.Series) -> int:
    """Number of the first marked data row, counted from 1 below the header."""
    return int(np.flatnonzero(mask.to_numpy())[0]) + 1

"""The table of arms: what was trained, with every factor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from kneeoa.errors import KneeoaError
from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.display_names import display_name, sentence_case

if TYPE_CHECKING:
    from kneeoa.presentation.arms import ArmNames

TABLE = {
    "section": "design",
    "title": "Arms",
    "settings": {"rows_of_arms": "rows_of_arms"},
}
SCHEMA = None
"""Its columns are the factors that the study has."""
CSV_ORDER: tuple[str, ...] = ()

_FIRST = ("name", "backbone", "mode")


def flatten(arm: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested sections to dotted keys (``training.epochs``); lists become JSON; an absent
    factor is left out.
    """
    result: dict[str, Any] = {}
    for key, value in arm.items():
        if isinstance(value, Mapping):
            result |= flatten(value, f"{prefix}{key}.")
        elif value is not None:
            result[prefix + key] = json.dumps(value) if isinstance(value, list | tuple | set) else value
    return result


def _plain(value: Any) -> str:
    """Print a cell: the members of a JSON list one after the other."""
    members = json.loads(value) if isinstance(value, str) and value.startswith("[") else [value]
    return ", ".join(str(member) for member in members)


def csv_rows(rows_of_arms: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a row for each arm with every factor, in the configuration's order.

    Args:
        rows_of_arms: one mapping an arm, with ``name``, ``backbone``, ``mode`` and anything else
            (nested sections too).

    Raises:
        KneeoaError: an arm lacks its name, backbone or mode.
    """
    rows = [flatten(arm) for arm in rows_of_arms]
    for arm, row in zip(rows_of_arms, rows, strict=True):
        missing = [key for key in _FIRST if key not in arm]  # null: it does not apply
        if missing:
            raise KneeoaError(f"the arm {row} lacks '{missing[0]}'; every arm needs its name, backbone and mode.")
    columns = list(dict.fromkeys([*_FIRST, *(key for row in rows for key in row)]))
    return pd.DataFrame([{key: row.get(key) for key in columns} for row in rows], columns=columns, dtype=object)


def tabulars(rows: pd.DataFrame, names: ArmNames | None, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print the arms: names, backbones, modes, and the factors in which they differ; an empty cell
    is an absent factor.
    """
    arms = [{str(key): value for key, value in row.items() if value not in (None, "")} for row in rows.to_dict("records")]
    return _tabulars(arms, labels)


def _tabulars(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str] | None) -> list[Tabular]:
    columns = dict.fromkeys(key for row in rows for key in row)
    varying = [key for key in columns if key not in _FIRST and len({str(row.get(key, "")) for row in rows}) > 1]
    shown = ["backbone", "mode", *varying]
    body = []
    for row in rows:
        factors = [display_name(str(row.get(key, "")), labels) if key in _FIRST else _plain(row.get(key, "")) for key in shown]
        body.append([str(row["name"]), *factors])
    heads = ["Arm", *(sentence_case(key.rpartition(".")[2].replace("_", " ")) for key in shown)]
    return [Tabular(heads, body, left=3, breaks=group_starts([str(row.get("backbone", "")) for row in rows]))] if body else []

"""Small studies of imported predictions whose levels are all of one kind, or that compare nothing:
their tables and their configurations.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

BINARY = {"name": "oa", "kind": "binary", "classes": ["no OA", "OA"]}
NOMINAL = {"name": "joint", "kind": "multiclass", "classes": ["normal", "abnormal", "arthroplasty"]}
ORDINAL = {"name": "kl", "kind": "ordinal", "classes": [f"KL {grade}" for grade in range(5)]}
FINDINGS = {"name": "signs", "kind": "multilabel", "classes": ["osteophytes", "narrowing", "sclerosis"]}

KINDS: dict[str, list[dict[str, Any]]] = {
    "binary": [BINARY],
    "nominal": [NOMINAL],
    "ordinal": [ORDINAL],
    "multilabel": [FINDINGS],
    "binary and multilabel": [BINARY, FINDINGS],
}
TESTS = {
    "oa": {"auc": ["delong"]},
    "joint": {"macro_auc": ["delong"], "auc": ["delong"], "accuracy": ["mcnemar"]},
    "kl": {"macro_auc": ["delong"], "quadratic_kappa": ["bootstrap"]},
    "signs": {"auc": ["delong"], "average_precision": ["delta"], "accuracy": ["delta"]},
}
"""The tests of the contrast of a level."""
SHARPNESS = {"dual": 2.0, "single": 1.2}
CASES, SUBJECTS = 90, 60


def table(levels: list[dict[str, Any]], sharpness: float, seed: int, absent: bool = False) -> pd.DataFrame:
    """Predictions of 90 knees of 60 people; ``absent``: no case of the last class or finding."""
    truth_of, noise = np.random.default_rng(7), np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "id": [f"k{case:03d}" for case in range(CASES)],
        "person": [f"p{case % SUBJECTS:03d}" for case in range(CASES)],
    }
    for level in levels:
        name, count = level["name"], len(level["classes"])
        if level["kind"] == "multilabel":
            truth = truth_of.integers(0, 2, (CASES, count)).astype(float)
            truth[:5, 0] = np.nan  # not read
            truth[:, -1] *= not absent
            scores = 1 / (1 + np.exp(-((np.nan_to_num(truth) - 0.5) * sharpness + noise.normal(size=truth.shape))))
            columns |= {f"{name}_y{k}": truth[:, k] for k in range(count)}
        else:
            one = truth_of.integers(0, count - absent, CASES)
            scores = np.exp(-np.abs(np.arange(count) - one[:, None]) * sharpness + noise.normal(size=(CASES, count)))
            scores /= scores.sum(axis=1, keepdims=True)
            columns[f"{name}_y"] = one
        columns |= {f"{name}_p{k}": scores[:, k] for k in range(count)}
    return pd.DataFrame(columns)


def columns_of(level: dict[str, Any]) -> dict[str, Any]:
    """The map of a level's columns in :func:`table`."""
    name, places = level["name"], range(len(level["classes"]))
    truth = [f"{name}_y{k}" for k in places] if level["kind"] == "multilabel" else f"{name}_y"
    return {"truth": truth, "probabilities": [f"{name}_p{k}" for k in places]}


def study(
    folder: Path, levels: list[dict[str, Any]], *, contrasts: bool = True, backbones: int = 1, modes: int = 2, absent: bool = False
) -> dict[str, Any]:
    """Write the tables into ``folder``; the configuration of their study."""
    arms = {}
    for number in range(backbones):
        for mode in list(SHARPNESS)[:modes]:
            name = f"net{number}-{mode}"
            table(levels, SHARPNESS[mode], number, absent).to_csv(folder / f"{name}.csv", index=False)
            mapped = {level["name"]: columns_of(level) for level in levels}
            arms[name] = {"backbone": f"net{number}", "mode": mode, "file": f"{name}.csv", "levels": mapped}
    compared = [
        {
            "name": f"{level['name']}-contrast",
            "level": level["name"],
            "candidate": "dual",
            "reference": "single",
            "tests": TESTS[level["name"]],
        }
        for level in levels
        if contrasts and modes == 2 and level["name"] in TESTS
    ]
    return {
        "study": "kinds",
        "levels": levels,
        "imports": {"folder": str(folder), "case_id": "id", "subject": "person", "cohort": "clinic", "arms": arms},
        "statistics": {"resamples": 50, "contrasts": compared},
        "figures": {"dpi": 60},
    }

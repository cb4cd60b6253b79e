"""A multilabel level is many yes-or-no findings: each measured as a binary level of its own, and
their mean.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.cases import LevelPredictions, level_predictions
from kneeoa.contrasts.sampled import sampled_runs
from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats, cluster_codes
from kneeoa.statistics.sampling import Sampled, estimate_of, over_seeds

METRICS = ("auc", "accuracy", "f1", "brier")
"""Of each finding; a row is called e.g. ``auc[osteophytes]``, and the mean over the findings that
have a value ``macro_auc``.
"""


def finding_rows(rows: pd.DataFrame, arm: str, level: Level, head: str, statistics: Statistics) -> list[dict[str, Any]]:
    """The rows of METRICS of one arm, cohort, split and multilabel level, averaged over (fixed)
    seeds.

    A case counts for a finding where that finding was read. Intervals are those of the influences
    over subjects: on the logit scale for AUCs, else symmetric; the mean over findings adds the
    influences of a case before they are squared, so that findings of one knee are not taken as
    independent.

    Raises:
        KneeoaError: truth or probabilities that do not have one entry for each finding, or as
            :func:`kneeoa.contrasts.cases.level_predictions`.
    """
    count = len(level.classes)
    for column in ("truth", "probabilities"):
        wrong = rows[rows[column].map(len) != count]
        if len(wrong):
            case = wrong["case_id"].iloc[0]
            where = f"Predictions of arm '{arm}', level '{level.name}': {column} of case '{case}'"
            raise KneeoaError(f"{where} does not have {count} entries, one for each finding.")
    cases = sorted(set(rows["case_id"]))
    subject_of = dict(zip(rows["case_id"], rows["subject"], strict=True))
    codes = cluster_codes(np.array([subject_of[case] for case in cases], dtype=str), len(cases))
    findings = [_finding(rows, arm, level, head, number) for number in range(count)]
    found = []
    for metric in METRICS:
        parts: list[Sampled] = []
        for name, predictions in zip(level.classes, findings, strict=True):
            one = _spread(metric, predictions, cases)
            found.append(_row(f"{metric}[{name}]", one, codes, predictions, statistics))
            parts += [] if math.isnan(one.value) else [one]
        mean = over_seeds(parts) if parts else Sampled(math.nan, np.full(len(cases), math.nan))
        note = f"mean over {len(parts)} of {count} findings"
        whole = _row(f"macro_{metric}", mean, codes, findings[0], statistics)
        subjects = len(set(subject_of.values()))
        found.append(whole | {"cases": len(cases), "subjects": subjects, "note": note})
    return found


def _finding(rows: pd.DataFrame, arm: str, level: Level, head: str, number: int) -> LevelPredictions:
    binary = Level(name=level.name, kind="binary", classes=("no", "yes"))
    probabilities = [[1 - values[number], values[number]] for values in rows["probabilities"]]
    truth = [[values[number]] for values in rows["truth"]]
    own = rows.assign(truth=pd.Series(truth, index=rows.index), probabilities=pd.Series(probabilities, index=rows.index))
    return level_predictions(own, arm, binary, head)


def _spread(metric: str, predictions: LevelPredictions, cases: list[str]) -> Sampled:
    """The finding's metric with an influence for every case of the level: none for those in which
    the finding was not read.
    """
    if not predictions.case_ids:
        return Sampled(math.nan, np.full(len(cases), math.nan))
    own = over_seeds(sampled_runs(metric, predictions))
    influence: Floats = np.zeros(len(cases))
    influence[np.searchsorted(cases, predictions.case_ids)] = own.influence
    return Sampled(own.value, influence)


def _row(name: str, value: Sampled, codes: Any, predictions: LevelPredictions, statistics: Statistics) -> dict[str, Any]:
    scale = "logit" if name.startswith(("auc", "macro_auc")) else "wald"
    found = estimate_of(value, codes, statistics.confidence, name, "logit" if scale == "logit" else "wald")
    return {
        "seed": None,
        "seeds": len(predictions.seeds),
        "metric": name,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "interval": f"{scale}-influence",
        "cases": len(predictions.case_ids),
        "subjects": predictions.subject_count,
        "note": "undefined: a class is absent" if math.isnan(found.estimate) else "",
    }

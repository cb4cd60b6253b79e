"""Prediction tables of a develop cohort with its three splits and of external cohorts, made by
hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from kneeoa.config.hierarchy import Level
from kneeoa.inference.outputs import predict_levels
from kneeoa.tables.runs import PREDICTIONS

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
LEVELS = (OA, KL)
HOME = (("home", "train", 120), ("home", "val", 90), ("home", "test", 100))
SHARES = {"home": (0.4, 0.2, 0.2, 0.1, 0.1), "away": (0.1, 0.2, 0.2, 0.2, 0.3)}


def grades_of(cohort: str, split: str, people: int, films: int) -> np.ndarray:
    """The grades of people whose films are alike, in the cohort's own prevalence."""
    shares = SHARES["home" if cohort == "home" else "away"]
    draws = np.random.default_rng([len(cohort), len(split), people])
    return np.repeat(draws.choice(5, people, p=shares), films)


def predictions(
    folder: Path,
    arm: str = "net",
    seed: int = 1,
    *,
    cohorts: Sequence[tuple[str, str, int]] = (*HOME, ("away", "test", 60)),
    coarse: Sequence[str] = (),
    heads: Sequence[str] = ("kl",),
    sharpness: float = 1.0,
    films: int = 2,
    wrong: Sequence[str] = (),
    logits: bool = True,
) -> Path:
    """Write a run's table: logits of the grade's posterior at home, times ``sharpness``.

    ``coarse``: cohorts labelled at ``oa`` alone; ``wrong``: cohorts whose labels are turned about.
    """
    draws = np.random.default_rng([seed, len(arm)])
    parts = []
    for cohort, split, people in cohorts:
        grades = grades_of(cohort, split, people, films)
        count = grades.size
        scores = {"kl": draws.normal(0, 1, (count, 5)), "oa": draws.normal(0, 1, (count, 2))}
        scores["kl"][np.arange(count), grades] += 1.5
        scores["kl"] = 1.5 * scores["kl"] + np.log(SHARES["home"])  # the posterior at home
        scores["oa"][np.arange(count), (grades >= 2).astype(int)] += 1.5
        by_head = {head: sharpness * log_softmax(scores[head], axis=1) for head in heads}
        labels = 4 - grades if cohort in wrong else grades
        names = [f"{cohort}{split}{number // films:03d}" for number in range(count)]
        for reading in predict_levels(by_head, LEVELS, {}):
            truth = [[int(grade) if reading.level == "kl" else int(grade >= 2)] for grade in labels]
            if reading.level == "kl" and cohort in coarse:
                truth = [[None]] * count
            same = {"study": "s", "arm": arm, "seed": seed, "members": None, "cohort": cohort, "split": split, "side": "R", "visit": "00m"}
            rows = {"case_id": [f"{name}-{number}" for number, name in enumerate(names)], "subject": names}
            columns = {"probabilities": list(reading.probabilities), "logits": list(reading.logits) if logits else None}
            columns |= {"level": reading.level, "head": reading.head, "calibrated": False, "truth": truth, "label_source": "reader"}
            parts.append(pd.DataFrame(rows).assign(**same, **columns))
    path = folder / f"{arm}-{seed}.parquet"
    PREDICTIONS.write(path, pd.concat(parts, ignore_index=True))
    return path

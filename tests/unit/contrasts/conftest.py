"""Small prediction tables with known structure: two knees of most people, two levels, any heads and
seeds.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.config.hierarchy import Level
from kneeoa.level_derivation import derive_probabilities
from kneeoa.tables.runs import PREDICTIONS

GROUPS = (0, 0, 1, 1, 1)
LEVELS = (
    Level(name="oa", kind="binary", classes=("no", "yes")),
    Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=GROUPS),
)

Make = Callable[..., pd.DataFrame]


@pytest.fixture
def levels() -> tuple[Level, ...]:
    return LEVELS


@pytest.fixture
def make() -> Make:
    return predictions


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., list[Path]]:
    def write(*frames: pd.DataFrame) -> list[Path]:
        paths = []
        for index, frame in enumerate(frames):
            paths.append(tmp_path / f"predictions-{index}.parquet")
            PREDICTIONS.write(paths[-1], frame)
        return paths

    return write


def predictions(
    arm: str,
    heads: tuple[str, ...],
    seed: int | None = 0,
    skill: float = 1.0,
    noise: int = 0,
    n: int = 60,
    singletons: bool = False,
    cohort: str = "c",
    split: str = "test",
) -> pd.DataFrame:
    """One run's rows: own heads, and (oa, kl) derived where the kl head is there."""
    grade = np.arange(n) % 5
    generator = np.random.default_rng([noise, seed or 0, n])
    logits = generator.normal(size=(n, 5)) - skill * np.abs(np.arange(5) - grade[:, None])
    fine = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    positive = 1 / (1 + np.exp(-(skill * (grade - 1.5) + 2 * generator.normal(size=n))))
    coarse = np.column_stack([1 - positive, positive])
    blocks: list[tuple[str, str, np.ndarray, np.ndarray]] = []
    if "oa" in heads:
        blocks.append(("oa", "oa", coarse, (grade >= 2).astype(int)))
    if "kl" in heads:
        blocks.append(("kl", "kl", fine, grade))
        blocks.append(("oa", "kl", derive_probabilities(fine, GROUPS, 2), (grade >= 2).astype(int)))
    rows: list[dict[str, Any]] = []
    for level, head, probabilities, truth in blocks:
        for i in range(n):
            subject = i if singletons else i // 2
            rows.append(
                {
                    "study": "s",
                    "arm": arm,
                    "seed": seed,
                    "members": None,
                    "cohort": cohort,
                    "split": split,
                    "case_id": f"{cohort}-{split}-{i:03d}",
                    "subject": f"p{subject:03d}",
                    "side": None,
                    "visit": "00m",
                    "level": level,
                    "head": head,
                    "truth": [int(truth[i])],
                    "logits": None,
                    "probabilities": probabilities[i].tolist(),
                    "label_source": "reader",
                    "calibrated": False,
                }
            )
    return pd.DataFrame(rows)

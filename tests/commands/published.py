"""Nine tables as the published study has them, of made-up knees: the columns that
`workflow/studies/published.yaml` maps, and probabilities stored in single precision, which sum to
more than 1 in some rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tests.dag import ROOT

STUDY = "workflow/studies/published.yaml"
KNEES, GRADES = 60, 5


def write_tables(folder: Path) -> Path:
    """Write them below ``folder``, which is then what `KNEEOA_REAL_DATA` names; equal calls write
    equal tables.

    Returns:
        ``folder``.
    """
    imports = yaml.safe_load((ROOT / STUDY).read_text())["imports"]
    (folder / "paper_a_predictions").mkdir(parents=True)
    rng = np.random.default_rng(0)
    grade = np.sort(rng.integers(0, GRADES, KNEES))
    for arm in imports["arms"].values():
        fine = softmax_in_single_precision(grade + rng.normal(0, 0.9, KNEES))
        columns = {imports["case_id"]: [f"oaizib_{number:03d}" for number in range(KNEES)]}
        for level, mapped in arm["levels"].items():
            columns[mapped["truth"]] = grade if level == "kl" else (grade >= 2).astype(int)
            values = fine.T if level == "kl" else [np.clip(rng.normal(0.3 + 0.4 * (grade >= 2), 0.2), 0.001, 0.999)]
            columns |= dict(zip(mapped["probabilities"], values, strict=True))
        pd.DataFrame(columns).to_csv(folder / "paper_a_predictions" / arm["file"], index=False)
    return folder


def softmax_in_single_precision(score: np.ndarray) -> np.ndarray:
    """Confident class probabilities ``[cases, grades]`` around each score, as float64 of what
    single precision holds.
    """
    logits = (-6 * (score[:, None] - np.arange(GRADES)) ** 2).astype(np.float32)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float64)


def shrink(clone: Path) -> None:
    """The study's file in a clone with fewer resamples: all else is what people run."""
    file = clone / STUDY
    text = file.read_text()
    assert "resamples: 10000" in text
    file.write_text(text.replace("resamples: 10000", "resamples: 200"))

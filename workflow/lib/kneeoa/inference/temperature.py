"""Fit the temperature of every head of a run on validation cases, and read and write the file that
keeps it beside the weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from kneeoa.atomic_io import sha256_file, write_json
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.inference.outputs import Logits
from kneeoa.labels.level_labels import MISSING, LevelLabels
from kneeoa.network.model import WEIGHTS
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.temperature import fit_temperature
from kneeoa.statistics.wald import normal_quantile

NAME = "temperature.json"
SPLIT = "val"
CONFIDENCE = 0.95


def fit_temperatures(
    logits: Logits, levels: tuple[Level, ...], cases: pd.DataFrame, truth: Mapping[str, LevelLabels]
) -> dict[str, dict[str, Any]]:
    """Fit the temperature of each head: ``temperature``, ``low``, ``high``, what it was fitted on,
    and ``reason`` where there is none (then they are None).

    One temperature by maximum likelihood (Guo et al. 2017; :mod:`kneeoa.statistics.temperature`);
    all findings of a multilabel level share one. The interval is normal on the scale of log T, its
    error the sandwich estimator with subjects as clusters (Liang and Zeger 1986), scaled by G / (G
    - 1) for G subjects.

    Args:
        logits: of every head and case.
        levels: the hierarchy, for the kinds of the heads' levels.
        cases: rows in the order of ``logits``; columns cohort, subject, split. Only split val is
            used.
        truth: labels of the levels.
    """
    chosen = np.flatnonzero((cases["split"] == SPLIT).to_numpy())
    people = (cases["cohort"] + "\x00" + cases["subject"]).to_numpy()[chosen]
    exclusive = {level.name: level.exclusive for level in levels}
    fitted = {}
    for head, head_logits in logits.items():
        labels, scores, subjects = truth[head].values[chosen], head_logits[chosen], people
        if not exclusive[head]:  # a finding is a pair of classes, (0, z)
            labels, subjects = labels.ravel(), np.repeat(people, scores.shape[1])
            scores = np.stack([np.zeros(scores.size), scores.ravel()], axis=1)
        labelled = labels != MISSING
        fitted[head] = _fit_head(labels[labelled], scores[labelled], subjects[labelled])
    return fitted


def _fit_head(labels: np.ndarray[Any, np.dtype[np.int64]], logits: Floats, people: np.ndarray[Any, Any]) -> dict[str, Any]:
    names, clusters = np.unique(people, return_inverse=True)
    counts: dict[str, Any] = {"split": SPLIT, "labels": len(labels), "subjects": len(names), "confidence": CONFIDENCE}
    nothing = {"temperature": None, "low": None, "high": None, "loss_before": None, "loss_after": None}
    if not len(labels):
        return {**counts, **nothing, "reason": "no validation case has a label of this level"}
    fitted = fit_temperature(labels, logits)
    counts["loss_before"] = fitted.loss_before
    if fitted.degenerate:
        why = "every validation case is called rightly" if fitted.temperature < 1 else "the logits say nothing of the validation labels"
        return {**nothing, **counts, "reason": f"the likelihood has no maximum: {why}"}
    result = {**counts, "temperature": fitted.temperature, "loss_after": fitted.loss_after, "reason": None}
    low, high = _interval(labels, logits, clusters, fitted.temperature)
    if math.isnan(low):
        return {**result, "low": None, "high": None, "reason": "no interval: the validation labels are of one subject"}
    return {**result, "low": low, "high": high}


def _interval(
    labels: np.ndarray[Any, np.dtype[np.int64]], logits: Floats, clusters: np.ndarray[Any, Any], temperature: float
) -> tuple[float, float]:
    """Limits of T from the score of b = 1/T: a case's score is z_y - E(z), its information Var(z),
    both under softmax(b z).
    """
    count = int(clusters.max()) + 1
    if count < 2:
        return math.nan, math.nan
    probabilities = softmax(logits / temperature, axis=1)
    mean = (probabilities * logits).sum(axis=1)
    information = float((probabilities * (logits - mean[:, None]) ** 2).sum())
    scores = np.bincount(clusters, logits[np.arange(len(labels)), labels] - mean)
    error = math.sqrt(count / (count - 1) * float((scores**2).sum())) / information
    half = normal_quantile(CONFIDENCE) * error * temperature  # of log T, whose derivative by b is -T
    return temperature * math.exp(-half), temperature * math.exp(half)


def write_temperatures(path: Path, run: Path, flips: tuple[int, ...], heads: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the file of temperatures: the digest of the weights that they belong to, the flips that
    they were fitted with, and the heads.
    """
    write_json(path, {"weights": sha256_file(run / WEIGHTS), "flips": list(flips), "heads": dict(heads)})


def usable_temperatures(heads: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Head -> temperature, of the heads that have one."""
    return {head: float(entry["temperature"]) for head, entry in heads.items() if entry["temperature"] is not None}


def read_temperatures(run: Path, flips: tuple[int, ...]) -> dict[str, float]:
    """Read the temperatures in the folder of a run.

    Raises:
        KneeoaError: there is no file, it is damaged, belongs to other weights or was fitted with
            other flips.
    """
    path = run / NAME
    if not path.is_file():
        raise KneeoaError(f"{path} is missing: no temperature was fitted for this run; predict its study's cases first, or leave it out.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        weights, fitted, temperatures = str(content["weights"]), tuple(content["flips"]), usable_temperatures(content["heads"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KneeoaError(f"{path}: is not a file of temperatures ({error}); predict the study's cases again.") from error
    if weights != sha256_file(run / WEIGHTS):
        raise KneeoaError(f"{path}: was fitted for other weights than {run / WEIGHTS}; predict the study's cases again.")
    if fitted != flips:
        raise KneeoaError(f"{path}: was fitted with flips along the axes {list(fitted)}, not {list(flips)}; ask for the same flips.")
    return temperatures

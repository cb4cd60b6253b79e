"""Fit the weights of an ensemble's members on validation cases, and read and write the file that
keeps them beside its predictions.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.atomic_io import write_json
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.pool_weights import fit_pool_weights

_LOG = logging.getLogger(__name__)

SPLIT = "val"
"""Weights are fitted here alone; an external cohort has no such case."""


def fit_head_weights(rows: Sequence[pd.DataFrame], level: Level) -> tuple[Floats, dict[str, Any]]:
    """Weights ``[M]`` of the members' probabilities of one head, and what the file says of them.

    By maximum likelihood (:mod:`kneeoa.statistics.pool_weights`) on the validation cases that have
    a label; findings of a multilabel level, which share the weights, count one by one. Without such
    a case the weights are equal, and ``reason`` says so.

    Args:
        rows: PREDICTIONS of the head at its own level, one table a member, the same cases in the
            same order.
        level: of the head.
    """
    chosen = np.flatnonzero(rows[0]["split"] == SPLIT)
    labels = np.array([list(label) for label in rows[0]["truth"].iloc[chosen]], dtype=np.float64).reshape(chosen.size, level.label_size)
    read = ~np.isnan(labels)
    equal = np.full(len(rows), 1 / len(rows))
    counts = {"split": SPLIT, "labels": int(read.sum()), "subjects": int(rows[0]["subject"].iloc[chosen[read.any(axis=1)]].nunique())}
    if not read.any():
        reason = "no validation case has a label of this level: equal weights"
        _LOG.warning("head '%s': %s", level.name, reason)
        return equal, {"weights": equal.tolist(), **counts, "loss_equal": None, "loss": None, "reason": reason}
    members = [np.stack(table["probabilities"].iloc[chosen].to_list()) for table in rows]
    fitted = fit_pool_weights(np.stack([_of_label(values, labels, level)[read] for values in members], axis=1))
    return fitted.weights, {
        "weights": fitted.weights.tolist(),
        **counts,
        "loss_equal": fitted.loss_equal,
        "loss": fitted.loss,
        "reason": None,
    }


def _of_label(probabilities: Floats, labels: Floats, level: Level) -> Floats:
    """The probability of each label ``[cases, 1 or findings]``; what is unread does not matter."""
    if level.exclusive:
        return np.take_along_axis(probabilities, np.nan_to_num(labels).astype(np.int64), axis=1)
    return np.where(labels == 1, probabilities, 1 - probabilities)


def write_weights(path: Path, how: str, members: Sequence[str], heads: Mapping[str, Mapping[str, Any]]) -> None:
    """Write how an ensemble is combined: ``combine``, ``members`` (``<arm>/seed-<seed>``) and, of
    weighted ones, ``heads``: head -> weights in the order of the members, and what they were fitted
    on.
    """
    write_json(path, {"combine": how, "members": list(members), "heads": dict(heads)})


def read_weights(path: Path, runs: Sequence[str]) -> dict[str, Floats]:
    """Read head -> weights of a file that :func:`write_weights` wrote, in the order of ``runs``
    (``<arm>/seed-<seed>``), which must be its members.

    Raises:
        KneeoaError: there is no such file, it is damaged, holds no weights, or is of other members.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        members = [str(name) for name in content["members"]]
        weights = {str(head): [float(weight) for weight in entry["weights"]] for head, entry in content["heads"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KneeoaError(f"{path}: cannot be read as the weights of an ensemble ({error}); name the .weights.json beside one.") from error
    if not weights:
        raise KneeoaError(f"{path}: holds no weights, as the ensemble's 'combine' is '{content.get('combine')}'; name a weighted one's.")
    if sorted(members) != sorted(runs) or any(len(values) != len(members) for values in weights.values()):
        raise KneeoaError(f"{path}: has the weights of {', '.join(members)}, but the runs are {', '.join(runs)}; name the same ones.")
    return {head: np.array([values[members.index(run)] for run in runs]) for head, values in weights.items()}

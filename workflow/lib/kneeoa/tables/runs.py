"""Tables of runs: learning curves, predictions and embeddings of a study's cases, and predictions
of new images.
"""

from __future__ import annotations

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

HISTORY = TableSchema(
    "history",
    pa.schema(
        [
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("epoch", pa.int32()),  # from 1
            required("split", pa.string()),  # train or val
            required("level", pa.string()),  # a level, or total
            required("measure", pa.string()),  # loss, auc, accuracy, learning_rate, seconds
            required("value", pa.float64()),
        ]
    ),
    key=("arm", "seed", "fold", "epoch", "split", "level", "measure"),
)
"""Learning curves: one row per epoch, split and measure of a run."""

PREDICTIONS = TableSchema(
    "predictions",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            optional("seed", pa.int32()),  # null for an import or an ensemble
            fold(),
            optional("members", pa.list_(pa.string())),  # of an ensemble
            required("cohort", pa.string()),
            required("split", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            optional("side", pa.string()),
            required("visit", pa.string()),
            required("level", pa.string()),
            required("head", pa.string()),  # the level whose head predicted; differs from `level` where coarse is summed from fine
            required("truth", pa.list_(pa.int16())),  # one entry; several for multilabel, null where unread
            optional("logits", pa.list_(pa.float64())),  # null for imports
            required("probabilities", pa.list_(pa.float64())),  # one per class, binary levels have two
            required("label_source", pa.string()),
            required("calibrated", pa.bool_()),
        ]
    ),
    key=("study", "arm", "seed", "fold", "cohort", "case_id", "level", "head"),
)
"""The prediction table: one row per case, level and head, for every study, run and import."""

COMPARED = ("split", "subject", "truth", "probabilities")
"""Columns that metrics and comparisons read beside the key."""


def embeddings(width: int) -> TableSchema:
    """The schema of embeddings with ``width`` components (the input of the last linear layer)."""
    return TableSchema(
        "embeddings",
        pa.schema(
            [
                required("study", pa.string()),
                required("arm", pa.string()),
                required("seed", pa.int32()),
                fold(),
                required("cohort", pa.string()),
                required("split", pa.string()),
                required("case_id", pa.string()),
                required("subject", pa.string()),
                required("embedding", pa.list_(pa.float32(), width)),
            ]
        ),
        key=("arm", "seed", "fold", "cohort", "case_id"),
    )


APPLIED = TableSchema(
    "applied",
    pa.schema(
        [
            required("case_id", pa.string()),  # as the manifest or the file's name has it
            optional("side", pa.string()),  # L or R
            required("level", pa.string()),
            required("head", pa.string()),  # the level whose head predicted; differs from `level` where coarse is summed from fine
            required("classes", pa.list_(pa.string())),
            required("probabilities", pa.list_(pa.float64())),  # in the order of `classes`
            optional("predicted", pa.string()),  # the class of the largest probability; null for a multilabel level
            required("members", pa.list_(pa.string())),  # the runs that predicted
            required("combined", pa.string()),  # alone, mean or logit_mean
            required("calibrated", pa.bool_()),
        ]
    ),
    key=("case_id", "level", "head"),
)
"""Predictions of a finished run, or of several as one, on new images: one row per case, level and
head; without truth and without personal data.
"""

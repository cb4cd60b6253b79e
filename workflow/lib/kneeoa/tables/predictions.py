"""The prediction table: one row per case, level and head, for every study, run and import."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

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

COMPARED = ("split", "subject", "truth", "probabilities")
"""Columns that metrics and comparisons read beside the key."""

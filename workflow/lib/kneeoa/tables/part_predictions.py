"""Predictions of every part of a run's plug-in by itself: one row per case, level and part."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, required

PART_PREDICTIONS = TableSchema(
    "part_predictions",
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
            required("level", pa.string()),  # whose heads the part's are
            required("part", pa.string()),  # as the plug-in calls it
            required("truth", pa.list_(pa.int16())),  # one entry; several for multilabel, null where unread
            required("probabilities", pa.list_(pa.float64())),  # one per class
        ]
    ),
    key=("arm", "seed", "fold", "cohort", "case_id", "level", "part"),
)

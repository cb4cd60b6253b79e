"""Tables of the parts of plug-ins: predictions of each by itself, one row per case, level and part,
and their metrics.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

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

PART_METRICS = TableSchema(
    "part_metrics",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            optional("seed", pa.int32()),  # null: mean over the arm's seeds
            fold(),
            required("seeds", pa.int32()),  # how many seeds stand behind the row
            required("cohort", pa.string()),
            required("level", pa.string()),
            required("part", pa.string()),  # as the plug-in calls it
            required("metric", pa.string()),
            optional("estimate", pa.float64()),  # null: undefined, see note
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            required("interval", pa.string()),  # how the interval was made, as in METRICS
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("arm", "seed", "fold", "cohort", "level", "part", "metric"),
)
"""Metrics of each part of a plug-in by itself on the test cases. They choose nothing."""

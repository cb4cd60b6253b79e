"""One row per case, level and source: the reference labels, never the phantom's truth."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

LABELS = TableSchema(
    "labels",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("level", pa.string()),
            required("source", pa.string()),  # reader: the cohort's; derived; a noisy rater's name; ...
            required("value", pa.list_(pa.int16())),  # one entry; several for a multilabel level, null where unread
            required("readings", pa.int32()),  # how many readings stood behind it
            required("disagreement", pa.bool_()),  # whether they differed
            optional("all_values", pa.string()),  # where there were several, each as project:value, e.g. 15:2; 37:3
        ]
    ),
    key=("cohort", "case_id", "level", "source"),
)

"""Predictions of a finished run, or of several as one, on new images: one row per case, level and
head; without truth and without personal data.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

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
            required("combined", pa.string()),  # alone, mean, logit_mean, vote or weighted
            required("calibrated", pa.bool_()),
        ]
    ),
    key=("case_id", "level", "head"),
)

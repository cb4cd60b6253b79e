"""One row per case: one joint of one subject at one visit, the unit of prediction."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

CASES = TableSchema(
    "cases",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),  # unique in a cohort, e.g. 9001104-R-00m
            required("subject", pa.string()),
            optional("side", pa.string()),  # L or R
            required("visit", pa.string()),
            required("shard", pa.int32()),
            optional("site", pa.string()),
            optional("sex", pa.string()),  # F or M
            optional("age", pa.float64()),  # years
            optional("given_split", pa.string()),  # the split that the source assigns, if it does
        ]
    ),
    key=("cohort", "case_id"),
)

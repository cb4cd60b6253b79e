"""Split (train, validation or test) of each case: made once, read by all stages."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

SPLITS = TableSchema(
    "splits",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            optional("side", pa.string()),
            required("visit", pa.string()),
            required("split", pa.string()),  # train, val, test
        ]
    ),
    key=("cohort", "case_id"),
)

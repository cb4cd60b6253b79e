"""One row per thing that cannot be used, or only after a repair, or that a person should look at,
with its reason: nothing is dropped or changed silently.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

EXCLUSIONS = TableSchema(
    "exclusions",
    pa.schema(
        [
            required("cohort", pa.string()),
            optional("case_id", pa.string()),
            optional("subject", pa.string()),
            optional("view", pa.string()),
            required("stage", pa.string()),  # cohort, volumes, masks, splits
            required(
                "scope", pa.string()
            ),  # case: out of the study; mask: out of the anatomy only; level: no such label; repair: kept, mended; flag: kept, to look at
            required("reason", pa.string()),  # stable slug
            required("detail", pa.string()),  # a sentence
        ]
    ),
    key=(),
)

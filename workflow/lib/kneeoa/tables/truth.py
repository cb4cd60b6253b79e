"""The phantom's truth: latent severity and true grade. Training never reads it; analyses are
checked against it.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

TRUTH = TableSchema(
    "truth",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            required("side", pa.string()),
            required("latent_severity", pa.float64()),  # in [0, 1]
            required("true_grade", pa.int16()),  # Kellgren-Lawrence, before the rater's noise
            required("read_grade", pa.int16()),
            optional("fault", pa.string()),  # what was broken on purpose
            optional("expected_stage", pa.string()),  # of the row of exclusions that must follow; null: none must
            optional("expected_scope", pa.string()),
            optional("expected_reason", pa.string()),
        ]
    ),
    key=("cohort", "case_id"),
)

"""The embedding of every predicted case: a fixed-size list column, so the schema depends on the
width.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, required


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

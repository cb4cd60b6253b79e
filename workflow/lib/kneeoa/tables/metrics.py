"""Metrics of each run: one row per arm, seed, level, head and metric, with its interval."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

METRICS = TableSchema(
    "metrics",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            optional("seed", pa.int32()),  # null: mean over the arm's seeds, or an import
            fold(),
            required("seeds", pa.int32()),  # how many seeds stand behind the row
            required("cohort", pa.string()),
            required("split", pa.string()),
            required("level", pa.string()),
            required("head", pa.string()),
            required("metric", pa.string()),
            optional("estimate", pa.float64()),  # null: undefined, see note
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            required("interval", pa.string()),  # how the interval was made: logit-delong, cluster-bootstrap, ...
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("note", pa.string()),  # empty, or why a value is undefined
        ]
    ),
    key=("study", "arm", "seed", "fold", "cohort", "split", "level", "head", "metric"),
)

"""Similarity of the representations of the test cases by two runs: every pair of runs, and pairs of
arms over their seeds.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

SIMILARITY = TableSchema(
    "similarity",
    pa.schema(
        [
            required("study", pa.string()),
            required("cohort", pa.string()),
            required("kind", pa.string()),  # runs: one pair of runs; seeds: mean over the seeds of an arm; arms: over two arms' seeds
            optional("factor", pa.string()),  # in which two arms differ
            required("measure", pa.string()),  # cka (unbiased, linear; 1: the same), procrustes (0: the same, sqrt 2: unrelated)
            required("arm_a", pa.string()),
            optional("seed_a", pa.int32()),  # null unless the row is of runs
            required("arm_b", pa.string()),
            optional("seed_b", pa.int32()),
            required("pairs", pa.int32()),  # of runs
            optional("estimate", pa.float64()),
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("cohort", "measure", "kind", "arm_a", "seed_a", "arm_b", "seed_b"),
)

"""Saliency on anatomy over subjects: one row per arm, tissue and measure, and per contrast of modes."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

ANATOMY = TableSchema(
    "anatomy",
    pa.schema(
        [
            required("study", pa.string()),
            required("kind", pa.string()),  # arm or contrast
            required("arm", pa.string()),  # the candidate, for a contrast
            optional("reference", pa.string()),
            required("cohort", pa.string()),
            required("tissue", pa.string()),
            required("measure", pa.string()),
            optional("estimate", pa.float64()),  # mean over subjects and seeds; candidate - reference for a contrast
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("chance", pa.float64()),
            optional("null_mean", pa.float64()),
            optional("p", pa.float64()),  # contrasts: Wilcoxon over subjects
            optional("effect", pa.float64()),  # contrasts: paired standardised difference
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("kind", "arm", "reference", "cohort", "tissue", "measure"),
)

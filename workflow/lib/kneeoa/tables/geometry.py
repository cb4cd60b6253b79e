"""Measures of the representation: one row per run, axis and measure."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

GEOMETRY = TableSchema(
    "geometry",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("axis", pa.string()),  # pc1, centroid; "space" for measures of the whole embedding
            required("cohort", pa.string()),
            required("split", pa.string()),
            required("against", pa.string()),  # kl, oa, latent_severity (phantom only), or empty
            required("measure", pa.string()),  # spearman, explained_variance, probe_auc, ...
            optional("estimate", pa.float64()),
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("arm", "seed", "fold", "axis", "cohort", "split", "against", "measure"),
)

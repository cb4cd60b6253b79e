"""Whether maps tell of the network at all: what randomised weights and other seeds do to them."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

SANITY = TableSchema(
    "sanity",
    pa.schema(
        [
            required("study", pa.string()),
            required("check", pa.string()),  # randomised, or repeatability between seeds
            required("arm", pa.string()),
            required("method", pa.string()),
            required("cohort", pa.string()),
            required("weights", pa.string()),  # randomised: heads, half, all; repeatability: trained
            optional("tissue", pa.string()),  # of enrichment
            required("measure", pa.string()),  # spearman, ssim: with the trained map, or between seeds; enrichment: of the randomised map
            optional("estimate", pa.float64()),  # mean over seeds, cases and subjects
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("reference", pa.float64()),  # enrichment: of the trained maps of the same cases; repeatability: between subjects
            optional("null_mean", pa.float64()),  # enrichment: under the shift null
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("check", "arm", "method", "cohort", "weights", "tissue", "measure"),
)

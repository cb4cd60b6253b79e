"""Sanity checks of maps: their agreement with maps by randomised weights and by other seeds, and
their enrichment.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

SANITY = TableSchema(
    "sanity",
    pa.schema(
        [
            required("study", pa.string()),
            required("check", pa.string()),  # randomised: is the map another one; enrichment: of which weights; repeatability between seeds
            required("arm", pa.string()),
            required("method", pa.string()),
            required("cohort", pa.string()),
            required("weights", pa.string()),  # trained, or what was randomised: heads, half, all
            optional("tissue", pa.string()),  # of enrichment
            required("measure", pa.string()),  # spearman, ssim: with the trained map, or between seeds; enrichment, absolute_enrichment
            optional("estimate", pa.float64()),  # mean over seeds, cases and subjects
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("reference", pa.float64()),  # repeatability: between subjects
            optional("null_mean", pa.float64()),  # enrichment: under the shift null
            optional("null_p", pa.float64()),  # one-sided Wilcoxon over subjects, more than the null's mean
            optional("others_mean", pa.float64()),  # the same against other subjects' maps by the same weights
            optional("others_p", pa.float64()),
            optional("difference", pa.float64()),  # enrichment by randomised weights: trained - these, the same cases
            optional("difference_low", pa.float64()),
            optional("difference_high", pa.float64()),
            optional("p", pa.float64()),  # of the difference: two-sided Wilcoxon over subjects
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("check", "arm", "method", "cohort", "weights", "tissue", "measure"),
)

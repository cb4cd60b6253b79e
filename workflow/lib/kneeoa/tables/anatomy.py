"""Saliency on anatomy over subjects: one row per arm, method, tissue and measure, and per pair of
arms that a contrast compares; of all cases and by grade.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

ANATOMY = TableSchema(
    "anatomy",
    pa.schema(
        [
            required("study", pa.string()),
            required("kind", pa.string()),  # arm or contrast
            required("arm", pa.string()),  # the candidate, for a contrast
            optional("factor", pa.string()),  # that varies in a contrast
            optional("reference", pa.string()),
            required("method", pa.string()),  # of saliency; the configuration's first method comes first
            required("cohort", pa.string()),
            optional("grade", pa.int16()),  # cases of one grade alone; null: all
            required("tissue", pa.string()),
            required("measure", pa.string()),
            optional("estimate", pa.float64()),  # mean over subjects and seeds; candidate - reference for a contrast
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("chance", pa.float64()),
            optional("null_mean", pa.float64()),  # arms: mean of the measure under the shift null
            optional("null_z", pa.float64()),  # arms: mean of the cases' z against it
            optional("null_p", pa.float64()),  # arms: one-sided Wilcoxon over subjects, closer to the tissue than the null's mean
            optional("others_mean", pa.float64()),  # the same against other subjects' maps
            optional("others_z", pa.float64()),
            optional("others_p", pa.float64()),
            optional("p", pa.float64()),  # contrasts: Wilcoxon over subjects
            optional("p_adjusted", pa.float64()),  # contrasts: Holm over methods and the measures of the family, per tissue
            optional("effect", pa.float64()),  # contrasts: paired standardised difference (dz)
            optional("rank_biserial", pa.float64()),  # contrasts: matched-pairs rank-biserial correlation
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("kind", "arm", "reference", "method", "cohort", "grade", "tissue", "measure"),
)

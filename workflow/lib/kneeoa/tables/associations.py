"""Correlations with the grade, adjusted for age, sex and site and within people, and agreement
between seeds and between raters.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

ASSOCIATIONS = TableSchema(
    "associations",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),  # or "rater: <name>"
            required("cohort", pa.string()),
            required("split", pa.string()),  # test
            required("quantity", pa.string()),  # axis: pc1, saliency: gradcam cartilage enrichment, score: oa, grade
            required("against", pa.string()),  # the ordinal level, or "seeds", "reference"
            required("statistic", pa.string()),  # partial_spearman, within_person, icc_agreement, icc_consistency
            required("adjusted_for", pa.string()),  # age, sex, ...; empty: nothing
            optional("estimate", pa.float64()),  # null: undefined, see note
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("p", pa.float64()),  # of the within-person correlation
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("arm", "cohort", "split", "quantity", "against", "statistic", "adjusted_for"),
)

"""The study's claim: per pair of arms that a contrast compares, the change in
prediction, in the order of the axis and in saliency.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

CLAIM = TableSchema(
    "claim",
    pa.schema(
        [
            required("factor", pa.string()),  # that varies, as the arms table calls it
            optional("backbone", pa.string()),  # of both arms; null where they differ in it, or have none
            required("reference", pa.string()),  # arm
            required("candidate", pa.string()),  # arm
            required("cohort", pa.string()),
            required("part", pa.string()),  # prediction, axis, saliency
            required("level", pa.string()),  # of the prediction or of the grades that the axis orders; empty for saliency
            required("measure", pa.string()),  # auc, macro_auc; spearman; enrichment, ...
            required("of", pa.string()),  # the axis or the tissue; empty for predictions
            optional("estimate_reference", pa.float64()),
            optional("estimate_candidate", pa.float64()),
            optional("difference", pa.float64()),  # candidate - reference, mean over seeds
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("p", pa.float64()),
            required("resampled", pa.string()),  # subjects, or subjects and seeds
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("reference", "candidate", "cohort", "part", "level", "measure", "of"),
)

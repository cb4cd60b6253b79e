"""Differences in the severity axis between two arms that a contrast compares, averaged over
seeds.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

DIFFERENCES = TableSchema(
    "differences",
    pa.schema(
        [
            required("study", pa.string()),
            required("factor", pa.string()),  # that varies, as the arms table calls it
            optional("backbone", pa.string()),  # of both arms; null where they differ in it, or have none
            required("candidate", pa.string()),  # arm
            required("reference", pa.string()),  # arm
            required("axis", pa.string()),
            required("cohort", pa.string()),
            required("split", pa.string()),
            required("against", pa.string()),  # the ordinal level
            required("measure", pa.string()),  # as in the table of measures
            optional("estimate_candidate", pa.float64()),
            optional("estimate_reference", pa.float64()),
            optional("difference", pa.float64()),  # candidate - reference
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("p", pa.float64()),
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("candidate", "reference", "axis", "cohort", "split", "against", "measure"),
)

"""Differences between arms within subgroups of cases, and the tests of interaction."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

SUBGROUPS = TableSchema(
    "subgroups",
    pa.schema(
        [
            required("contrast", pa.string()),
            required("factor", pa.string()),  # that varies, as the arms table calls it
            optional("backbone", pa.string()),  # of both arms; null where they differ in it, or have none
            required("level", pa.string()),
            required("metric", pa.string()),
            required("reference", pa.string()),  # arm
            required("candidate", pa.string()),  # arm
            required("reference_value", pa.string()),  # of the factor that varies
            required("candidate_value", pa.string()),
            required("cohort", pa.string()),
            required("attribute", pa.string()),  # sex, age, site, side or a level
            required("group", pa.string()),  # "interaction" for the test of equal differences
            optional("estimate_reference", pa.float64()),
            optional("estimate_candidate", pa.float64()),
            optional("difference", pa.float64()),  # candidate - reference; interaction of two groups: the first minus the second
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("p", pa.float64()),
            optional("statistic", pa.float64()),  # z; interaction: chi-squared
            optional("df", pa.int32()),  # of an interaction
            required("counts", pa.string()),  # cases of each class, in their order
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("suppressed", pa.bool_()),  # too few cases to be reported
            required("note", pa.string()),
        ]
    ),
    key=("contrast", "metric", "reference", "candidate", "cohort", "attribute", "group"),
)

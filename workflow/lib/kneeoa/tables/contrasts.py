"""The paper's comparison table: one row per contrast, metric and test."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

CONTRASTS = TableSchema(
    "contrasts",
    pa.schema(
        [
            required("contrast", pa.string()),  # its name in the configuration
            required("factor", pa.string()),  # that varies, as the arms table calls it
            optional("backbone", pa.string()),  # of both arms; null where they differ in it, or have none
            required("level", pa.string()),
            required("metric", pa.string()),
            required("reference", pa.string()),  # arm
            required("candidate", pa.string()),  # arm
            required("reference_value", pa.string()),  # of the factor that varies
            required("candidate_value", pa.string()),
            optional("estimate_reference", pa.float64()),
            optional("estimate_candidate", pa.float64()),
            optional("difference", pa.float64()),  # candidate - reference
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("p", pa.float64()),
            optional("p_adjusted", pa.float64()),
            required("test", pa.string()),  # delong, mcnemar, delta, bootstrap, seeds, non_inferiority, equivalence
            required("generalises", pa.string()),  # what the p is about: "subjects" (these networks), or "subjects and seeds"
            required("family", pa.string()),
            required("adjustment", pa.string()),  # holm, bh, by, none
            required("m", pa.int32()),  # size of the family
            optional("statistic", pa.float64()),
            optional("standard_error", pa.float64()),  # of the difference
            optional("df", pa.float64()),  # of the standard error; null: normal
            optional("detectable", pa.float64()),  # smallest difference found with the configured power at 1 - confidence
            optional("margin", pa.float64()),  # of the tests against a margin
            required("verdict", pa.string()),  # of the tests against a margin; else empty
            required("cohort", pa.string()),
            required("split", pa.string()),
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("degenerate", pa.bool_()),
            required("note", pa.string()),
        ]
    ),
    key=("contrast", "level", "metric", "reference", "candidate", "test", "cohort", "split"),
)

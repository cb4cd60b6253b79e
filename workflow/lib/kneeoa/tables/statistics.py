"""Tables of results over subjects: metrics, contrasts, subgroups, the claim and associations."""

from __future__ import annotations

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

METRICS = TableSchema(
    "metrics",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            optional("seed", pa.int32()),  # null: mean over the arm's seeds, or an import
            fold(),
            required("seeds", pa.int32()),  # how many seeds stand behind the row
            required("cohort", pa.string()),
            required("split", pa.string()),
            required("level", pa.string()),
            required("head", pa.string()),
            required("metric", pa.string()),
            optional("estimate", pa.float64()),  # null: undefined, see note
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            required("interval", pa.string()),  # how the interval was made: logit-delong, cluster-bootstrap, ...
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("note", pa.string()),  # empty, or why a value is undefined
        ]
    ),
    key=("study", "arm", "seed", "fold", "cohort", "split", "level", "head", "metric"),
)
"""Metrics of each run: one row per arm, seed, level, head and metric, with its interval."""

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
"""The paper's comparison table: one row per contrast, metric and test."""

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
"""Differences between arms within subgroups of cases, and the tests of interaction."""

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
"""The study's claim: per pair of arms that a contrast compares, the change in prediction, in the
order of the axis and in saliency.
"""

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
"""Correlations with the grade, adjusted for age, sex and site and within people, and agreement
between seeds and between raters.
"""

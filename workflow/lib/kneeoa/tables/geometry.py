"""Tables of the representation: positions on the axis, measures, differences between arms,
similarity of runs.
"""

from __future__ import annotations

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

AXIS = TableSchema(
    "axis",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("axis", pa.string()),  # pc1, centroid
            required("cohort", pa.string()),
            required("split", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            required("position", pa.float64()),  # standard deviations of the training cases along the axis
            required("across", pa.float64()),  # the next principal direction, for pictures
            optional("grade", pa.int16()),  # the finest ordinal level's label
        ]
    ),
    key=("arm", "seed", "fold", "axis", "cohort", "case_id"),
)
"""Position of each case on the learned severity axis."""

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
"""Measures of the representation: one row per run, axis and measure."""

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
"""Differences in the severity axis between two arms that a contrast compares, averaged over
seeds.
"""

SIMILARITY = TableSchema(
    "similarity",
    pa.schema(
        [
            required("study", pa.string()),
            required("cohort", pa.string()),
            required("kind", pa.string()),  # runs: one pair of runs; seeds: mean over the seeds of an arm; arms: over two arms' seeds
            optional("factor", pa.string()),  # in which two arms differ
            required("measure", pa.string()),  # cka (unbiased, linear; 1: the same), procrustes (0: the same, sqrt 2: unrelated)
            required("arm_a", pa.string()),
            optional("seed_a", pa.int32()),  # null unless the row is of runs
            required("arm_b", pa.string()),
            optional("seed_b", pa.int32()),
            required("pairs", pa.int32()),  # of runs
            optional("estimate", pa.float64()),
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("cohort", "measure", "kind", "arm_a", "seed_a", "arm_b", "seed_b"),
)
"""Similarity of the representations of the test cases by two runs: every pair of runs, and pairs of
arms over their seeds.
"""

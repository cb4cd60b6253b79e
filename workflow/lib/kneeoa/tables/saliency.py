"""Tables of saliency: the index of a run's maps, and what is measured of maps and tissues."""

from __future__ import annotations

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

SALIENCY = TableSchema(
    "saliency",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("view", pa.string()),
            required("row", pa.int32()),
            required("method", pa.string()),  # smoothgrad_input, ...
            required("weights", pa.string()),  # trained; or which of them were randomised: heads, half, all
            required(
                "target", pa.string()
            ),  # the explained score: a level (oa), a class of it (kl.severe), or one read from a finer head (oa<-kl)
            required("score", pa.float64()),  # its value (logit units)
            required("scale", pa.float64()),  # stored map x scale = the map as computed
        ]
    ),
    key=("arm", "seed", "fold", "cohort", "case_id", "view", "method", "weights"),
)
"""Index of a run's saliency maps: the row of the ``.npy`` that explains a case. A map has two
parts, for and against the score.
"""

OVERLAP = TableSchema(
    "overlap",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("method", pa.string()),  # how the map was made
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            required("tissue", pa.string()),
            required("measure", pa.string()),  # mass, enrichment, top5_overlap, ...
            optional("value", pa.float64()),  # null: undefined (zero map, empty mask)
            optional("chance", pa.float64()),  # what a uniform map gives: the tissue's share of the volume for mass
            optional("null_mean", pa.float64()),  # mean of the measure under the shift null
            optional("null_z", pa.float64()),  # standard deviations of the null, positive: closer to the tissue than the null
            optional("null_p", pa.float64()),  # one-sided, (1 + #)/(B + 1)
            optional("others_mean", pa.float64()),  # the same of other subjects' maps on this case's tissue
            optional("others_z", pa.float64()),
            optional("others_p", pa.float64()),
        ]
    ),
    key=("arm", "seed", "fold", "method", "cohort", "case_id", "tissue", "measure"),
)
"""Overlap of saliency with tissues: one row per run, case, tissue and measure, beside what chance
gives.
"""

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
"""Saliency on anatomy over subjects: one row per arm, method, tissue and measure, and per pair of
arms that a contrast compares; of all cases and by grade.
"""

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
"""Sanity checks of maps: their agreement with maps by randomised weights and by other seeds, and
their enrichment.
"""

DELETION = TableSchema(
    "deletion",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            required("region", pa.string()),  # a group of tissues, or control_joint, control_bone, control_background
            required("copy", pa.int32()),  # 0 for a tissue; controls are moved copies of the first group, from 0 on
            required("target", pa.string()),  # the score: a level (oa), a class of it (kl.severe), or one read from a finer head (oa<-kl)
            required("score", pa.float64()),  # of the whole image (logit units)
            required("drop", pa.float64()),  # score of the whole image - score after deletion
            required("voxels", pa.int32()),  # deleted
            required("overlap", pa.float64()),  # share of the deleted voxels that belong to the first group
        ]
    ),
    key=("arm", "seed", "fold", "cohort", "case_id", "region", "copy"),
)
"""Change of a score when a tissue, or a control region of its size, is deleted from the image: one
row per run, case, region and copy.
"""

DELETION_SUMMARY = TableSchema(
    "deletion_summary",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("cohort", pa.string()),
            required("region", pa.string()),
            optional("reference", pa.string()),  # null: the drop itself; else the first group's drop less this control's, paired
            required("measure", pa.string()),  # drop, or absolute_drop
            optional("estimate", pa.float64()),  # mean over seeds, copies, cases and subjects, logit units
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("p", pa.float64()),  # differences: Wilcoxon over subjects
            optional("effect", pa.float64()),  # differences: dz
            optional("rank_biserial", pa.float64()),
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("arm", "cohort", "region", "reference", "measure"),
)
"""The drops of the score over subjects: one row per arm and region, and tissue against control."""

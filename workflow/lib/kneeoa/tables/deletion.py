"""Change of a score when a tissue, or a control region of its size, is deleted from the image."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

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

"""Quality control of a cohort's images and masks in one view: one row per case with its measures
and flags, ranked worst first.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

QUALITY = TableSchema(
    "quality",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("view", pa.string()),
            required("rank", pa.int32()),  # 1 is the worst
            required("flagged", pa.bool_()),  # a person should look at it
            required("flags", pa.list_(pa.string())),  # reasons for doubt and for exclusion, worst first
            optional("detail", pa.string()),  # the same in sentences
            required("has_image", pa.bool_()),
            optional("orientation", pa.string()),  # as in the volumes' index: declared by the cohort, not read from the header
            required("has_mask", pa.bool_()),  # a mask that could be read
            optional("mask_usable", pa.bool_()),
            optional("repair", pa.string()),  # as in the masks' index, like the next nine
            optional("inside", pa.float64()),
            optional("contrast", pa.float64()),
            optional("boundary", pa.float64()),
            optional("offset_mm", pa.float64()),
            optional("shift_slices_mm", pa.float64()),
            optional("shift_rows_mm", pa.float64()),
            optional("shift_columns_mm", pa.float64()),
            optional("cartilage_mm3", pa.float64()),
            optional("cartilage_thickness_mm", pa.float64()),
            optional("denuded_mm2", pa.float64()),  # sum over the plates
            optional("joint_fit", pa.float64()),  # radiographs: how much the found place looks like a knee
            optional("outlying", pa.float64()),  # largest distance of a measure from the cohort's median, in robust standard deviations
            optional("page", pa.int32()),  # of the pages of pictures, from 1
        ]
    ),
    key=("cohort", "case_id", "view"),
)

"""Index of a shard of aligned masks with the measures by which alignment was judged: one row per
case that has a mask.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

MASKS = TableSchema(
    "masks",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("view", pa.string()),
            required("shard", pa.int32()),
            required("row", pa.int32()),
            required("digest", pa.string()),  # SHA-256 of the row as stored, 32 hexadecimal characters
            required("source_digest", pa.string()),
            required("inside", pa.float64()),  # share of the mask's volume that falls inside the image
            required("contrast", pa.float64()),  # AUC of intensities just above the bone under cartilage against those just below
            optional("boundary", pa.float64()),  # share of the surface between bone and cartilage that lies on an edge of the image
            optional("offset_mm", pa.float64()),  # median distance of these edges from the surface
            optional("shift_slices_mm", pa.float64()),  # by which these edges lie displaced as a whole, along the canonical axes
            optional("shift_rows_mm", pa.float64()),
            optional("shift_columns_mm", pa.float64()),
            optional("cartilage_mm3", pa.float64()),  # empty for radiographs, like the next
            optional("cartilage_thickness_mm", pa.float64()),  # mean
            required("flags", pa.list_(pa.string())),  # reasons for doubt, worst first; mask-repaired where the header was not believed
            required("usable", pa.bool_()),
            optional("repair", pa.string()),  # the reading of the header that was taken instead of its own: image-grid, flip0, axes210, lps
        ]
    ),
    key=("cohort", "case_id", "view"),
)

SHIFTS = ("shift_slices_mm", "shift_rows_mm", "shift_columns_mm")
"""The columns that say how far a mask lies beside the edges that it outlines."""

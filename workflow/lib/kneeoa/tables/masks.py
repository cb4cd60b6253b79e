"""Index of a shard of aligned masks with the measures by which alignment was judged: one row per case that has a mask."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, required

MASKS = TableSchema(
    "masks",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("view", pa.string()),
            required("shard", pa.int32()),
            required("row", pa.int32()),
            required("source_digest", pa.string()),
            required("inside", pa.float64()),  # share of the mask's volume that falls inside the image grid
            required("contrast", pa.float64()),  # tissue separation under the mask: AUC of cartilage against bone intensities
            required("cartilage_mm3", pa.float64()),
            required("cartilage_thickness_mm", pa.float64()),  # mean
            required("flags", pa.list_(pa.string())),  # reasons for doubt, worst first
            required("usable", pa.bool_()),
        ]
    ),
    key=("cohort", "case_id", "view"),
)

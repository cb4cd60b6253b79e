"""Index of a shard of canonical volumes: the row of the ``.npy`` that holds a case, and its
position in space.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

VOLUMES = TableSchema(
    "volumes",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("view", pa.string()),
            required("shard", pa.int32()),
            required("row", pa.int32()),
            required("digest", pa.string()),  # SHA-256 of the row as stored, 32 hexadecimal characters: what a network sees
            required("source_digest", pa.string()),  # SHA-256 of the decoded voxels and their affine
            required("source_shape", pa.list_(pa.int32())),
            required("source_spacing", pa.list_(pa.float64())),  # mm
            required("source_centre", pa.list_(pa.float64())),  # canonical voxel index of the image's centre
            required("affine", pa.list_(pa.float64())),  # 16 numbers, row-major: canonical voxel index -> mm (RAS+)
            required("mirrored", pa.bool_()),  # a left knee, mirrored to look like a right one
            required("low", pa.float64()),  # intensity clip limits, source units
            required("high", pa.float64()),
            required("mean", pa.float64()),  # z-score parameters, source units
            required("sd", pa.float64()),
            optional("joint_row", pa.float64()),  # radiographs: what the grid is centred on, in pixels of the displayed picture
            optional("joint_column", pa.float64()),
            optional("joint_fit", pa.float64()),  # radiographs: how much that place looks like a knee, a correlation
            optional("negative", pa.bool_()),  # radiographs: bone was dark and was turned bright, against the header
            optional("orientation", pa.string()),  # volumes: what the cohort declares, where the header gave none and this was used
        ]
    ),
    key=("cohort", "case_id", "view"),
)

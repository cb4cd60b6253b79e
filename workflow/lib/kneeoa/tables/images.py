"""One row per image or mask file of a case, before anything is decoded."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, required

IMAGES = TableSchema(
    "images",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("shard", pa.int32()),
            required("view", pa.string()),
            required("role", pa.string()),  # image or mask
            required("path", pa.string()),  # relative to the cohort's root; a folder for a DICOM series
            required("format", pa.string()),  # dicom, nifti, meta, nrrd, png
        ]
    ),
    key=("cohort", "case_id", "view", "role"),
)

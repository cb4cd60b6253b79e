"""One row per image or mask file of a case, before anything is decoded."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

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
            required("format", pa.string()),  # see formats/read_volume.py
            required("shows", pa.string()),  # knee: this case's joint alone; both: a bilateral radiograph
            optional("centre_row", pa.float64()),  # the joint's centre in pixels of the file, where the source gives landmarks
            optional("centre_column", pa.float64()),
        ]
    ),
    key=("cohort", "case_id", "view", "role"),
)

"""Position of each case on the learned severity axis."""

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

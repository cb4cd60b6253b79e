"""Learning curves: one row per epoch, split and measure of a run."""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, required

HISTORY = TableSchema(
    "history",
    pa.schema(
        [
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("epoch", pa.int32()),  # from 1
            required("split", pa.string()),  # train or val
            required("level", pa.string()),  # a level, or total
            required("measure", pa.string()),  # loss, auc, accuracy, learning_rate, seconds
            required("value", pa.float64()),
        ]
    ),
    key=("arm", "seed", "fold", "epoch", "split", "level", "measure"),
)

"""Index of a run's saliency maps: the row of the ``.npy`` that explains a case. A map has two
parts, for and against the score.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, required

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

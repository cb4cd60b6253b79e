"""Arms and their differences against the noise of training labels: one row per quantity, rater and
seed, and the slopes.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

RATERS = TableSchema(
    "raters",
    pa.schema(
        [
            required("contrast", pa.string()),  # its name in the configuration
            required("setting", pa.string()),  # what else tells groups of arms apart: the backbone, ...
            required("cohort", pa.string()),
            required("level", pa.string()),
            required("metric", pa.string()),
            required("factor", pa.string()),  # that varies, as the arms table calls it
            required("candidate", pa.string()),  # its values
            required("reference", pa.string()),
            required("quantity", pa.string()),  # candidate, reference, difference (candidate - reference), slope (of the difference)
            required("interval", pa.string()),  # subjects: seeds are fixed; subjects and seeds: both are sampled
            optional("rater", pa.string()),  # none: the reference labels; null for a slope
            optional("misread", pa.float64()),  # realised share of misread training labels; null for a slope
            optional("kappa", pa.float64()),  # realised quadratic kappa of the training labels
            optional("seed", pa.int32()),  # null: mean over seeds
            optional("estimate", pa.float64()),  # of a slope: change per unit of `misread`
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("p", pa.float64()),  # of slopes over seeds
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            required("seeds", pa.int32()),
            required("note", pa.string()),
        ]
    ),
    key=("contrast", "candidate", "setting", "cohort", "metric", "quantity", "interval", "rater", "seed"),
)

"""Overlap of saliency with tissues: one row per run, case, tissue and measure, beside what chance
gives.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

OVERLAP = TableSchema(
    "overlap",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("method", pa.string()),  # how the map was made
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            required("tissue", pa.string()),
            required("measure", pa.string()),  # mass, enrichment, top5_overlap, ...
            optional("value", pa.float64()),  # null: undefined (zero map, empty mask)
            optional("chance", pa.float64()),  # what a uniform map gives: the tissue's share of the volume for mass
            optional("null_mean", pa.float64()),  # mean of the measure under the shift null
            optional("null_z", pa.float64()),  # standard deviations of the null, positive: closer to the tissue than the null
            optional("null_p", pa.float64()),  # one-sided, (1 + #)/(B + 1)
            optional("others_mean", pa.float64()),  # the same of other subjects' maps on this case's tissue
            optional("others_z", pa.float64()),
            optional("others_p", pa.float64()),
        ]
    ),
    key=("arm", "seed", "fold", "method", "cohort", "case_id", "tissue", "measure"),
)

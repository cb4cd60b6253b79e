"""Cartilage of a shard's masks, region by region, or joint space of radiographs: one row per case
and region, of every mask that could be read.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

CARTILAGE = TableSchema(
    "cartilage",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("view", pa.string()),
            required("region", pa.string()),  # a cartilage or joint space of the cohort's tissues, or its half: femoral_cartilage_medial
            optional("volume_mm3", pa.float64()),  # empty for radiographs
            optional("thickness_mm", pa.float64()),  # mean over the covered bone; empty where there is no cartilage, or no bone in the mask
            optional("narrowest_mm", pa.float64()),  # joint space: its least width; thickness is its mean, area its own
            optional("area_mm2", pa.float64()),  # bone that cartilage covers; empty in masks without bone
            optional("denuded_mm2", pa.float64()),  # bone laid bare within the plate, a lower bound; empty in masks without bone
        ]
    ),
    key=("cohort", "case_id", "view", "region"),
)

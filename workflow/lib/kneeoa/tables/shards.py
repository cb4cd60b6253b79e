"""Indices of the shards of volumes and masks, and what is measured of them for quality control."""

from __future__ import annotations

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
"""Index of a shard of canonical volumes: the row of the ``.npy`` that holds a case, and its
position in space.
"""

MASKS = TableSchema(
    "masks",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("view", pa.string()),
            required("shard", pa.int32()),
            required("row", pa.int32()),
            required("digest", pa.string()),  # SHA-256 of the row as stored, 32 hexadecimal characters
            required("source_digest", pa.string()),
            required("inside", pa.float64()),  # share of the mask's volume that falls inside the image
            required("contrast", pa.float64()),  # AUC of intensities just above the bone under cartilage against those just below
            optional("boundary", pa.float64()),  # share of the surface between bone and cartilage that lies on an edge of the image
            optional("offset_mm", pa.float64()),  # median distance of these edges from the surface
            optional("shift_slices_mm", pa.float64()),  # by which these edges lie displaced as a whole, along the canonical axes
            optional("shift_rows_mm", pa.float64()),
            optional("shift_columns_mm", pa.float64()),
            optional("cartilage_mm3", pa.float64()),  # empty for radiographs, like the next
            optional("cartilage_thickness_mm", pa.float64()),  # mean
            required("flags", pa.list_(pa.string())),  # reasons for doubt, worst first; mask-repaired where the header was not believed
            required("usable", pa.bool_()),
            optional("repair", pa.string()),  # the reading of the header that was taken instead of its own: image-grid, flip0, axes210, lps
        ]
    ),
    key=("cohort", "case_id", "view"),
)
"""Index of a shard of aligned masks with the measures by which alignment was judged: one row per
case that has a mask.
"""

SHIFTS = ("shift_slices_mm", "shift_rows_mm", "shift_columns_mm")
"""The columns that say how far a mask lies beside the edges that it outlines."""

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
"""Cartilage of a shard's masks, region by region, or joint space of radiographs: one row per case
and region, of every mask that could be read.
"""

QUALITY = TableSchema(
    "quality",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("view", pa.string()),
            required("rank", pa.int32()),  # 1 is the worst
            required("flagged", pa.bool_()),  # a person should look at it
            required("flags", pa.list_(pa.string())),  # reasons for doubt and for exclusion, worst first
            optional("detail", pa.string()),  # the same in sentences
            required("has_image", pa.bool_()),
            optional("orientation", pa.string()),  # as in the volumes' index: declared by the cohort, not read from the header
            required("has_mask", pa.bool_()),  # a mask that could be read
            optional("mask_usable", pa.bool_()),
            optional("repair", pa.string()),  # as in the masks' index, like the next nine
            optional("inside", pa.float64()),
            optional("contrast", pa.float64()),
            optional("boundary", pa.float64()),
            optional("offset_mm", pa.float64()),
            optional("shift_slices_mm", pa.float64()),
            optional("shift_rows_mm", pa.float64()),
            optional("shift_columns_mm", pa.float64()),
            optional("cartilage_mm3", pa.float64()),
            optional("cartilage_thickness_mm", pa.float64()),
            optional("denuded_mm2", pa.float64()),  # sum over the plates
            optional("joint_fit", pa.float64()),  # radiographs: how much the found place looks like a knee
            optional("outlying", pa.float64()),  # largest distance of a measure from the cohort's median, in robust standard deviations
            optional("page", pa.int32()),  # of the pages of pictures, from 1
        ]
    ),
    key=("cohort", "case_id", "view"),
)
"""Quality control of a cohort's images and masks in one view: one row per case with its measures
and flags, ranked worst first.
"""

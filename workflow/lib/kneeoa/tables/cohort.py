"""Tables of a cohort: its cases, their images and labels, what is excluded, the splits, and a
phantom's truth.
"""

from __future__ import annotations

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

CASES = TableSchema(
    "cases",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),  # unique in a cohort, e.g. 9001104-R-00m
            required("subject", pa.string()),
            optional("side", pa.string()),  # L or R
            required("visit", pa.string()),
            required("shard", pa.int32()),
            optional("site", pa.string()),
            optional("sex", pa.string()),  # F or M
            optional("age", pa.float64()),  # years
            optional("given_split", pa.string()),  # the split that the source assigns, if it does
        ]
    ),
    key=("cohort", "case_id"),
)
"""One row per case: one joint of one subject at one visit, the unit of prediction."""

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
"""One row per image or mask file of a case, before anything is decoded."""

LABELS = TableSchema(
    "labels",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("level", pa.string()),
            required("source", pa.string()),  # reader: the cohort's; derived; a noisy rater's name; ...
            required("value", pa.list_(pa.int16())),  # one entry; several for a multilabel level, null where unread
            required("readings", pa.int32()),  # how many readings stood behind it
            required("disagreement", pa.bool_()),  # whether they differed
            optional("all_values", pa.string()),  # where there were several, each as project:value, e.g. 15:2; 37:3
        ]
    ),
    key=("cohort", "case_id", "level", "source"),
)
"""One row per case, level and source: the reference labels, never the phantom's truth."""

EXCLUSIONS = TableSchema(
    "exclusions",
    pa.schema(
        [
            required("cohort", pa.string()),
            optional("case_id", pa.string()),
            optional("subject", pa.string()),
            optional("view", pa.string()),
            required("stage", pa.string()),  # cohort, volumes, masks, splits
            required(
                "scope", pa.string()
            ),  # case: out of the study; mask: out of the anatomy only; level: no such label; repair: kept, mended; flag: kept, to look at
            required("reason", pa.string()),  # stable slug
            required("detail", pa.string()),  # a sentence
        ]
    ),
    key=(),
)
"""One row per thing that cannot be used, or only after a repair, or that a person should look at,
with its reason: nothing is dropped or changed silently.
"""

SPLITS = TableSchema(
    "splits",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            optional("side", pa.string()),
            required("visit", pa.string()),
            required("split", pa.string()),  # train, val, test
        ]
    ),
    key=("cohort", "case_id"),
)
"""Split (train, validation or test) of each case: made once, read by all stages."""

TRUTH = TableSchema(
    "truth",
    pa.schema(
        [
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            required("side", pa.string()),
            required("latent_severity", pa.float64()),  # in [0, 1]
            required("true_grade", pa.int16()),  # Kellgren-Lawrence, before the rater's noise
            required("read_grade", pa.int16()),
            optional("fault", pa.string()),  # what was broken on purpose
            optional("expected_stage", pa.string()),  # of the row of exclusions that must follow; null: none must
            optional("expected_scope", pa.string()),
            optional("expected_reason", pa.string()),
        ]
    ),
    key=("cohort", "case_id"),
)
"""The phantom's truth: latent severity and true grade. Training never reads it; analyses are
checked against it.
"""

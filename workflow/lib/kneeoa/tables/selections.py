"""Tables of what plug-ins choose: the locations of each case, and their share on tissues."""

from __future__ import annotations

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, fold, optional, required

SELECTIONS = TableSchema(
    "selections",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            required("view", pa.string()),
            required("level", pa.string()),  # whose heads chose
            required("map", pa.string()),  # as the plug-in's parts are called: map-1 is the finest
            required("locations", pa.int32()),  # of the map
            required("grid", pa.list_(pa.int32())),  # cells along each axis of the image, row by row; empty: locations have no place
            required("before", pa.int32()),  # locations before the first cell: a class token, which has no place
            required("chosen", pa.list_(pa.int32())),  # indices of the chosen locations, highest score first
            required("scores", pa.list_(pa.float32())),  # theirs, in the same order
            optional("score_map", pa.list_(pa.float32())),  # every location's, of a few cases of each grade; null for all others
        ]
    ),
    key=("arm", "seed", "fold", "cohort", "case_id", "level", "map"),
)
"""The locations that a run's plug-in chose: one row per test case, level and map."""

CHOSEN = ("study", "subject", "view", "locations", "grid", "before", "chosen", "scores")
"""Columns of SELECTIONS but for the whole maps, which are large."""

SELECTION_SHARES = TableSchema(
    "selection_shares",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            required("seed", pa.int32()),
            fold(),
            required("cohort", pa.string()),
            required("case_id", pa.string()),
            required("subject", pa.string()),
            required("level", pa.string()),
            required("map", pa.string()),
            required("locations", pa.int32()),  # of the map
            required("chosen", pa.int32()),  # how many of them
            required("placed", pa.int32()),  # how many of the chosen ones have a place in the image
            required("tissue", pa.string()),
            optional("share", pa.float64()),  # mean over them of the share of their cells on the tissue; null: none is placed, or no tissue
            optional("chance", pa.float64()),  # of all cells: the tissue's share of the image
            optional("null_mean", pa.float64()),  # of the same locations, shifted at random
            optional("others_mean", pa.float64()),  # of the locations chosen in other subjects' images
        ]
    ),
    key=("arm", "seed", "fold", "cohort", "case_id", "level", "map", "tissue"),
)
"""Share of the chosen locations on tissues: one row per run, case, level, map and tissue."""

SELECTION_SUMMARY = TableSchema(
    "selection_summary",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),
            optional("seed", pa.int32()),  # null: mean over the arm's seeds
            fold(),
            required("seeds", pa.int32()),  # how many stand behind the row
            required("cohort", pa.string()),
            required("level", pa.string()),
            required("map", pa.string()),
            required("tissue", pa.string()),
            optional("grade", pa.int16()),  # cases of one grade alone; null: all
            required("locations", pa.int32()),
            required("chosen", pa.int32()),
            required("claim", pa.bool_()),  # whether few enough are chosen that their place can say something
            optional("share", pa.float64()),  # mean over seeds, cases and subjects
            optional("share_low", pa.float64()),
            optional("share_high", pa.float64()),
            optional("chance", pa.float64()),
            optional("null_mean", pa.float64()),
            optional("difference", pa.float64()),  # share - null_mean
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            optional("others_mean", pa.float64()),
            optional("others_difference", pa.float64()),  # share - others_mean
            optional("others_low", pa.float64()),
            optional("others_high", pa.float64()),
            required("cases", pa.int32()),  # with a value
            required("subjects", pa.int32()),
            required("note", pa.string()),  # why a value is undefined, and why a row carries no claim
        ]
    ),
    key=("arm", "seed", "fold", "cohort", "level", "map", "tissue", "grade"),
)
"""The share of chosen locations on tissues over subjects, beside both nulls: one row per arm, map,
tissue and grade.
"""

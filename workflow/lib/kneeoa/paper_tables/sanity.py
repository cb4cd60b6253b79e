"""The table of sanity checks of saliency: randomised weights and repeatability between seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts, sample_size
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_number, format_p
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.saliency import SANITY

TABLE = {
    "section": "anatomy",
    "place": 2,
    "title": "Whether the maps depend on the weights and repeat over seeds",
    "inputs": ["sanity"],
    "settings": {"arms": "arms"},
    "needs": ["sanity"],
}
SCHEMA = SANITY
CSV_ORDER = SANITY.key

_DEPTHS = ("heads", "half", "all")
_TRAINED, _ALL = "trained", "all"
_BOTH_SIGNS = "absolute_enrichment"
_WHY = (
    "Enrichment of both signs of the map (1: chance); p against shifted maps and of the paired difference: Wilcoxon over subjects. "
    "Random weights do not make a blank map: gradient x input carries the image's own brightness, and a gradient follows the image through "
    "rectifiers and pooling: bright tissue can stand out against shifted maps with any weights. What training adds is the difference."
)


def csv_rows(sanity: Path) -> pd.DataFrame:
    """Read every row of SANITY.

    Raises:
        KneeoaError: the file is not SANITY.
    """
    return SANITY.read(sanity)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print SANITY rows, a tabular for each check that was made."""
    order = {arm: rank for rank, arm in enumerate(names.ordered(rows["arm"]))}
    depth = {weights: rank for rank, weights in enumerate(_DEPTHS)}
    ranks = {"rank": rows["arm"].map(order), "depth": rows["weights"].map(depth).fillna(0)}
    rows = rows.assign(**ranks).sort_values(["rank", "depth"], kind="stable")
    tables = [
        _randomised(rows[rows["check"] == "randomised"], names, labels),
        _enrichment(rows[rows["check"] == "enrichment"], names, labels),
        _repeated(rows[rows["check"] == "repeatability"], names, labels),
    ]
    return [table for table in tables if table.rows]


def _randomised(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    body = []
    for row in row_dicts(rows):
        shared = [
            *_arm_and_method(row, names, labels),
            display_name(str(row["weights"]), labels),
            sentence_case(display_name(str(row["measure"]), labels)),
        ]
        body.append([*shared, format_interval(row["estimate"], row["low"], row["high"], 2)])
    heads = ["Backbone", "Mode", "Method", "Randomised", "Measure", "Mean [interval]"]
    note = f"{sample_size(rows)}. Likeness to the trained network's map of the same case."
    return Tabular(heads, body, left=5, breaks=group_starts([line[0] for line in body]), notes=note)


def _enrichment(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    """Trained weights beside weights that are all randomised; both signs of a map, since the sign
    is arbitrary with random weights.
    """
    body = []
    rows = rows[rows["measure"] == _BOTH_SIGNS]
    for _, pair in rows[rows["weights"].isin([_TRAINED, _ALL])].groupby(["rank", "method", "cohort", "tissue"], sort=False):
        weights = {str(row["weights"]): row for row in row_dicts(pair)}
        if len(weights) < 2:
            continue
        line = [*_arm_and_method(weights[_TRAINED], names, labels), display_name(str(weights[_TRAINED]["tissue"]), labels)]
        for row in (weights[_TRAINED], weights[_ALL]):
            line += [
                format_interval(row["estimate"], row["low"], row["high"], 2),
                format_p(row["null_p"]),
                format_number(row["others_mean"], 2),
            ]
        randomised = weights[_ALL]
        gained = format_interval(randomised["difference"], randomised["difference_low"], randomised["difference_high"], 2, signed=True)
        body.append([*line, gained, format_p(randomised["p"])])
    heads = ["Backbone", "Mode", "Method", "Tissue"]
    heads += ["Trained [interval]", "p, shifted maps", "Others' maps", "Randomised [interval]", "p, shifted maps", "Others' maps"]
    heads += ["Trained - randomised [interval]", "p"]
    return Tabular(heads, body, left=4, breaks=group_starts([line[0] for line in body]), notes=f"{sample_size(rows)}. {_WHY}")


def _arm_and_method(row: Mapping[str, object], names: ArmNames, labels: Mapping[str, str] | None) -> list[str]:
    arm = str(row["arm"])
    return [names.backbone(arm), names.mode(arm), display_name(str(row["method"]), labels)]


def _repeated(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    body = []
    for row in row_dicts(rows):
        estimate = format_interval(row["estimate"], row["low"], row["high"], 2)
        body.append([*_arm_and_method(row, names, labels), estimate, format_number(row["reference"], 2)])
    heads = ["Backbone", "Mode", "Method", "Same case, two seeds [interval]", "Different subjects"]
    note = f"{sample_size(rows)}. Rank correlation of maps."
    return Tabular(heads, body, left=3, breaks=group_starts([line[0] for line in body]), notes=note)

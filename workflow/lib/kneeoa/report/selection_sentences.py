"""Sentences of the report on the locations that plug-ins choose."""

from __future__ import annotations

import pandas as pd

from kneeoa.presentation.display_names import count_noun
from kneeoa.report.report_data import ReportData


def selection_sentences(evidence: ReportData) -> list[str]:
    """Report on how many maps the share of chosen locations on the study's tissue differs from both
    nulls beyond its interval, whichever way, and how many carry no claim.
    """
    rows = evidence.tables["selections"]
    rows = rows[rows["seed"].isna() & rows["grade"].isna() & (rows["tissue"] == rows["tissue"].iloc[0])]
    sentences = []
    for (cohort, level), part in rows.groupby(["cohort", "level"], sort=False):
        claimed = part[part["claim"] & part["low"].notna() & part["high"].notna()]
        where = (
            f"on {evidence.printed(part['tissue'].iloc[0])} in {evidence.printed(cohort)}, chosen by the {evidence.printed(level)} heads"
        )
        if claimed.empty:
            sentences.append(f"No map's share {where}, can be told from chance.")
            continue
        shifted = _ways(claimed["low"], claimed["high"])
        others = _ways(claimed["others_low"], claimed["others_high"])
        text = f"Of {count_noun(len(claimed), 'map')}, the share {where}, is {shifted} beside the same selections shifted, and {others} "
        sentences.append(f"{text}beside other subjects' selections, beyond its interval.")
    silent = int((~rows["claim"]).sum())
    if silent:
        sentences.append(f"No claim is made of {count_noun(silent, 'map')} of which more than a quarter is chosen.")
    sentences.append("Intervals are not adjusted; where a location lies does not prove that the answer relies on it.")
    return sentences


def _ways(low: pd.Series[float], high: pd.Series[float]) -> str:
    return f"above in {int((low > 0).sum())} and below in {int((high < 0).sum())}"

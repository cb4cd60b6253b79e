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
        chosen = f"the locations chosen by the {evidence.printed(level)} heads"
        where = f"{evidence.printed(part['tissue'].iloc[0])} ({evidence.printed(cohort)})"
        if claimed.empty:
            sentences.append(f"Of {chosen}, no map's share on {where} can be told from chance.")
            continue
        shifted, others = _ways(claimed["low"], claimed["high"]), _ways(claimed["others_low"], claimed["others_high"])
        text = f"Of {chosen}, the share on {where} is higher than that of the same selections shifted, beyond its interval, in {shifted}"
        sentences.append(f"{text} of {count_noun(len(claimed), 'map')}; higher than that of other subjects' selections in {others}.")
    silent = int((~rows["claim"]).sum())
    if silent:
        sentences.append(f"No claim is made of {count_noun(silent, 'map')} of which more than a quarter is chosen.")
    sentences.append("Intervals are not adjusted; where a location lies does not prove that the answer relies on it.")
    return sentences


def _ways(low: pd.Series[float], high: pd.Series[float]) -> str:
    return f"{int((low > 0).sum())} and lower in {int((high < 0).sum())}"

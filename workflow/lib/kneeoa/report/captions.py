"""Fill in a figure's caption for this study: numbers of cases and subjects, and the interval."""

from __future__ import annotations

from kneeoa.presentation.display_names import count_noun
from kneeoa.presentation.number_format import format_percent
from kneeoa.presentation.summary_rows import summary_rows
from kneeoa.report.report_data import ReportData


def sample_phrase(evidence: ReportData) -> str:
    """Print the sample, ``64 test knees of 52 subjects, 2 seeds``; empty without metrics."""
    if "metrics" not in evidence.tables:
        return ""
    rows = evidence.tables["metrics"]
    rows = rows[rows["split"] == "test"]
    parts = []
    for cohort, cohort_rows in rows.groupby("cohort", sort=False):
        where = f" ({evidence.printed(cohort)})" if rows["cohort"].nunique() > 1 else ""
        cases, subjects = (int(cohort_rows[column].max()) for column in ("cases", "subjects"))
        parts.append(f"{count_noun(cases, 'test knee')} of {count_noun(subjects, 'subject')}{where}")
    seeds = int(rows["seeds"].max()) if len(rows) else 1
    return ", ".join([*parts, f"{count_noun(seeds, 'seed')} an arm"] if seeds > 1 else parts)


def auc_interval(evidence: ReportData) -> str:
    """Print the interval of the AUC, ``95 % interval (logit-delong)``, with the methods that
    METRICS names.
    """
    rows = summary_rows(evidence.tables["metrics"]) if "metrics" in evidence.tables else None
    kinds = [] if rows is None else sorted({kind for kind in rows.loc[rows["metric"] == "auc", "interval"] if kind})
    return f"{format_percent(evidence.confidence)} interval" + (f" ({', '.join(kinds)})" if kinds else "")


def fill_caption(text: str, evidence: ReportData) -> str:
    """Fill in the :data:`kneeoa.figures_and_tables.PLACEHOLDERS` of a declared caption."""
    phrase = sample_phrase(evidence)
    return text.format(
        confidence=format_percent(evidence.confidence),
        sample=f" {phrase[:1].upper()}{phrase[1:]}." if phrase else "",
        auc_interval=auc_interval(evidence),
    )

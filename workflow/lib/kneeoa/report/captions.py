"""Fill in a figure's caption for this study: numbers of cases and subjects, and the interval."""

from __future__ import annotations

from kneeoa.figures.numbers import percent
from kneeoa.figures.words import count
from kneeoa.presentation.summary_rows import summary_rows
from kneeoa.report.evidence import Evidence


def sample(evidence: Evidence) -> str:
    """Print the sample, ``64 test knees of 52 subjects, 2 seeds``; empty without metrics."""
    if "metrics" not in evidence.tables:
        return ""
    rows = evidence.tables["metrics"]
    rows = rows[rows["split"] == "test"]
    parts = []
    for cohort, cohort_rows in rows.groupby("cohort", sort=False):
        where = f" ({evidence.printed(cohort)})" if rows["cohort"].nunique() > 1 else ""
        parts.append(
            f"{count(int(cohort_rows['cases'].max()), 'test knee')} of {count(int(cohort_rows['subjects'].max()), 'subject')}{where}"
        )
    seeds = int(rows["seeds"].max()) if len(rows) else 1
    return ", ".join([*parts, f"{count(seeds, 'seed')} an arm"] if seeds > 1 else parts)


def auc_interval(evidence: Evidence) -> str:
    """Print the interval of the AUC, ``95 % interval (logit-delong)``, with the methods that
    METRICS names.
    """
    rows = summary_rows(evidence.tables["metrics"]) if "metrics" in evidence.tables else None
    kinds = [] if rows is None else sorted({kind for kind in rows.loc[rows["metric"] == "auc", "interval"] if kind})
    return f"{percent(evidence.confidence)} interval" + (f" ({', '.join(kinds)})" if kinds else "")


def caption(text: str, evidence: Evidence) -> str:
    """Fill in the :data:`kneeoa.figures_and_tables.PLACEHOLDERS` of a declared caption."""
    phrase = sample(evidence)
    return text.format(
        confidence=percent(evidence.confidence),
        sample=f" {phrase[:1].upper()}{phrase[1:]}." if phrase else "",
        auc_interval=auc_interval(evidence),
    )

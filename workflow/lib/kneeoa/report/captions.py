"""Fill in what the caption of a figure says of this study: of how many, with which interval."""

from __future__ import annotations

from kneeoa.figures.numbers import percent
from kneeoa.figures.words import count
from kneeoa.paper_tables.metrics import speaking
from kneeoa.report.evidence import Evidence


def sample(evidence: Evidence) -> str:
    """``64 test knees of 52 subjects, 2 seeds``; empty where no metrics are known."""
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
    """``95 % interval (logit-delong)``, with the methods that METRICS names for the AUC."""
    rows = speaking(evidence.tables["metrics"]) if "metrics" in evidence.tables else None
    kinds = [] if rows is None else sorted({kind for kind in rows.loc[rows["metric"] == "auc", "interval"] if kind})
    return f"{percent(evidence.confidence)} interval" + (f" ({', '.join(kinds)})" if kinds else "")


def caption(text: str, evidence: Evidence) -> str:
    """A declared caption whose :data:`kneeoa.figures_and_tables.PLACEHOLDERS` are filled in."""
    who = sample(evidence)
    return text.format(
        confidence=percent(evidence.confidence),
        sample=f" {who[:1].upper()}{who[1:]}." if who else "",
        auc_interval=auc_interval(evidence),
    )

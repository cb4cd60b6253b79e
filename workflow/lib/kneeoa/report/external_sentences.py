"""Sentences of the report on external cohorts."""

from __future__ import annotations

from kneeoa.presentation.display_names import count_noun, display_name
from kneeoa.presentation.number_format import format_interval
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.report.report_data import ReportData

PUBLISHED = "published"
"""The part of rows that hold what others have published."""


def external_sentences(evidence: ReportData) -> list[str]:
    """Report how many sets of networks were evaluated on each external cohort, and how many are
    less accurate there than on the develop cohorts' test cases.
    """
    accuracy = evidence.tables["external_accuracy"]
    accuracy = accuracy[accuracy["part"] != PUBLISHED]
    sentences = []
    for cohort, of_cohort in accuracy.groupby("cohort", sort=False):
        arms = evidence.names.ordered(of_cohort["arm"])
        sentences.append(
            f"{count_noun(len(arms), 'set')} of networks (arms and ensembles of this study as it is configured) "
            f"{'was' if len(arms) == 1 else 'were'} evaluated on the external cohort {evidence.printed(cohort)}: "
            f"{'; '.join(dict.fromkeys(evidence.arm(arm) for arm in arms))}."
        )
    changes = evidence.tables.get("external_change")
    if changes is not None:
        whole = changes[(changes["measure"] == "accuracy") & changes["label"].isna() & changes["change_low"].notna()]
        for (abroad, develop, level), part in whole.groupby(["cohort", "develop", "level"], sort=False):
            down, up = int((part["change_high"] < 0).sum()), int((part["change_low"] > 0).sum())
            largest = min(row_dicts(part), key=lambda row: float(row["change"]))
            change = format_interval(largest["change"], largest["change_low"], largest["change_high"], 3, 3, signed=True)
            text = f"The {display_name('accuracy')} of {evidence.printed(level)} is lower on {evidence.printed(abroad)} than on the test "
            text += f"cases of {evidence.printed(develop)}, beyond its interval, in {down} of {count_noun(len(part), 'set')} of networks "
            text += (
                f"and higher in {up}; the lowest change is {change}, of {evidence.arm(largest['arm'])}. The p of changes are not adjusted."
            )
            sentences.append(text)
    sentences.append(
        "Nothing is fitted or chosen on an external cohort but in rows that are called secondary, which use its labels: those say what "
        "adapting to the cohort could reach, not how the networks do on it."
    )
    return sentences

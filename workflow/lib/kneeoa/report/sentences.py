"""Make the report's sentences from its tables: every number and statement comes from a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kneeoa.config.factors import MEMBERS
from kneeoa.presentation.arms import Factors, differing_factors, factor_name
from kneeoa.presentation.cohort_flow import knees_and_subjects
from kneeoa.presentation.display_names import count_noun, display_name
from kneeoa.presentation.number_format import SIGNIFICANT, format_interval, format_number, format_p, is_number
from kneeoa.presentation.summary_rows import own_head_rows, row_dicts, summary_rows
from kneeoa.report.report_data import ReportData

_LEADING = ("auc", "macro_auc", "quadratic_kappa", "accuracy")
"""The metric that is reported of a level: the first of these that it has."""


_THRESHOLD = f"{SIGNIFICANT:g}".lstrip("0")
_MOST = 6
"""Most contrasts that a sentence names."""


def join_names(names: Sequence[str]) -> str:
    """Join names: ``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def design(evidence: ReportData) -> list[str]:
    """Report the arms compared, and the number of seeds."""
    arms = {name: factors for name, factors in evidence.arms.items() if MEMBERS not in factors}
    differing = [factor for factor in differing_factors(arms) if factor not in ("backbone", "mode")]
    parts = [
        f"{count_noun(len(values), factor)}{addition} ({join_names(values)})"
        for factor, addition in (("mode", " of supervision"), ("backbone", ""))
        if (values := _values(arms, factor, evidence))
    ]
    text = (
        f"The study compares {' on '.join(parts)}: {count_noun(len(arms), 'arm')}"
        if parts
        else f"The study compares {count_noun(len(arms), 'arm')}"
    )
    text += f", which also differ in {join_names([factor_name(factor) for factor in differing])}" if differing else ""
    pools = len(evidence.arms) - len(arms)
    text += f", and {count_noun(pools, 'ensemble')} of them" if pools else ""
    seeds = int(evidence.tables["metrics"]["seeds"].max()) if "metrics" in evidence.tables else 1
    trained = f", each trained with {count_noun(seeds, 'seed')}." if seeds > 1 else "."
    return [text + trained + (" Seeds are a factor, never extra cases." if seeds > 1 else "")]


def _values(arms: Factors, factor: str, evidence: ReportData) -> list[str]:
    """Printed values of a factor in the order of the configuration, where it applies."""
    values = (factors.get(factor) for factors in arms.values())
    return list(dict.fromkeys(evidence.printed(value) for value in values if value is not None))


def cohorts(evidence: ReportData) -> list[str]:
    """Report the cases found, excluded and analysed in each cohort, and imported predictions."""
    sentences = []
    for flow in evidence.flows:
        excluded = sum(row["cases"] for row in flow["excluded"])
        text = f"In the cohort {evidence.printed(flow['cohort'])}, {knees_and_subjects(flow['found'])} were found "
        text += f"and {excluded:,} excluded; {knees_and_subjects(flow['analysed'])} were analysed"
        names = [name for name in ("train", "val", "test") if name in flow["splits"]]
        parts = [f"{flow['splits'][name]['cases']:,} for {evidence.printed(name)}" for name in names]
        sentences.append(f"{text} ({join_names(parts)})." if parts else f"{text}.")  # nobody of an unlabelled cohort
        sentences += flow.get("doubts", [])
    if evidence.flows:
        sentences.append("No subject is in two splits.")
    return sentences + _imported(evidence)


def _imported(evidence: ReportData) -> list[str]:
    """Number of cases and subjects of imported predictions, and doubts about them."""
    groups: dict[str, list[str]] = {}
    for account in evidence.imports:
        cohort = evidence.printed(account["cohort"])
        where = f"In the cohort {cohort}, whose predictions were made elsewhere, there are {knees_and_subjects(account)}"
        groups.setdefault(where, []).append(evidence.arm(account["arm"]))
    several = len(groups) > 1
    sentences = [f"{where}{f' ({join_names(arms)})' if several else ''}." for where, arms in groups.items()]
    return sentences + list(dict.fromkeys(doubt for account in evidence.imports for doubt in account["doubts"]))


def prediction(evidence: ReportData) -> list[str]:
    """Report the range over arms of each level's leading metric, on each cohort's test cases."""
    rows = summary_rows(evidence.tables["metrics"])
    sentences = []
    for (cohort, level), level_rows in rows[rows["split"] == "test"].groupby(["cohort", "level"], sort=False):
        level_rows = own_head_rows(level_rows, str(level))
        metric = next((name for name in _LEADING if (level_rows["metric"] == name).any()), None)
        level_rows = level_rows[(level_rows["metric"] == metric) & level_rows["estimate"].notna()]
        if level_rows.empty:
            continue
        worst, best = _ends(level_rows)
        over = f"Over {count_noun(int(best['seeds']), 'seed')}, " if best["seeds"] > 1 else ""
        name = f"{evidence.printed(level)} {display_name(str(metric))}"
        where = (
            f"{count_noun(int(best['cases']), 'test knee')} of {count_noun(int(best['subjects']), 'subject')} ({evidence.printed(cohort)})"
        )
        text = f"{over}{evidence.arm(best['arm'])} reached {_article(name)} {name} of {_estimate(best)} on {where}"
        if len(level_rows) > 1:
            text += (
                f", the highest of {count_noun(len(level_rows), 'arm')}; the lowest was {_estimate(worst)}, of {evidence.arm(worst['arm'])}"
            )
        sentences.append(text + ".")
    return sentences


def _ends(rows: pd.DataFrame) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows with the lowest and the highest estimate; the first of equal ones."""
    estimates = row_dicts(rows)
    return min(estimates, key=lambda row: float(row["estimate"])), max(estimates, key=lambda row: float(row["estimate"]))


def _article(name: str) -> str:
    """``an`` before a vowel or a letter pronounced with one."""
    return "an" if name[:1] in "AEIO" else "a"


def _estimate(row: dict[str, Any]) -> str:
    return format_interval(row["estimate"], row["low"], row["high"], 2)


def comparisons(evidence: ReportData) -> list[str]:
    """Report for each family of tests how many remain below .05 after adjustment, and which."""
    rows = evidence.tables["contrasts"]
    factors = list(dict.fromkeys(str(factor) for factor in rows["factor"]))
    sentences = (
        [] if factors == ["mode"] else [f"Contrasts vary the {join_names([factor_name(factor) for factor in factors])}, all else equal."]
    )
    for name, lacking in evidence.unanswered.items():
        more = f"; and {len(lacking) - _MOST} more" if len(lacking) > _MOST else ""
        sentences.append(f"Not in the contrast {name}: {'; '.join(lacking[:_MOST])}{more}.")
    for (family, adjustment), family_rows in rows.groupby(["family", "adjustment"], sort=False):
        defined = family_rows[family_rows["p"].notna()]
        adjusted = adjustment != "none"
        column = "p_adjusted" if adjusted else "p"
        significant = row_dicts(defined[defined[column] < SIGNIFICANT])
        adjustment_text = (
            f"{display_name(str(adjustment))} adjustment over {int(family_rows['m'].iloc[0])} tests" if adjusted else "not adjusted"
        )
        name = "Outside families" if family == "none" else f"Family {family}"
        text = f"{name} ({adjustment_text}): {'adjusted p' if adjusted else 'p'} is below {_THRESHOLD} in {len(significant)} of "
        text += count_noun(len(defined), "test")
        text += ": " + _first(significant, evidence, column) + "." if significant else "."
        uncomputed = len(family_rows) - len(defined)
        sentences.append(text + (f" {count_noun(uncomputed, 'test')} could not be computed." if uncomputed else ""))
    degenerate = rows[rows["degenerate"].astype(bool)]
    same = int((degenerate["difference"] == 0).sum())
    if same:
        sentences.append(f"Between the predictions of {count_noun(same, 'row')} the test sees no difference at all (marked degenerate).")
    if same < len(degenerate):
        rest = count_noun(len(degenerate) - same, "row")
        sentences.append(
            f"In {rest} there is a difference without any variance between subjects, for which no test exists (marked degenerate)."
        )
    sentences.append("An interval that holds zero does not show that two arms are equal.")
    return sentences


def _first(significant: list[dict[str, Any]], evidence: ReportData, column: str) -> str:
    """The contrasts with the smallest p, in their order, and the number of others."""
    smallest = sorted(sorted(significant, key=lambda row: float(row[column]))[:_MOST], key=significant.index)
    more = len(significant) - len(smallest)
    return "; ".join(_contrast(evidence, row, column) for row in smallest) + (f"; and {more} more" if more else "")


def _contrast(evidence: ReportData, row: dict[str, Any], column: str) -> str:
    shared = evidence.names.setting(row["candidate"], row["reference"], row["factor"], row["backbone"])
    name = f"{shared} {evidence.printed(row['level'])} {display_name(row['metric'])}".strip()
    pair = evidence.names.pair(row["candidate"], row["reference"], row["factor"])
    difference = format_interval(row["difference"], row["low"], row["high"], 3, 3, signed=True)
    return f"{name}, {pair}, {difference}, p {format_p(row[column])} ({display_name(row['test'])})"


def claim(evidence: ReportData) -> list[str]:
    """Report in how many pairs of arms each part of the claim changes beyond its interval, and in
    which direction.
    """
    rows = evidence.tables["claim"]
    sentences = []
    for (part, measure), part_rows in rows.groupby(["part", "measure"], sort=False):
        defined = part_rows[part_rows["low"].notna() & part_rows["high"].notna()]
        if defined.empty:
            continue
        up, down = int((defined["low"] > 0).sum()), int((defined["high"] < 0).sum())
        what = {"prediction": f"Prediction ({display_name(str(measure))})", "axis": "The order of grades along the axis"}
        text = f"{what.get(str(part), f'Saliency ({display_name(str(measure))})')} is higher under the candidate, beyond its interval, "
        sentences.append(f"{text}in {up} of {count_noun(len(defined), 'comparison')} and lower in {down}.")
    if sentences:
        resampled = " or ".join(sorted(set(rows["resampled"])))
        sentences.append(f"Intervals come from one bootstrap for all parts, with {resampled} resampled; they are not adjusted.")
    return sentences


def representation(evidence: ReportData) -> list[str]:
    """Report the range over arms (means over seeds) of the rank correlation along each axis."""
    rows = evidence.tables["geometry"]
    rows = rows[(rows["measure"] == "spearman") & (rows["split"] == "test") & rows["arm"].isin(list(evidence.arms))]  # not the baselines
    sentences = []
    for (axis, cohort), along in rows.groupby(["axis", "cohort"], sort=False):
        ranges = [
            text_of_range
            for against, against_rows in along.groupby("against", sort=False)
            if (text_of_range := _range(evidence, str(against), against_rows))
        ]
        if not ranges:
            continue
        seeds = along["seed"].nunique()
        means = f"; means over {count_noun(seeds, 'seed')}" if seeds > 1 else ""
        text = f"Along the {evidence.printed(axis)}, Spearman's correlation on the test cases of {evidence.printed(cohort)}"
        sentences.append(f"{text} is {'; '.join(ranges)}{means}.")
    if sentences:
        sentences.append("Axes, their scale and their sign come from the training cases alone.")
    return sentences


def _range(evidence: ReportData, against: str, rows: pd.DataFrame) -> str:
    """Printed range of the arms' mean correlation with ``against``; empty where none is defined."""
    means = rows.groupby("arm")["estimate"].mean().dropna()
    if means.empty:
        return ""
    what = "the phantom's true latent severity" if against == "latent_severity" else evidence.printed(against)
    lowest = f"{format_number(means.min(), 2)} ({evidence.arm(str(means.idxmin()))}) to " if len(means) > 1 else ""
    return f"{lowest}{format_number(means.max(), 2)} ({evidence.arm(str(means.idxmax()))}) with {what}"


def anatomy(evidence: ReportData) -> list[str]:
    """Report the range over arms of enrichment on each tissue, beside the null, and the
    contrasts.
    """
    rows = evidence.tables["anatomy"]
    rows = rows[(rows["measure"] == "enrichment") & rows["grade"].isna() & (rows["method"] == rows["method"].iloc[0])]
    sentences = []
    for (tissue, cohort), tissue_rows in rows.groupby(["tissue", "cohort"], sort=False):
        arms, pairs = (tissue_rows[(tissue_rows["kind"] == kind) & tissue_rows["estimate"].notna()] for kind in ("arm", "contrast"))
        if arms.empty:
            continue
        worst, best = _ends(arms)
        text = f"Saliency on {evidence.printed(tissue)} ({evidence.printed(cohort)}) is {_estimate(best)} times what chance would give for "
        text += evidence.arm(best["arm"])
        text += f", the highest, and {_estimate(worst)} times for {evidence.arm(worst['arm'])}, the lowest" if len(arms) > 1 else ""
        null = arms["null_mean"].max()
        text += f"; the same maps, shifted at random, give at most {format_number(null, 2)}." if is_number(null) else "."
        sentences.append(text)
        tested = pairs[pairs["p"].notna()]
        if len(tested):
            below = int((tested["p"] < SIGNIFICANT).sum())
            sentences.append(f"Of its {count_noun(len(tested), 'contrast')}, {below} with p below {_THRESHOLD}, not adjusted.")
    if sentences:
        sentences.append("Overlap with a tissue does not prove that a network relies on it.")
    return sentences

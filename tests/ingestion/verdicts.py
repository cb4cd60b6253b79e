"""Judge planted cases: read rightly, excluded for a reason that fits, or wrong; and the table that
says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One case's end. ``wrong`` is empty where it ended as it should."""

    family: str
    case: str
    excluded: str | None = None
    """The reason, where it was excluded."""
    wrong: str = ""


def table(verdicts: Iterable[Verdict]) -> str:
    """A row a family: planted, read correctly, excluded, wrong; then every wrong one, and how often
    each reason was given.
    """
    rows = list(verdicts)
    lines = [f"{'family':24s} {'planted':>8s} {'read':>8s} {'excluded':>9s} {'wrong':>6s}"]
    for family in [*dict.fromkeys(verdict.family for verdict in rows), "all"]:
        chosen = [verdict for verdict in rows if family in (verdict.family, "all")]
        wrong = sum(bool(verdict.wrong) for verdict in chosen)
        excluded = sum(verdict.excluded is not None and not verdict.wrong for verdict in chosen)
        lines.append(f"{family:24s} {len(chosen):8d} {len(chosen) - excluded - wrong:8d} {excluded:9d} {wrong:6d}")
    lines += [f"WRONG {verdict.case}: {verdict.wrong}" for verdict in rows if verdict.wrong]
    reasons = Counter(verdict.excluded for verdict in rows if verdict.excluded)
    lines.append("reasons: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    return "\n".join(lines)

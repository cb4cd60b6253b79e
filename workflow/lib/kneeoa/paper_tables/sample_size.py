"""Print the sample that rows of a table are about."""

from __future__ import annotations

import pandas as pd

from kneeoa.presentation.display_names import count_noun


def sample_size(rows: pd.DataFrame) -> str:
    """Print the largest numbers of cases, subjects and seeds among the rows: ``12 cases of 10
    subjects, 2 seeds``; empty without rows.
    """
    if rows.empty:
        return ""
    cases, subjects, seeds = (int(rows[key].max()) for key in ("cases", "subjects", "seeds"))
    return f"{count_noun(cases, 'case')} of {count_noun(subjects, 'subject')}, {count_noun(seeds, 'seed')}"

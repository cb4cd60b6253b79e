"""Read and word a cohort's account: what was found, excluded and analysed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kneeoa.errors import KneeoaError
from kneeoa.presentation.display_names import count_noun

Flow = Mapping[str, Any]
"""A cohort's account as ``kneeoa.splits.flow`` writes it: cohort, found, excluded, analysed,
splits, masks, loose.
"""


def read_flow(path: Path) -> dict[str, Any]:
    """Read a cohort's account.

    Raises:
        KneeoaError: the file is not such an account.
    """
    try:
        flow = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{path}: cannot be read as a cohort's account: {error}.") from error
    missing = [key for key in ("cohort", "found", "excluded", "analysed", "splits") if key not in flow]
    if missing:
        raise KneeoaError(f"{path}: lacks '{missing[0]}', which every cohort's account has; remove it and run the workflow again.")
    return dict(flow)


def knees_and_subjects(counts: Mapping[str, int]) -> str:
    """Print counts of cases and subjects: ``64 knees of 52 subjects``."""
    return f"{count_noun(counts['cases'], 'knee')} of {count_noun(counts['subjects'], 'subject')}"

"""Read the accounts of noisy raters: counts against the reference, for a run's record and for the
analysis.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kneeoa.errors import KneeoaError


def load_accounts(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The accounts that :func:`kneeoa.labels.rater_labels.rate_labels` wrote, one a rater and
    cohort.

    Raises:
        KneeoaError: a file is no such account.
    """
    accounts = []
    for path in paths:
        try:
            accounts.append(json.loads(Path(path).read_text(encoding="utf-8")))
            accounts[-1]["agreement"][accounts[-1]["level"]]["train"]["counts"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KneeoaError(f"{path}: is not the account of a rater ({error}); remove it and run the workflow again.") from error
    return accounts


def provenance(paths: Sequence[Path]) -> dict[str, Any]:
    """The entry of a run's record about its rater: name, seed, and the realised agreement by
    cohort, level and split; {} without a rater.
    """
    accounts = load_accounts(paths)
    if not accounts:
        return {}
    kept = ("cases", "misread", "quadratic_kappa")
    agreement = {
        account["cohort"]: {
            level: {split: {key: counts[key] for key in kept} for split, counts in splits.items()}
            for level, splits in account["agreement"].items()
        }
        for account in accounts
    }
    return {"rater": {"name": accounts[0]["rater"], "seed": accounts[0]["seed"], "agreement": agreement}}

"""Protocols of training: settings that belong together under one name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VALIDATED = "validated"
AS_PUBLISHED = "as-published"

PUBLISHED: dict[str, Any] = {
    "epochs": 100,
    "batch": 2,
    "learning_rate": 1e-4,
    "weight_decay": 1e-4,
    "schedule": "constant",
    "checkpoint": "last",
    "augmentation": {},
    "precision": "float32",
    "class_weights": "none",
    "clip": 0.0,
    "micro_batch": None,
}
"""Paper A (arXiv 2605.00718): AdamW, a constant rate, no augmentation, nothing chosen on validation
cases.
"""


def filled(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` with what their protocol fixes, where it is not given; what is given stays, and
    is checked afterwards.
    """
    fixed = PUBLISHED if settings.get("protocol") == AS_PUBLISHED else {}
    return {**fixed, **settings}


def contradictions(given: Mapping[str, Any], published: Mapping[str, Any]) -> str:
    """One sentence on the keys whose values differ from paper A's; empty where none does."""
    keys = [key for key in PUBLISHED if given[key] != published[key]]
    if not keys:
        return ""
    told = " and ".join(f"'{key}' {_shown(published[key])}, not {_shown(given[key])}" for key in keys)
    return f"protocol '{AS_PUBLISHED}' means {told}; leave {'it' if len(keys) == 1 else 'them'} out, or choose the protocol '{VALIDATED}'"


def _shown(value: Any) -> str:
    """A value as people write it; of a section only what is not zero."""
    if isinstance(value, Mapping):
        return str({key: entry for key, entry in value.items() if entry}) if any(value.values()) else "none"
    return str(value)

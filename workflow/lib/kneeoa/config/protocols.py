"""Protocols of training: named sets of settings."""

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
"""Settings of paper A (arXiv 2605.00718): AdamW, a constant rate, no augmentation, nothing chosen
on validation cases.
"""


def fill_protocol(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Add the settings that the protocol fixes and that are not given; given ones stay, and are
    checked afterwards.
    """
    fixed = PUBLISHED if settings.get("protocol") == AS_PUBLISHED else {}
    return {**fixed, **settings}


def contradictions(given: Mapping[str, Any], published: Mapping[str, Any]) -> str:
    """A sentence about the keys whose values differ from paper A's; empty where none does."""
    keys = [key for key in PUBLISHED if given[key] != published[key]]
    if not keys:
        return ""
    differences = " and ".join(f"'{key}' {_value_shown(published[key])}, not {_value_shown(given[key])}" for key in keys)
    them = "it" if len(keys) == 1 else "them"
    return f"protocol '{AS_PUBLISHED}' means {differences}; leave {them} out, or choose the protocol '{VALIDATED}'"


def _value_shown(value: Any) -> str:
    """Format a value as in a configuration; of a section only the keys that are not zero."""
    if isinstance(value, Mapping):
        return str({key: entry for key, entry in value.items() if entry}) if any(value.values()) else "none"
    return str(value)

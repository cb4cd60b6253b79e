"""How names are printed: arms' factors, levels, metrics, tests and tissues, in figures, tables and the report alike."""

from __future__ import annotations

from collections.abc import Mapping

_PRINTED = {
    "resnet3d": "ResNet3D",
    "m3t": "M3T",
    "nnmamba": "nnMamba",
    "single_oa": "Single-OA",
    "single_kl": "Single-KL",
    "dual": "Dual",
    "dual_stacked": "Dual, stacked",
    "oa": "OA",
    "kl": "KL",
    "oai": "OAI",
    "oai_zib": "OAI-ZIB",
    "pc1": "first principal component",
    "centroid": "centroid axis",
    "auc": "AUC",
    "accuracy": "accuracy",
    "f1": "F1",
    "balanced_accuracy": "balanced accuracy",
    "brier": "Brier score",
    "macro_auc": "macro AUC",
    "macro_f1": "macro F1",
    "quadratic_kappa": "weighted kappa",
    "mae": "mean abs. error",
    "delong": "DeLong",
    "mcnemar": "McNemar",
    "bootstrap": "bootstrap",
    "wilcoxon": "Wilcoxon",
    "holm": "Holm",
    "bh": "Benjamini-Hochberg",
    "by": "Benjamini-Yekutieli",
    "none": "none",
    "val": "validation",
    "train": "training",
}

LOWER_IS_BETTER = frozenset({"brier", "mae"})
"""Metrics of which less is better; figures mark them."""

GRADE_UNITS = frozenset({"mae"})
"""Metrics in units of a grade; the others are shares, probabilities or coefficients between -1 and 1."""


def printed(name: str, labels: Mapping[str, str] | None = None) -> str:
    """The printed form of ``name``: the study's own label, else the library's, else the name with spaces for underscores."""
    own = (labels or {}).get(name)
    return own if own is not None else _PRINTED.get(name, name.replace("_", " "))


def short_class(name: str, level: str) -> str:
    """A class without the printed name of its level in front: ``KL 2`` of ``KL`` is ``2``; ``no OA`` of ``OA`` stays."""
    return name.removeprefix(f"{level} ") or name


def sentence_case(text: str) -> str:
    """``text`` with its first letter in upper case and the rest untouched (``OA`` and ``nnMamba`` survive)."""
    return text if text[:2] == "nn" else text[:1].upper() + text[1:]


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 knee``, ``64 knees``, ``1,200 knees``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"

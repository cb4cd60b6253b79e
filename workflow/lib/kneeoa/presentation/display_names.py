"""Print names: arms' factors, levels, metrics, tests and tissues, in figures, tables and the report
alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from kneeoa.config.metrics import BY_NAME, TABLE, class_of, cut_of, metric_of_row
from kneeoa.config.metrics import LOWER_IS_BETTER as LOWER_IS_BETTER  # figures mark them

_PRINTED = {
    **{metric.name: metric.label for metric in TABLE if not metric.by_cut},
    "resnet3d": "ResNet3D",
    "m3t": "M3T",
    "nnmamba": "nnMamba",
    "densenet121": "DenseNet121",
    "resnet50": "ResNet50",
    "efficientnet": "EfficientNet",
    "convnext": "ConvNeXt",
    "swin": "Swin",
    "swin2d": "Swin",
    "vit": "ViT",
    "single_oa": "Single-OA",
    "single_kl": "Single-KL",
    "dual": "Dual",
    "dual_stacked": "Dual, stacked",
    "oa": "OA",
    "kl": "KL",
    "most": "MOST",
    "oai": "OAI",
    "oai_zib": "OAI-ZIB",
    "pc1": "first principal component",
    "centroid": "centroid axis",
    "lda": "linear discriminant",
    "ridge": "ridge regression axis",
    "space": "whole embedding",
    "cartilage_mm3": "cartilage volume",
    "cartilage_thickness_mm": "cartilage thickness",
    "spearman": "Spearman",
    "somers_d": "Somers' D",
    "adjacent_auc_min": "least adjacent AUC",
    "linear_r2": "linear R²",
    "permutation_p": "permutation p",
    "probe_auc": "probe AUC on the axis",
    "probe_ridge_r2": "ridge probe R²",
    "probe_quadratic_kappa": "probe weighted kappa",
    "probe_logistic_auc": "logistic probe AUC",
    "delong": "DeLong",
    "mcnemar": "McNemar",
    "bootstrap": "bootstrap",
    "delta": "delta method",
    "seeds": "random seeds",
    "non_inferiority": "non-inferiority",
    "wilcoxon": "Wilcoxon",
    "holm": "Holm",
    "max_t": "max-T",
    "bh": "Benjamini-Hochberg",
    "by": "Benjamini-Yekutieli",
    "none": "none",
    "val": "validation",
    "train": "training",
}

GRADE_UNITS = frozenset(metric.name for metric in TABLE if metric.in_grades)
"""Metrics in units of a grade; the others are shares, probabilities or coefficients between -1 and
1.
"""


def display_name(name: str, labels: Mapping[str, str] | None = None) -> str:
    """Return the printed form of ``name``: the study's own label, else the library's, else the name
    with spaces for underscores.
    """
    study_label = (labels or {}).get(name)
    class_label = class_of(name)
    if study_label is None and class_label is not None:
        return f"{display_name(metric_of_row(name), labels)}, {display_name(class_label, labels)}"
    if study_label is None and metric_of_row(name) != name:
        return f"{BY_NAME[metric_of_row(name)].label} {cut_of(name)}"
    return study_label if study_label is not None else _PRINTED.get(name, name.replace("_", " "))


def short_class(name: str, level: str) -> str:
    """Return a class without the printed name of its level in front: ``KL 2`` of ``KL`` is ``2``;
    ``no OA`` of ``OA`` stays.
    """
    return name.removeprefix(f"{level} ") or name


def sentence_case(text: str) -> str:
    """Return ``text`` with its first letter in upper case and the rest untouched (``OA`` and
    ``nnMamba`` survive).
    """
    return text if text[:2] == "nn" else text[:1].upper() + text[1:]


def count_noun(number: int, noun: str, plural: str | None = None) -> str:
    """Print a number with its noun: ``1 knee``, ``64 knees``, ``1,200 knees``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"

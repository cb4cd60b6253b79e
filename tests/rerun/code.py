"""What the modules of four packages, the backbones, modes, losses, methods of saliency and readers
belong to: one table a package.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.rerun.row import SMALL, WIDE, Row
from tests.rerun.rules import FIGURES, IMAGES, LEARNED, MEASURED, OVERLAPS, TABLES

LIBRARY = "workflow/lib/kneeoa"
HEAD = ("from __future__ import annotations\n", "from __future__ import annotations\n\nEDITED = True\n")

TESTED = {"contrasts", "subgroups", "claim", "readers", "differences"}
"""Compare two arms."""
METRICS = TESTED | {"metrics"}
SUMMARISED = METRICS | {"anatomy", "deletion_summary", "sanity", "similarity", "geometry", "geometry_baselines"}
"""Give intervals over subjects."""
ADJUSTED = TESTED | {"anatomy"}
"""Correct several tests together."""


def shared(names: Iterable[str], rules: set[str]) -> dict[str, set[str]]:
    """Modules that belong to the same rules."""
    return dict.fromkeys(names, rules)


STATISTICS = {
    "agreement": SUMMARISED | {"reread_labels"},
    "bootstrap": SUMMARISED,
    "brier": METRICS,
    "calibration": METRICS,
    "clusters": SUMMARISED | {"reread_labels", "figure_decision", "figure_reliability"},
    "confusion": SUMMARISED | {"reread_labels"},
    "consistency": METRICS,
    "decision": {"figure_decision"},
    "delong": METRICS,
    "equivalence": TESTED,
    "influence": METRICS,
    "inputs": SUMMARISED | {"reread_labels", "ensemble", "predict", "figure_decision", "figure_reliability"},
    "max_t": ADJUSTED,
    "mcnemar": TESTED,
    "midranks": OVERLAPS | {"make_masks", "describe_shard masks"},
    "metrics": SUMMARISED | {"reread_labels"},
    "multiclass": TESTED,
    "multiplicity": ADJUSTED,
    "obuchowski_rockette": TESTED,
    "operating_point": METRICS,
    "ordinal": METRICS,
    "power": TESTED,
    "reliability": {"figure_reliability"},
    "resampled": METRICS,
    "sampling": SUMMARISED | {"reread_labels", "figure_decision", "figure_reliability"},
    "seeds": TESTED,
    "shares": METRICS | {"figure_reliability"},
    "subgroups": {"subgroups"},
    "temperature": {"predict"},
    "wald": SUMMARISED | {"reread_labels", "predict", "figure_decision", "figure_reliability"},
}
"""A module of `statistics/`: who calls it."""

GEOMETRY = {
    **shared(["axis", "cases", "centroids", "dimension", "families", "measure", "partial", "permutation", "probes"], MEASURED),
    **shared(["ordering", "trend"], MEASURED | {"claim"}),
    **shared(["cka", "procrustes", "similarity"], {"similarity"}),
    "spectral": MEASURED,
    "representation": MEASURED | {"similarity"},
    "baselines": {"geometry_baselines"},
    "differences": {"differences"},
    "estimates": MEASURED | {"anatomy", "claim", "deletion_summary", "sanity", "similarity"},
    "raw_images": {"embed_raw_images"},
}
"""A module of `geometry/`."""

DELETED = {"deletion", "deletion_summary", "table_deletion", "report"}
"""The report and the table say what was deleted in the words of the measurement."""
ANATOMY = {
    **shared(["agreement", "randomised", "run_maps", "sanity"], {"sanity"}),
    **shared(["measure", "overlap"], OVERLAPS),
    **shared(["fields", "masks", "nulls"], OVERLAPS | DELETED),
    **shared(["paired", "subjects"], {"anatomy", "deletion_summary", "sanity"}),
    "deletion_summary": {"deletion_summary"},
    "regions": DELETED,
    "summary": {"anatomy"},
}
"""A module of `anatomy/`."""

PLAIN = {"table_arms", "table_exclusions"}
DRAWN = FIGURES - {"figure_flow", "figure_volumes"}
NUMBERED = {
    "figure_anatomy", "figure_axis", "figure_claim", "figure_confusion", "figure_decision", "figure_forest", "figure_readers",
    "figure_reliability", "figure_roc", "figure_similarity", "report",
} | TABLES - PLAIN  # fmt: skip
SCORED = NUMBERED - {"figure_axis", "figure_similarity", "table_differences", "table_geometry", "table_similarity"}
FIGURE_FILES = {
    **{name.removeprefix("figure_"): {name} for name in FIGURES},
    "arms": DRAWN | TABLES - PLAIN | {"report"},
    "flow": {"figure_flow", "report"},
    "forest_rows": {"figure_forest"},
    "images": {"figure_saliency", "figure_volumes", "quality"},
    "numbers": NUMBERED,
    "quality": {"quality"},
    "reading": SCORED | {"figure_axis", "figure_learning"},
    "scores": SCORED,
    "style": FIGURES | {"quality", "report"},
    "thumbnails": {"quality"},
    "volumes": {"figure_volumes", "figure_saliency"},
    "words": FIGURES | TABLES | {"quality", "report"},
}
"""A module of `figures/`."""

SHARED = {
    "bottleneck": ("resnet50",),
    "convnext_names": ("convnext",),
    "efficientnet_names": ("efficientnet",),
    "mamba": ("nnmamba",),
    "mbconv": ("efficientnet",),
    "scan_torch": ("nnmamba",),
    "scan_triton": ("nnmamba",),
    "selective_scan": ("nnmamba",),
    "packaged_weights": ("efficientnet",),
}
"""A module of `backbones/` that is no backbone: whose it is, where it is not everybody's."""
KINDS = ("convnext", "densenet121", "efficientnet", "m3t", "nnmamba", "resnet3d", "resnet50", "swin", "swin2d", "vit")
BACKBONES = {**{kind: (kind,) for kind in KINDS}, **{f"options/{kind}": (kind,) for kind in KINDS}, **SHARED}

MODES = {
    "single": {"single-oa", "single-kl", "single-coral", "single-corn", "single-kl-careless"},
    "dual_stacked": {"dual-stacked"},
    "criteria/coral": {"single-coral"},
    "criteria/corn": {"single-corn"},
}
"""A module of `modes/`: the modes of the wide study's resnet3d that it is part of."""


RESNET = {f"resnet3d-{mode}" for mode in ("single-oa", "single-kl", "single-coral", "single-corn", "dual", "dual-stacked")}


def edits(folder: str, belongs: dict[str, set[str]], study: str = SMALL) -> Iterable[Row]:
    """A row for each module of a package that is stated in one table."""
    for name, first in sorted(belongs.items()):
        yield Row(f"{folder}/{name}.py", frozenset(first), study, file=f"{LIBRARY}/{folder}/{name}.py", replace=HEAD)


def of_arms(folder: str, name: str, arms: Iterable[str]) -> Row:
    """A row for a module that belongs to some of the wide study's arms."""
    first = frozenset(IMAGES - {"deletion"} if folder == "backbones" or "single" in name else LEARNED)
    members = {"resnet3d-single-oa", "resnet3d-single-kl"}  # of the wide study's ensemble
    without = frozenset() if members & set(arms) else frozenset({"ensemble"})
    if not RESNET & set(arms):
        without |= {"figure_saliency"}  # which shows the modes of the first backbone
    return Row(
        f"{folder}/{name}.py", first, WIDE, file=f"{LIBRARY}/{folder}/{name}.py", replace=HEAD, arms=frozenset(arms), without=without
    )


ARMS_OF = {kind: {f"{kind}-dual"} for kind in KINDS} | {"resnet3d": RESNET | {"resnet3d-single-kl-careless"}}

ROWS = [
    *edits("statistics", STATISTICS),
    *edits("geometry", GEOMETRY),
    *edits("anatomy", ANATOMY),
    *edits("figures", FIGURE_FILES),
    *(of_arms("backbones", name, {arm for kind in kinds for arm in ARMS_OF[kind]}) for name, kinds in sorted(BACKBONES.items())),
    *(of_arms("modes", name, {f"resnet3d-{mode}" for mode in modes}) for name, modes in sorted(MODES.items())),
    *edits("saliency/methods", {"smoothgrad_input": {"saliency"}, "grad_cam": set()}),
    *edits("cohorts", {"oai": {"read_cohort"}, "manifest": set()}),
]

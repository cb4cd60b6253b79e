"""What the modules of five packages, the backbones, modes, losses, methods of saliency and readers
belong to: one table a package.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.rerun.definition_edits import EVERY
from tests.rerun.row import EXTERNAL, SMALL, WIDE, Row
from tests.rerun.rules import FIGURES, IMAGES, LEARNED, LEVELS, MEASURED, OVERLAPS, TABLES, taking

LIBRARY = "workflow/lib/kneeoa"

MEASURED_RUNS = {"metrics", "contrasts"}
"""Measure what runs achieved."""
METRICS = MEASURED_RUNS | {"subgroups", "readers", "claim", "external"}
"""Reach the kernels of all metrics."""
RELIABILITY = {"figure reliability", "figure reliability_by_class"}
CURVED = METRICS | RELIABILITY | {"figure decision"}
"""Give intervals over subjects by sums within them."""
RESAMPLED = MEASURED_RUNS | {
    "claim", "readers", "anatomy", "sanity", "deletion_summary", "geometry", "geometry_baselines", "differences", "associations",
}  # fmt: skip
"""Give intervals by resampling subjects."""
AXES = {"geometry", "geometry_baselines"}


def shared(names: Iterable[str], rules: set[str]) -> dict[str, set[str]]:
    """Modules that belong to the same rules."""
    return dict.fromkeys(names, rules)


def shown(kind: str, names: str) -> set[str]:
    """Figures or tables by their names."""
    return {f"{kind} {name}" for name in names.split()}


STATISTICS: dict[str, set[str]] = {
    "max_t": {"contrasts"},
    **shared(["brier", "calibration", "head_disagreement", "auc_placements", "ordinal", "precision"], METRICS),
    "operating_point": MEASURED_RUNS | {"subgroups", "external"},
    **shared(["independent_samples", "recalibration"], {"external"}),
    "pool_weights": {"ensemble"},
    **shared(["delong", "kernels", "metric_kernel", "multiclass", "run_delong", "run_influences"], METRICS),
    "bootstrap_metrics": MEASURED_RUNS,
    **shared(["equivalence", "multilabel_auc", "mcnemar", "obuchowski_rockette", "power"], {"contrasts"}),
    **shared(["case_exchange", "score_intervals", "sign_permutation", "sufficiency"], {"claim", "contrasts", "readers", "subgroups"}),
    "ranks": METRICS,
    "clusters": CURVED,
    "influence_functions": CURVED | {"associations"},
    "bootstrap": RESAMPLED,
    "confusion": METRICS | {"reread_labels"},
    "decision": {"figure decision"},
    "inputs": RESAMPLED | CURVED | {"predict", "ensemble"},
    "metrics": METRICS | {"claim", "reread_labels", "ensemble"},
    "midranks": METRICS | {"associations", "overlap", "make_masks", "describe_shard masks"},
    "multiplicity": {"anatomy", "contrasts"},
    "reliability": METRICS | RELIABILITY,
    "seeds": {"claim", "contrasts"},
    "proportions": RELIABILITY | {"metrics", "external"},
    "subgroups": {"subgroups"},
    "temperature": {"predict", "external"},
    "wald": CURVED | {"associations", "claim", "differences", "predict"},
}
"""A module of `statistics/`: who reaches any of its definitions."""

GEOMETRY = {
    **shared(
        ["axis", "between_centroid_share", "dimensionality", "held_out_measures", "partial_correlation", "permutation", "probes"], AXES
    ),
    **shared(["cases", "run_measures", "trend"], MEASURED),
    **shared(["cka", "procrustes", "similarity"], {"similarity"}),
    "rank_measures": MEASURED | {"claim"},
    "embeddings": AXES | {"similarity"},
    "supervised_directions": AXES,
    "baselines": {"geometry_baselines"},
    "axis_differences": {"differences"},
    "estimates": MEASURED | {"anatomy", "deletion_summary", "sanity", "similarity"},
    "raw_images": {"embed_raw_images"},
}
"""A module of `geometry/`."""

DELETED = {"deletion", "deletion_summary", "table deletion", "report"}
"""The report and the table say what was deleted in the words of the measurement."""
ANATOMY = {
    **shared(["map_agreement", "randomised_enrichment", "run_maps", "sanity"], {"sanity"}),
    **shared(["run_overlap", "overlap_measures"], OVERLAPS),
    **shared(["tissue_fields", "masks", "nulls"], OVERLAPS | {"deletion"}),
    **shared(["paired_tests", "subject_means"], {"anatomy", "deletion_summary", "sanity"}),
    "deletion": {"deletion"},
    "deletion_summary": {"deletion_summary"},
    "deletion_regions": DELETED,
    "summary": {"anatomy"},
}
"""A module of `anatomy/`."""

PLAIN = {"table arms", "table exclusions"}
DRAWN = FIGURES - {"figure flow", "figure volumes"}
NUMBERED = {
    "figure anatomy", "figure axis", "figure claim", "figure confusion", "figure decision", "figure forest", "figure readers",
    "figure reliability", "figure reliability_by_class", "figure roc", "figure roc_by_class", "figure similarity", "report",
} | TABLES - PLAIN  # fmt: skip
SCORED = NUMBERED - {"figure axis", "figure similarity", "table associations", "table differences", "table geometry", "table similarity"}
FIGURE_FILES = {
    **{name.removeprefix("figure "): {name} for name in FIGURES},
    "forest_rows": {"figure forest"},
    "case_images": {"figure saliency", "figure volumes", "quality"},
    "quality": {"quality"},
    "binary_questions": shown("figure", "roc_by_class reliability_by_class"),
    "registry": FIGURES,
    "reliability": RELIABILITY,
    "roc": shown("figure", "roc roc_by_class"),
    "table_scan": shown("figure", "roc roc_by_class reliability reliability_by_class confusion decision axis learning"),
    "held_out_predictions": shown("figure", "confusion decision reliability reliability_by_class roc roc_by_class"),
    "style": FIGURES | {"quality"},
    "thumbnails": {"quality"},
    "volumes": {"figure volumes", "figure saliency"},
}
"""A module of `figures/`."""

PRESENTATION = {
    "arm_names": TABLES | {"report"},
    "arms": DRAWN | TABLES | {"report"},
    "cohort_flow": {"figure flow", "report"},
    "display_names": FIGURES | TABLES | {"quality", "report"},
    "number_format": NUMBERED,
    "summary_rows": SCORED,
}
"""A module of `presentation/`."""

TABLE_FILES = {
    **{name.removeprefix("table "): {name, "report"} for name in TABLES},
    "sample_size": {"table anatomy", "table claim", "table deletion", "table sanity", "report"},
    "table_files": TABLES,
    **shared(["csv_file", "latex", "registry"], TABLES | {"report"}),
}
"""A module of `paper_tables/`; the report prints every table that the study has."""

CAPTION = Row(
    "a figure's caption",
    frozenset({"report"}),
    file=f"{LIBRARY}/figures/roc.py",
    replace=("Sensitivity against", "The share of true positives against"),
)

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
    "dual": {"dual"},
    "dual_stacked": {"dual-stacked"},
    "losses/bce": {"single-oa"},
    "losses/coral": {"single-coral"},
    "losses/corn": {"single-corn"},
    "losses/cross_entropy": {"single-kl", "single-kl-careless", "dual", "dual-stacked"},
}
"""A module of `heads/`: the modes of the wide study's resnet3d that it is part of; every other
backbone has the mode `dual` alone.
"""
METHODS = {
    "smoothgrad_input": {"saliency"},
    "smoothgrad": {"saliency"},
    **shared(["grad_cam", "integrated_gradients", "occlusion"], set()),
}
"""A module of `saliency/methods/`; the small study has one method, which takes its gradient from
another.
"""
READERS = {"oai": {"read_cohort"}, **shared(["grades_folder", "manifest", "oai_zib", "oaizib_cm"], set())}
"""A reader of `cohorts/`; the small study has one."""
OF_LEVELS = (LEVELS - taking("classes_of_levels")) | {"saliency", "deletion", "anatomy"} | taking("levels_by_class")
"""Ask what a level's kind declares."""
LEVEL_KINDS = {**shared(["binary", "ordinal"], OF_LEVELS), **shared(["multiclass", "multilabel"], set())}
"""A kind of level of `levels/`; the small study has two."""
REGISTRIES = {
    "heads": ("LEVELS", {name for name in MODES if "/" not in name}),
    "heads/losses": ("KINDS", {name.removeprefix("losses/") for name in MODES if "/" in name}),
    "saliency/methods": ("OPTIONS", set(METHODS)),
    "cohorts": ("", set(READERS)),
}
"""A folder whose files are read off it: what a member declares, and the members that have rows."""


RESNET = {f"resnet3d-{mode}" for mode in ("single-oa", "single-kl", "single-coral", "single-corn", "dual", "dual-stacked")}


def edits(folder: str, belongs: dict[str, set[str]], study: str = SMALL) -> Iterable[Row]:
    """A row for each module of a package that is stated in one table."""
    for name, first in sorted(belongs.items()):
        yield Row(f"{folder}/{name}.py", frozenset(first), study, file=f"{LIBRARY}/{folder}/{name}.py", definition=EVERY)


def of_definitions(belongs: dict[str, set[str]]) -> Iterable[Row]:
    """A row for each definition, ``folder/module.py: name``, that is stated in one table."""
    for place, first in belongs.items():
        file, name = place.split(": ")
        yield Row(place, frozenset(first), SMALL, file=f"{LIBRARY}/{file}", definition=name)


def of_arms(folder: str, name: str, arms: Iterable[str]) -> Row:
    """A row for a module that belongs to some of the wide study's arms."""
    untrained = {"resnet3d-single-oa", *(f"{kind}-dual" for kind in KINDS if kind != "resnet3d")}  # a backbone's first arm
    first = frozenset(IMAGES - {"deletion"} if untrained & set(arms) else LEARNED)
    members = {"resnet3d-single-oa", "resnet3d-single-kl"}  # of the wide study's ensemble
    without = frozenset() if members & set(arms) else frozenset({"ensemble"})
    if not RESNET & set(arms):
        without |= {"figure saliency"}  # which shows the modes of the first backbone
    return Row(
        f"{folder}/{name}.py", first, WIDE, file=f"{LIBRARY}/{folder}/{name}.py", definition=EVERY, arms=frozenset(arms), without=without
    )


def arms_of(modes: set[str]) -> set[str]:
    """The wide study's arms of these modes."""
    return {f"resnet3d-{mode}" for mode in modes} | ({f"{kind}-dual" for kind in KINDS} if "dual" in modes else set())


ARMS_OF = {kind: {f"{kind}-dual"} for kind in KINDS} | {"resnet3d": RESNET | {"resnet3d-single-kl-careless"}}

DEFINITIONS = {
    "statistics/metrics.py: macro_f1": METRICS,
    "statistics/metrics.py: quadratic_kappa": METRICS | {"reread_labels"},
    "statistics/metrics.py: predicted_class": METRICS | {"claim", "ensemble"},
    "statistics/bootstrap.py: resampled_counts": RESAMPLED,
    "statistics/bootstrap.py: interval_of": MEASURED_RUNS | {"readers", "associations"},
    "statistics/bootstrap.py: percentiles": MEASURED_RUNS | {"claim", "readers", "differences"},
    "statistics/clusters.py: without_rounding": CURVED,
    "statistics/wald.py: normal_quantile": CURVED | {"associations", "predict"},
    "statistics/wald.py: wald": METRICS,
    "geometry/rank_measures.py: weighted_pearson": MEASURED | {"claim"},
    "geometry/rank_measures.py: binary_measures": AXES,
    "atomic_io.py: write_text": TABLES
    | {"describe_shard", "list_shards", "flow", "phantom_tables", "reread_labels", "train_run", "predict", "ensemble", "report"},
    "presentation/display_names.py: GRADE_UNITS": {"figure forest"},
    "presentation/display_names.py: short_class": {"figure axis", "figure confusion", "figure flow"},
    "training/loop.py: steps": {"train_run"},
    "formats/dicom/stacks.py: group_into_stacks": {"describe_shard volumes", "describe_shard masks", "make_volumes", "make_masks"},
}
"""A definition of a module that several rules import: those that reach it, and no other."""

ABROAD = {
    "statistics/recalibration.py": {"external"},
    "statistics/independent_samples.py": {"external"},
    "contrasts/external.py": {"external"},
    "statistics/proportions.py": RELIABILITY | {"metrics", "external"},
    "statistics/temperature.py": {"predict", "external"},
    **{f"paper_tables/{name}.py": {f"table {name}", "report"} for name in ("external_accuracy", "external_calibration", "external_change")},
    "report/external_sentences.py": {"report"},
    "statistics/pool_weights.py": {"ensemble"},
    "inference/combine.py": {"ensemble"},
}
"""What is measured on external cohorts, in a study that has one."""

ROWS = [
    *of_definitions(DEFINITIONS),
    *edits("statistics", STATISTICS),
    *(
        Row(f"{file}, with an external cohort", frozenset(first), EXTERNAL, file=f"{LIBRARY}/{file}", definition=EVERY)
        for file, first in ABROAD.items()
    ),
    *edits("geometry", GEOMETRY),
    *edits("anatomy", ANATOMY),
    *edits("figures", FIGURE_FILES),
    *edits("presentation", PRESENTATION),
    *edits("paper_tables", {name: first for name, first in TABLE_FILES.items() if f"paper_tables/{name}.py" not in ABROAD}),
    CAPTION,
    *(of_arms("backbones", name, {arm for kind in kinds for arm in ARMS_OF[kind]}) for name, kinds in sorted(BACKBONES.items())),
    *(of_arms("heads", name, arms_of(modes)) for name, modes in sorted(MODES.items())),
    *edits("saliency/methods", METHODS),
    *edits("cohorts", READERS),
    *edits("levels", LEVEL_KINDS),
]

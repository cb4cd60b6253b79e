"""The rules that modules belong to, of five packages and of backbones, modes, losses, plug-ins,
methods of saliency and readers of cohorts: one table a package.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.rerun.definition_edits import EVERY
from tests.rerun.row import EXTERNAL, FILMS, SMALL, WIDE, Row
from tests.rerun.rules import FIGURES, IMAGES, LEARNED, LEVELS, MEASURED, OF_PLUGINS, OVERLAPS, TABLES, taking

LIBRARY = "workflow/lib/kneeoa"

MEASURED_RUNS = {"metrics", "contrasts", "part_metrics"}
"""Measure what runs achieved."""
METRICS = MEASURED_RUNS | {"subgroups", "raters", "claim", "external"}
"""Reach the kernels of all metrics."""
RELIABILITY = {"figure reliability", "figure reliability_by_class"}
CURVED = METRICS | RELIABILITY | {"figure decision"}
"""Give intervals over subjects by sums within them."""
RESAMPLED = MEASURED_RUNS | {
    "claim", "raters", "anatomy", "sanity", "deletion_summary", "geometry", "geometry_baselines", "differences", "associations",
    "selection_summary",
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
    **shared(["calibration", "auc_placements", "ordinal"], METRICS),
    "operating_point": MEASURED_RUNS | {"subgroups", "external"},
    **shared(["independent_samples", "recalibration"], {"external"}),
    "pool_weights": {"ensemble"},
    **shared(["case_exchange", "delong", "kernels", "mean_auc", "metric_kernel", "run_delong", "run_influences"], METRICS),
    "bootstrap_metrics": MEASURED_RUNS,
    **shared(["equivalence", "mcnemar"], {"contrasts"}),
    **shared(["score_intervals", "sign_permutation"], {"claim", "contrasts", "raters", "subgroups"}),
    "influence_functions": CURVED | {"associations"},
    "bootstrap": RESAMPLED,
    "confusion": METRICS | {"rate_labels"},
    "decision": {"figure decision"},
    "inputs": RESAMPLED | CURVED | {"predict", "ensemble"},
    "metrics": METRICS | {"claim", "rate_labels", "ensemble"},
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
    **shared(["axis", "held_out_measures", "permutation", "probes"], AXES),
    **shared(["similarity", "similarity_measures"], {"similarity"}),
    "cases": MEASURED | {"similarity"},
    "run_measures": MEASURED,
    "rank_measures": MEASURED | {"claim"},
    "supervised_directions": AXES,
    "axis_differences": {"differences"},
    "estimates": MEASURED | {"anatomy", "deletion_summary", "sanity", "selection_summary", "similarity"},
    "raw_images": {"embed_raw_images"},
}
"""A module of `geometry/`."""

DELETED = {"deletion", "deletion_summary", "table deletion", "report"}
"""The report and the table say what was deleted in the words of the measurement."""
ANATOMY = {
    **shared(["randomised_enrichment", "run_maps", "sanity"], {"sanity"}),
    **shared(["run_overlap", "overlap_measures"], OVERLAPS),
    **shared(["tissue_fields", "nulls"], OVERLAPS | {"deletion", "selection_shares"}),
    "subject_summaries": {"anatomy", "deletion_summary", "sanity", "selection_summary"},
    "selection_shares": {"selection_shares"},
    "selection_summary": {"selection_summary"},
    "deletion": {"deletion"},
    "deletion_summary": {"deletion_summary"},
    "deletion_regions": DELETED,
    "summary": {"anatomy"},
}
"""A module of `anatomy/`."""

PLAIN = {"table arms", "table exclusions"}
DRAWN = FIGURES - {"figure flow", "figure volumes"}
NUMBERED = {
    "figure anatomy", "figure axis", "figure claim", "figure confusion", "figure decision", "figure forest", "figure raters",
    "figure reliability", "figure reliability_by_class", "figure roc", "figure roc_by_class", "figure selections",
    "figure selection_shares", "figure similarity", "report",
} | TABLES - PLAIN  # fmt: skip
SCORED = NUMBERED - {
    "figure axis",
    "figure selections",
    "figure similarity",
    "table associations",
    "table differences",
    "table geometry",
    "table similarity",
}
FIGURE_FILES = {
    **{name.removeprefix("figure "): {name} for name in FIGURES},
    "case_images": {"figure saliency", "figure selections", "figure volumes", "quality"},
    "quality": {"quality"},
    "binary_questions": shown("figure", "roc_by_class reliability_by_class"),
    "registry": FIGURES,
    "reliability": RELIABILITY,
    "roc": shown("figure", "roc roc_by_class"),
    "held_out_predictions": shown("figure", "roc roc_by_class reliability reliability_by_class confusion decision axis learning"),
    "style": FIGURES | {"quality"},
    "thumbnails": {"quality"},
    "saliency": {"figure saliency", "figure selections"},
    "volumes": {"figure volumes", "figure saliency", "figure selections"},
}
"""A module of `figures/`."""

PRESENTATION = {
    "arms": DRAWN | TABLES | {"report"},
    "cohort_flow": {"figure flow", "report"},
    "display_names": FIGURES | TABLES | {"quality", "report"},
    "number_format": NUMBERED,
    "summary_rows": SCORED,
}
"""A module of `presentation/`."""

TABLE_FILES = {
    **{name.removeprefix("table "): {name, "report"} for name in TABLES},
    **shared(["latex", "registry", "table_files"], TABLES | {"report"}),
}
"""A module of `paper_tables/`; the report prints every table that the study has."""

CAPTION = Row(
    "a figure's caption",
    frozenset({"report"}),
    file=f"{LIBRARY}/figures/roc.py",
    replace=("Sensitivity against", "The share of true positives against"),
)

SHARED = {
    "mbconv": ("efficientnet",),
    "scan_torch": ("nnmamba",),
    "scan_triton": ("nnmamba",),
    "selective_scan": ("nnmamba",),
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
OF_LEVELS = (LEVELS - taking("classes_of_levels")) | {"saliency", "deletion", "anatomy", "selection_summary"} | taking("levels_by_class")
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


PLUGGED = "resnet50-single-kl-pim"
"""The wide study's arm with a plug-in."""
PLUGINS = {
    **shared(["location_layers", "pim", "public_layout", "pyramid", "selection", "options/pim"], {PLUGGED}),
    "reference": set(),
}
"""A module of `plugins/`: the arms of the wide study that it is part of.
"""
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
    # A backbone's first arm, and each with a plug-in.
    untrained = {"resnet3d-single-oa", *(f"{kind}-dual" for kind in KINDS if kind != "resnet3d"), PLUGGED}
    first = frozenset(IMAGES - {"deletion"} if untrained & set(arms) else LEARNED)
    members = {"resnet3d-single-oa", "resnet3d-single-kl"}  # of the wide study's ensemble
    without = frozenset() if members & set(arms) else frozenset({"ensemble"})
    if PLUGGED not in arms:
        without |= OF_PLUGINS
    if not RESNET & set(arms):
        without |= {"figure saliency"}  # which shows the modes of the first backbone
    return Row(
        f"{folder}/{name}.py", first, WIDE, file=f"{LIBRARY}/{folder}/{name}.py", definition=EVERY, arms=frozenset(arms), without=without
    )


def arms_of(modes: set[str]) -> set[str]:
    """The wide study's arms of these modes."""
    plugged = {PLUGGED} if "single-kl" in modes else set()
    return {f"resnet3d-{mode}" for mode in modes} | plugged | ({f"{kind}-dual" for kind in KINDS} if "dual" in modes else set())


ARMS_OF = {kind: {f"{kind}-dual"} for kind in KINDS} | {
    "resnet3d": RESNET | {"resnet3d-single-kl-careless"},
    "resnet50": {"resnet50-dual", PLUGGED},
}

DEFINITIONS = {
    "statistics/metrics.py: macro_f1": METRICS,
    "statistics/metrics.py: quadratic_kappa": METRICS | {"rate_labels"},
    "statistics/metrics.py: predicted_class": METRICS | {"claim", "ensemble"},
    "statistics/bootstrap.py: resampled_counts": RESAMPLED,
    "statistics/bootstrap.py: interval_of": MEASURED_RUNS | {"raters", "associations"},
    "statistics/bootstrap.py: percentiles": MEASURED_RUNS | {"claim", "raters", "differences"},
    "statistics/influence_functions.py: without_rounding": CURVED,
    "statistics/multiplicity.py: max_t": {"contrasts"},
    "statistics/wald.py: normal_quantile": CURVED | {"associations", "predict"},
    "statistics/wald.py: wald": METRICS,
    "geometry/run_measures.py: measure_baselines": {"geometry_baselines"},
    "geometry/rank_measures.py: weighted_pearson": MEASURED | {"claim"},
    "geometry/rank_measures.py: binary_measures": AXES,
    "atomic_io.py: write_text": TABLES
    | {"describe_shard", "list_shards", "flow", "phantom_tables", "rate_labels", "train_run", "predict", "ensemble", "report"},
    "paper_tables/latex.py: sample_size": {
        "table anatomy",
        "table claim",
        "table deletion",
        "table sanity",
        "table selections",
        "report",
    },
    "presentation/arms.py: ArmNames": TABLES | {"report"},
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
    "inference/ensemble.py": {"ensemble"},
}
"""Code that external cohorts are measured by, edited in a study that has one."""

PLUGGED_FILES = {
    "inference/part_predictions.py": {"predict_parts"},
    "contrasts/part_metrics.py": {"part_metrics"},
    "paper_tables/parts.py": {"table parts", "report"},
    **shared(
        ["inference/selections.py", "plugins/location_grids.py", "plugins/selections/interface.py", "plugins/selections/pim.py"],
        {"selections"},
    ),
    "anatomy/selection_shares.py": {"selection_shares"},
    "anatomy/tissue_fields.py": OVERLAPS | {"deletion", "selection_shares"},
    "anatomy/selection_summary.py": {"selection_summary"},
    "figures/selections.py": {"figure selections"},
    "figures/selection_shares.py": {"figure selection_shares"},
    "paper_tables/selections.py": {"table selections", "report"},
    "report/selection_sentences.py": {"report"},
}
"""Code of what plug-ins choose and of their parts, edited in a study that has one and masks."""
ELSEWHERE = ABROAD.keys() | PLUGGED_FILES.keys()
"""Files whose own rows are of other studies."""

ROWS = [
    *of_definitions(DEFINITIONS),
    *edits("statistics", STATISTICS),
    *(
        Row(f"{file}, with an external cohort", frozenset(first), EXTERNAL, file=f"{LIBRARY}/{file}", definition=EVERY)
        for file, first in ABROAD.items()
    ),
    *(
        Row(f"{file}, with a plug-in", frozenset(first), FILMS, file=f"{LIBRARY}/{file}", definition=EVERY)
        for file, first in PLUGGED_FILES.items()
    ),
    *edits("geometry", GEOMETRY),
    *edits("anatomy", ANATOMY),
    *edits("figures", FIGURE_FILES),
    *edits("presentation", PRESENTATION),
    *edits("paper_tables", {name: first for name, first in TABLE_FILES.items() if f"paper_tables/{name}.py" not in ELSEWHERE}),
    CAPTION,
    *(of_arms("backbones", name, {arm for kind in kinds for arm in ARMS_OF[kind]}) for name, kinds in sorted(BACKBONES.items())),
    *(of_arms("heads", name, arms_of(modes)) for name, modes in sorted(MODES.items())),
    *(of_arms("plugins", name, arms) for name, arms in sorted(PLUGINS.items()) if arms),
    *edits("plugins", {name: arms for name, arms in PLUGINS.items() if not arms}),
    *edits("saliency/methods", METHODS),
    *edits("cohorts", READERS),
    *edits("levels", LEVEL_KINDS),
]

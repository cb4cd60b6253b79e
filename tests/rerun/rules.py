"""What follows from what: the rules of the workflow, who reads whose files, and groups of rules
that depend on the same thing.

Stated by hand, not read off the workflow, so that a rule which begins to depend on more than it
should is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable

PREDICTED = {"metrics", "contrasts", "subgroups", "claim", "readers"}
"""Read prediction tables."""
CURVES = {"figure_roc", "figure_reliability", "figure_confusion"}
LEARNED = {"train_run", "predict", "saliency", "deletion"}
"""Open a run's inputs."""
IMAGES = LEARNED | {"embed_untrained"}

FOLLOWS: dict[str, set[str]] = {
    "phantom_tables": {"read_cohort", "geometry", "geometry_baselines"},
    "phantom_images": {"read_cohort", "make_volumes", "make_masks"},
    # A cohort's tables are ancient to its shards: the raw files of each shard decide.
    "read_cohort": {
        "make_splits", "flow", "reread_labels", "train_run", "predict", "geometry", "geometry_baselines", "anatomy", "subgroups",
        "figure_volumes", "figure_saliency",
    },
    # What a shard is made from, by stage.
    "describe_shard volumes": {"make_volumes"},
    "describe_shard masks": {"make_masks"},
    "describe_shard inputs": {"make_inputs"},
    "describe_shard": {"describe_shard volumes", "describe_shard masks", "describe_shard inputs"},
    "make_volumes": {"make_masks", "make_inputs", "make_splits", "flow", "quality", "list_shards volumes"},
    "make_masks": {"flow", "quality", "list_shards masks"},
    "make_inputs": {"list_shards inputs"},
    "list_shards volumes": IMAGES | {"embed_raw_images", "figure_volumes", "figure_saliency"},
    "list_shards inputs": IMAGES,
    "list_shards masks": {"deletion", "overlap", "sanity", "geometry", "figure_volumes", "figure_saliency"},
    "list_shards": {"list_shards volumes", "list_shards inputs", "list_shards masks"},
    "make_splits": IMAGES | {"flow", "reread_labels", "overlap", "sanity", "embed_raw_images", "figure_volumes", "figure_saliency"},
    "flow": {"figure_flow", "table_exclusions", "report"},
    "reread_labels": {"train_run", "readers"},
    "train_run": LEARNED - {"train_run"} | {"figure_learning", "report"},
    "predict": PREDICTED | CURVES | {"ensemble", "geometry", "similarity", "figure_decision"},
    "ensemble": PREDICTED | CURVES | {"figure_decision"},
    "import_predictions": PREDICTED | CURVES | {"figure_decision"},
    "metrics": CURVES | {"table_metrics"},
    "contrasts": {"figure_forest", "table_contrasts"},
    "subgroups": {"table_subgroups"},
    "claim": {"figure_claim", "table_claim"},
    "readers": {"figure_readers"},
    "geometry": {"differences", "claim", "figure_axis", "table_geometry"},
    "embed_untrained": {"geometry_baselines"},
    "embed_raw_images": {"geometry_baselines"},
    "geometry_baselines": {"table_geometry"},
    "differences": {"table_differences"},
    "similarity": {"figure_similarity", "table_similarity"},
    "saliency": {"overlap", "sanity", "figure_saliency"},
    "deletion": {"deletion_summary"},
    "overlap": {"anatomy", "claim"},
    "anatomy": {"figure_anatomy", "table_anatomy"},
    "sanity": {"table_sanity"},
    "deletion_summary": {"table_deletion"},
    "table_arms": {"report"},
}  # fmt: skip


def after(first: Iterable[str], without: Iterable[str] = ()) -> set[str]:
    """These rules and all that follow from them, but for some; every figure and table is followed
    by the report.
    """
    found = set(without)
    pending = set(first) - found
    while pending:
        rule = pending.pop()
        found.add(rule)
        report = {"report"} if rule.startswith(("figure_", "table_")) else set()
        pending |= (FOLLOWS.get(rule, set()) | report) - found
    return {rule.split()[0] for rule in found - set(without)}


ASKED_FOR = {"crate"}
"""Rules that make something only where it is asked for."""
EVERYTHING = after({"phantom_tables", "phantom_images", "describe_shard", "table_arms", "import_predictions"})
"""Every rule that has an output; a study has those that it needs."""
FIGURES = {rule for rule in EVERYTHING if rule.startswith("figure_")}
TABLES = {rule for rule in EVERYTHING if rule.startswith("table_")}

LEVELS = {
    "read_cohort", "make_splits", "flow", "reread_labels", "train_run", "embed_untrained", "predict", "ensemble", "import_predictions",
    "metrics", "contrasts", "subgroups", "claim", "readers", "geometry", "geometry_baselines", "differences", "figure_flow",
}  # fmt: skip
"""Take the label hierarchy."""
FINEST = {"anatomy", "figure_axis", "figure_confusion"}
"""Take the finest graded level in full."""
COMPARED = {"contrasts", "subgroups", "table_metrics", "table_contrasts", "table_subgroups", "figure_forest", "figure_decision"} | CURVES
"""Take the arms table with ensembles."""
ARMS = COMPARED | {
    "readers", "claim", "differences", "similarity", "anatomy", "figure_learning", "figure_claim", "figure_axis", "figure_similarity",
    "figure_saliency", "figure_anatomy", "figure_readers", "table_claim", "table_geometry", "table_differences", "table_similarity",
    "table_anatomy", "table_sanity", "table_deletion", "report",
}  # fmt: skip
"""Take the arms table."""
BOOTSTRAPPED = {"metrics", "contrasts", "claim", "readers", "anatomy", "sanity", "deletion_summary"}
"""Take the resamples and the seed of the statistics."""
INTERVALS = BOOTSTRAPPED | {
    "subgroups", "figure_roc", "figure_reliability", "figure_decision", "figure_forest", "figure_claim", "figure_anatomy", "figure_readers",
    "report",
}  # fmt: skip
"""Take the level of the intervals of the statistics."""
CONTRASTED = {"contrasts", "subgroups", "claim", "readers", "anatomy", "differences"}
"""Take the contrasts."""
MEASURED = {"geometry", "geometry_baselines", "differences"}
"""Take the section on geometry."""
OVERLAPS = {"overlap", "sanity"}
VIEW = {"describe_shard volumes", "make_volumes", "train_run", "embed_untrained"}
"""Take the canonical form of a view: who makes it, and who writes down what a network was trained
on.
"""
PHANTOM = {"phantom_tables", "phantom_images"}
NETWORKS = {"train_run", "embed_untrained"}
"""Take an arm's network."""
RUNS = LEARNED | PREDICTED | CURVES | {
    "embed_untrained", "overlap", "geometry", "sanity", "anatomy", "deletion_summary", "ensemble", "differences", "similarity",
    "geometry_baselines", "figure_learning", "figure_axis", "figure_saliency", "figure_decision", "table_geometry",
}  # fmt: skip
"""Are made for each run, or take every run."""

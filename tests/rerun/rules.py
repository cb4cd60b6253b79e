"""What follows from what: the rules of the workflow, who reads whose files, and groups of rules
that depend on the same thing.

Stated by hand, not read off the workflow, so that a rule which begins to depend on more than it
should is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable

PREDICTED = {"metrics", "contrasts", "subgroups", "claim", "readers"}
"""Read prediction tables."""
CURVES = {"figure roc", "figure reliability", "figure confusion"}
LEARNED = {"train_run", "predict", "saliency", "saliency_randomised", "deletion"}
"""Open a run's inputs."""
IMAGES = LEARNED | {"embed_untrained"}

FOLLOWS: dict[str, set[str]] = {
    "phantom_tables": {"read_cohort", "geometry", "geometry_baselines"},
    "phantom_images": {"read_cohort", "make_volumes", "make_masks"},
    # A cohort's tables are ancient to its shards: the raw files of each shard decide.
    "read_cohort": {
        "make_splits", "flow", "reread_labels", "train_run", "predict", "geometry", "geometry_baselines", "anatomy", "subgroups",
        "figure volumes", "figure saliency",
    },
    # What a shard is made from, by stage.
    "describe_shard volumes": {"make_volumes"},
    "describe_shard masks": {"make_masks"},
    "describe_shard inputs": {"make_inputs"},
    "describe_shard": {"describe_shard volumes", "describe_shard masks", "describe_shard inputs"},
    "make_volumes": {"make_masks", "make_inputs", "make_splits", "flow", "quality", "list_shards volumes"},
    "make_masks": {"flow", "quality", "list_shards masks"},
    "make_inputs": {"list_shards inputs"},
    "list_shards volumes": IMAGES | {"embed_raw_images", "figure volumes", "figure saliency"},
    "list_shards inputs": IMAGES,
    "list_shards masks": {"deletion", "overlap", "sanity", "geometry", "figure volumes", "figure saliency"},
    "list_shards": {"list_shards volumes", "list_shards inputs", "list_shards masks"},
    "make_splits": IMAGES | {"flow", "reread_labels", "overlap", "sanity", "embed_raw_images", "figure volumes", "figure saliency"},
    "flow": {"figure flow", "table exclusions", "report"},
    "reread_labels": {"train_run", "readers"},
    "train_run": LEARNED - {"train_run"} | {"figure learning", "report"},
    "predict": PREDICTED | CURVES | {"ensemble", "geometry", "similarity", "figure decision"},
    "ensemble": PREDICTED | CURVES | {"figure decision"},
    "import_predictions": PREDICTED | CURVES | {"figure decision"},
    "metrics": CURVES | {"table metrics"},
    "contrasts": {"figure forest", "table contrasts"},
    "subgroups": {"table subgroups"},
    "claim": {"figure claim", "table claim"},
    "readers": {"figure readers"},
    "geometry": {"differences", "claim", "figure axis", "table geometry"},
    "embed_untrained": {"geometry_baselines"},
    "embed_raw_images": {"geometry_baselines"},
    "geometry_baselines": {"table geometry"},
    "differences": {"table differences"},
    "similarity": {"figure similarity", "table similarity"},
    "saliency": {"overlap", "sanity", "figure saliency"},
    "saliency_randomised": {"sanity"},
    "deletion": {"deletion_summary"},
    "overlap": {"anatomy", "claim"},
    "anatomy": {"figure anatomy", "table anatomy"},
    "sanity": {"table sanity"},
    "deletion_summary": {"table deletion"},
    "table arms": {"report"},
}  # fmt: skip


def planned_as(name: str) -> str:
    """A rule as a plan names it (:func:`tests.dag.kind`): `figure roc` with the figure's name,
    `list_shards masks` without what is listed.
    """
    return name if name.startswith(("figure ", "table ")) else name.split()[0]


def after(first: Iterable[str], without: Iterable[str] = ()) -> set[str]:
    """These rules and all that follow from them, but for some; every figure and table is followed
    by the report.
    """
    found = set(without)
    pending = set(first) - found
    while pending:
        rule = pending.pop()
        found.add(rule)
        report = {"report"} if rule.startswith(("figure ", "table ")) else set()
        pending |= (FOLLOWS.get(rule, set()) | report) - found
    return {planned_as(rule) for rule in found - set(without)}


ASKED_FOR = {"crate"}
"""Rules that make something only where it is asked for."""
EVERYTHING = after({"phantom_tables", "phantom_images", "describe_shard", "table arms", "import_predictions"})
"""Every rule that has an output; a study has those that it needs."""
FIGURES = {rule for rule in EVERYTHING if rule.startswith("figure ")}
TABLES = {rule for rule in EVERYTHING if rule.startswith("table ")}

LEVELS = {
    "read_cohort", "make_splits", "flow", "reread_labels", "train_run", "embed_untrained", "predict", "ensemble", "import_predictions",
    "metrics", "contrasts", "subgroups", "claim", "readers", "geometry", "geometry_baselines", "differences", "figure flow",
}  # fmt: skip
"""Take the label hierarchy."""
FINEST = {"anatomy"}
"""Take the finest graded level in full."""
GRADES = {"figure axis", "figure confusion"}
"""Take the name and the classes of the finest graded level."""
COMPARED = {"contrasts", "subgroups", "table metrics", "table contrasts", "table subgroups", "figure forest", "figure decision"} | CURVES
"""Take the arms table with ensembles."""
ARMS = COMPARED | {
    "readers", "claim", "differences", "similarity", "anatomy", "figure learning", "figure claim", "figure axis", "figure similarity",
    "figure saliency", "figure anatomy", "figure readers", "table claim", "table geometry", "table differences", "table similarity",
    "table anatomy", "table sanity", "table deletion", "report",
}  # fmt: skip
"""Take the arms table."""
BOOTSTRAPPED = {"metrics", "contrasts", "claim", "readers", "anatomy", "sanity", "deletion_summary"}
"""Take the resamples and the seed of the statistics."""
INTERVALS = BOOTSTRAPPED | {
    "subgroups", "figure roc", "figure reliability", "figure decision", "figure forest", "figure claim", "figure anatomy", "figure readers",
    "report",
}  # fmt: skip
"""Take the level of the intervals of the statistics."""
CONTRASTED = {"contrasts", "subgroups", "claim", "readers", "anatomy", "differences"}
"""Take the contrasts."""
MEASURED = {"geometry", "geometry_baselines", "differences"}
"""Take the section on geometry."""
EXPLAINED = {"saliency", "saliency_randomised"}
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
    "geometry_baselines", "figure learning", "figure axis", "figure saliency", "figure decision", "table geometry",
}  # fmt: skip
"""Are made for each run, or take every run."""

"""Dependences between the rules of the workflow: who reads whose files, and groups of rules that
depend on the same thing.

Stated by hand, not read off the workflow, so that a rule which begins to depend on more than it
should is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

PREDICTED = {"metrics", "contrasts", "subgroups", "claim", "raters", "external"}
"""Read prediction tables."""
LEARNED = {"train_run", "predict", "predict_parts", "selections", "saliency", "deletion"}
"""Open a run's inputs."""
OF_PLUGINS = {"predict_parts", "part_metrics", "selections"}
"""Are there for arms with a plug-in alone."""
IMAGES = LEARNED | {"embed_untrained"}


class Shown(NamedTuple):
    """A figure or a table: the rules whose files it takes, and the settings that it takes."""

    after: set[str]
    takes: set[str]


PREDICTIONS = {"predict", "ensemble", "import_predictions"}
PICTURES = {"read_cohort", "leave_out_trained", "list_shards volumes", "list_shards masks"}

SHOWN = {
    "figure flow": Shown({"flow"}, {"classes_of_levels"}),
    "figure volumes": Shown(PICTURES, {"pictured_level"}),
    "figure learning": Shown({"train_run"}, {"arms", "varied"}),
    "figure roc": Shown({*PREDICTIONS, "metrics"}, {"arms_and_ensembles", "confidence", "varied"}),
    "figure reliability": Shown({*PREDICTIONS, "metrics"}, {"arms_and_ensembles", "confidence", "varied"}),
    "figure decision": Shown(PREDICTIONS, {"arms_and_ensembles", "confidence", "varied"}),
    "figure confusion": Shown({*PREDICTIONS, "metrics"}, {"arms_and_ensembles", "grades", "varied"}),
    "figure roc_by_class": Shown({*PREDICTIONS, "metrics"}, {"arms_and_ensembles", "levels_by_class", "confidence", "varied"}),
    "figure reliability_by_class": Shown({*PREDICTIONS, "metrics"}, {"arms_and_ensembles", "levels_by_class", "confidence", "varied"}),
    "figure forest": Shown({"contrasts"}, {"arms_and_ensembles", "confidence"}),
    "figure claim": Shown({"claim"}, {"arms", "confidence"}),
    "figure raters": Shown({"raters"}, {"arms", "confidence"}),
    "figure axis": Shown({"geometry"}, {"arms", "axis", "axis_grades", "confidence_of_geometry", "varied"}),
    "figure similarity": Shown({"similarity"}, {"arms", "varied"}),
    "figure saliency": Shown({*PICTURES, "saliency"}, {"arms", "pictured_level", "targets", "varied"}),
    "figure anatomy": Shown({"anatomy"}, {"arms", "confidence", "varied"}),
    "figure selections": Shown({*PICTURES, "selections"}, {"arms", "pictured_level", "targets"}),
    "figure selection_shares": Shown({"selection_summary"}, {"arms", "confidence", "pictured_level"}),
    "table arms": Shown(set(), {"rows_of_arms"}),
    "table exclusions": Shown({"flow"}, set()),
    "table metrics": Shown({"metrics"}, {"arms_and_ensembles"}),
    "table contrasts": Shown({"contrasts"}, {"arms_and_ensembles"}),
    "table subgroups": Shown({"subgroups"}, {"arms_and_ensembles"}),
    "table external_accuracy": Shown({"external"}, {"arms_and_ensembles", "published"}),
    "table external_change": Shown({"external"}, {"arms_and_ensembles"}),
    "table external_calibration": Shown({"external"}, {"arms_and_ensembles"}),
    "table claim": Shown({"claim"}, {"arms"}),
    "table geometry": Shown({"geometry", "geometry_baselines"}, {"arms"}),
    "table differences": Shown({"differences"}, {"arms"}),
    "table similarity": Shown({"similarity"}, {"arms"}),
    "table associations": Shown({"associations"}, {"arms"}),
    "table anatomy": Shown({"anatomy"}, {"arms"}),
    "table sanity": Shown({"sanity"}, {"arms"}),
    "table deletion": Shown({"deletion_summary"}, {"arms"}),
    "table selections": Shown({"selection_summary"}, {"arms"}),
    "table parts": Shown({"part_metrics", "metrics"}, {"arms"}),
}
"""Every figure and table; the report follows each."""


def taking(*settings: str) -> set[str]:
    """The figures and tables that take one of these settings."""
    return {name for name, shown in SHOWN.items() if shown.takes & set(settings)}


def made_from(*rules: str) -> set[str]:
    """The figures and tables that take files of one of these rules."""
    return {name for name, shown in SHOWN.items() if shown.after & set(rules)}


# Which other rules take a rule's files.
BETWEEN: dict[str, set[str]] = {
    "phantom_tables": {"read_cohort", "geometry", "geometry_baselines"},
    "phantom_manifest": {"read_cohort", "geometry", "geometry_baselines"},
    "phantom_images": {"read_cohort", "make_volumes", "make_masks"},
    "phantom_radiographs": {"read_cohort", "make_volumes", "make_masks"},
    # A cohort's tables are ancient to its shards: the raw files of each shard decide.
    "read_cohort": {
        "make_splits", "flow", "rate_labels", "train_run", "predict", "geometry", "geometry_baselines", "anatomy", "subgroups",
        "associations", "predict_parts", "selections", "selection_summary",
    },
    # What a shard is made from, by stage.
    "describe_shard volumes": {"make_volumes"},
    "describe_shard masks": {"make_masks"},
    "describe_shard inputs": {"make_inputs"},
    "describe_shard": {"describe_shard volumes", "describe_shard masks", "describe_shard inputs"},
    "make_volumes": {"make_masks", "make_inputs", "make_splits", "leave_out_trained", "flow", "quality", "list_shards volumes"},
    "make_masks": {"flow", "quality", "list_shards masks"},
    "make_inputs": {"list_shards inputs"},
    "list_shards volumes": IMAGES | {"embed_raw_images"},
    "list_shards inputs": IMAGES,
    "list_shards masks": {"deletion", "overlap", "sanity", "geometry", "selection_shares"},
    "list_shards": {"list_shards volumes", "list_shards inputs", "list_shards masks"},
    "make_splits": {"train_run", "rate_labels", "leave_out_trained"},
    "leave_out_trained": IMAGES - {"train_run"} | {"flow", "overlap", "sanity", "embed_raw_images"},
    "flow": {"report"},
    "rate_labels": {"train_run", "raters", "associations"},
    "train_run": LEARNED - {"train_run"} | {"report"},
    "predict": PREDICTED | {"ensemble", "geometry", "similarity", "associations"},
    "predict_parts": {"part_metrics"},
    "selections": {"selection_shares"},
    "selection_shares": {"selection_summary"},
    "ensemble": PREDICTED,
    "import_predictions": PREDICTED,
    "geometry": {"differences", "claim", "associations"},
    "embed_untrained": {"geometry_baselines"},
    "embed_raw_images": {"geometry_baselines"},
    "saliency": {"overlap", "sanity"},
    "deletion": {"deletion_summary"},
    "overlap": {"anatomy", "claim", "associations"},
}  # fmt: skip

READ = BETWEEN.keys() | set[str]().union(*(shown.after for shown in SHOWN.values()))
FOLLOWS = {rule: BETWEEN.get(rule, set()) | made_from(rule) for rule in READ}
"""The rules that take a rule's files."""


def planned_as(name: str) -> str:
    """A rule as a plan names it (:func:`tests.dag.kind`): `figure roc` with the figure's name,
    `list_shards masks` without what is listed.
    """
    return name if name.startswith(("figure ", "table ")) else name.split()[0]


def after(first: Iterable[str], without: Iterable[str] = ()) -> set[str]:
    """These rules and all that follow from them, but for some; every figure and table is followed
    by the report.
    """
    reached = set(without)
    pending = set(first) - reached
    while pending:
        rule = pending.pop()
        reached.add(rule)
        report = {"report"} if rule.startswith(("figure ", "table ")) else set()
        pending |= (FOLLOWS.get(rule, set()) | report) - reached
    return {planned_as(rule) for rule in reached - set(without)}


ASKED_FOR = {"crate"}
"""Rules that make something only where it is asked for."""
EVERYTHING = after(
    {"phantom_tables", "phantom_manifest", "phantom_images", "phantom_radiographs", "describe_shard", "import_predictions", *SHOWN}
)
"""Every rule that has an output; a study has those that it needs."""
FIGURES = {name for name in SHOWN if name.startswith("figure ")}
TABLES = {name for name in SHOWN if name.startswith("table ")}

LEVELS = {
    "read_cohort", "make_splits", "flow", "rate_labels", "train_run", "embed_untrained", "predict", "ensemble", "import_predictions",
    "metrics", "contrasts", "subgroups", "claim", "raters", "external", "geometry", "geometry_baselines", "differences", "associations",
    "predict_parts", "part_metrics", "selections",
    *taking("classes_of_levels"),
}  # fmt: skip
"""Take the label hierarchy."""
FINEST = {"anatomy", "selection_summary"}
"""Take the finest graded level in full."""
GRADES = taking("grades", "axis_grades")
"""Take the name and the classes of the finest graded level."""
OF_AXES = {"geometry_baselines", "differences", "embed_untrained", "embed_raw_images", *made_from("geometry", "differences")}
"""Are there where there are grades for an axis to order."""
OF_MAPS = {"saliency", "deletion", "overlap", "sanity", "anatomy", "deletion_summary"}
OF_MAPS |= made_from(*OF_MAPS)
"""Are there where every arm has a head of the level that is explained."""
BY_CLASS = {"figure roc_by_class", "figure reliability_by_class"}
"""Are there where a level has several classes without an order, or findings."""
COMPARED = {"contrasts", "subgroups"} | taking("arms_and_ensembles")
"""Take the arms table with ensembles."""
ARMS = COMPARED | {"raters", "claim", "differences", "similarity", "anatomy", "report"} | taking("arms")
"""Take the arms table."""
BOOTSTRAPPED = {"metrics", "contrasts", "claim", "raters", "anatomy", "sanity", "deletion_summary", "part_metrics", "selection_summary"}
"""Take the resamples and the seed of the statistics."""
INTERVALS = BOOTSTRAPPED | {"external", "subgroups", "report"} | taking("confidence")
"""Take the level of the intervals of the statistics."""
EXTERNAL = {"external", *made_from("external")}
"""Are there where a cohort is external."""
SELECTED = {"selection_shares", "selection_summary", *made_from("selection_summary")}
"""Are there where a plug-in chooses locations in a view with masks."""
VARIED = {"similarity"} | taking("varied")
"""Take the factor that figures tell arms apart by."""
CONTRASTED = {"contrasts", "subgroups", "claim", "raters", "anatomy", "differences"}
"""Take the contrasts."""
MEASURED = {"geometry", "geometry_baselines", "differences"}
"""Take the section on geometry."""
OVERLAPS = {"overlap", "sanity"}
VIEW = {"describe_shard volumes", "make_volumes", "train_run", "embed_untrained"}
"""Take the canonical form of a view: who makes it, and who writes down what a network was trained
on.
"""
PHANTOM = {"phantom_tables", "phantom_images"}
FILMS = {"phantom_tables", "phantom_radiographs"}
NETWORKS = {"train_run", "embed_untrained"}
"""Take an arm's network."""
RUNS = LEARNED | PREDICTED | {
    "embed_untrained", "overlap", "geometry", "sanity", "anatomy", "deletion_summary", "ensemble", "differences", "similarity",
    "geometry_baselines", "associations", "part_metrics", "selection_shares", "selection_summary",
    *made_from("train_run", "predict", "saliency", "geometry"),
}  # fmt: skip
"""Are made for each run, or take every run."""

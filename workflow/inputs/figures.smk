"""Files and settings that modules of figures and tables may name in their declarations."""

from kneeoa.figures_and_tables import check_sources
from kneeoa.config import level_roles
from kneeoa.figures import registry as figure_modules
from kneeoa.paper_tables import registry as table_modules


def classes_of(level):
    """The classes of a level; none without one."""
    return list(level.classes) if level is not None else []


def pictured_view():
    """The view in figures of single cases: the first arm's."""
    return STUDY.view_of(STUDY.arms_table()[0])


def tissues_of_view():
    """Cohort -> its tissues, for cohorts with masks on the pictured view."""
    return {name: list(STUDY.cohorts[name].tissues) for name in LAYOUT.cohorts_with_masks(pictured_view())}


def pictures(stage):
    """Lists of the shards of volumes or masks of the pictured view."""
    view = pictured_view()
    cohorts = LAYOUT.cohorts_with_masks(view) if stage == "masks" else LAYOUT.cohorts_with_view(view)
    return LAYOUT.shard_lists(stage, view, cohorts)


def pictured_maps(suffix):
    """Maps in the figure of single cases, by the first method and with the lowest seed: of the arms
    that differ from the first only in the factor by which figures distinguish arms.
    """
    arms = LAYOUT.factors()
    varied = (*LAYOUT.varied_factors(), "training")
    shared = [{key: factors[key] for key in factors if key not in varied} for factors in arms.values()]
    shown = [name for name, factors in zip(arms, shared) if factors == shared[0]]
    name = f"{min(STUDY.seeds)}.{STUDY.saliency.methods[0]}{suffix}"
    return [f"{LAYOUT.root}/saliency/{arm}/seed-{name}" for arm in shown]


def rows_of_arms():
    """The full arms table: every factor of every arm."""
    if STUDY.imports is not None:
        return [{"name": name, **arm.factor_values(), "file": arm.file} for name, arm in STUDY.imports.arms.items()]
    return [row_of_arm(arm) for arm in STUDY.arms_table()]


def row_of_arm(arm):
    """Every factor of an arm; its plug-in where it has one."""
    row = plain(arm) | {
        "options": plain(STUDY.backbones[arm.backbone])["options"],
        "levels": list(STUDY.modes[arm.mode].levels),
    }
    plugin = row.pop("plugin")
    return row if plugin is None else row | {"plugin": plugin, "plugin_options": plain(STUDY.plugins[plugin])}


def published_results():
    """External cohort -> what others have published of it."""
    return {name: [plain(one) for one in STUDY.cohorts[name].published] for name in LAYOUT.external_cohorts()}


FILES = {
    "flows": lambda: [f"{LAYOUT.root}/splits/{cohort}.flow.json" for cohort in STUDY.cohorts],
    "exclusions": lambda: [f"{LAYOUT.root}/splits/{cohort}.exclusions.parquet" for cohort in STUDY.cohorts],
    "labels": lambda: LAYOUT.cohort_tables("labels"),
    "splits": lambda: LAYOUT.evaluation_splits(),
    "volumes": lambda: pictures("volumes"),
    "masks": lambda: pictures("masks"),
    "histories": lambda: LAYOUT.runs("runs/{arm}/seed-{seed}/history.parquet"),
    "predictions": lambda: LAYOUT.predictions(),
    "metrics": lambda: f"{LAYOUT.root}/statistics/metrics.parquet",
    "contrasts": lambda: f"{LAYOUT.root}/statistics/contrasts.parquet",
    "subgroups": lambda: f"{LAYOUT.root}/statistics/subgroups.parquet",
    "external": lambda: f"{LAYOUT.root}/statistics/external.parquet",
    "claim": lambda: f"{LAYOUT.root}/statistics/claim.parquet",
    "raters": lambda: f"{LAYOUT.root}/statistics/raters.parquet",
    "axes": lambda: LAYOUT.first_runs("geometry/{arm}/seed-{seed}.axis.parquet"),
    "measures": lambda: LAYOUT.runs("geometry/{arm}/seed-{seed}.measures.parquet"),
    "all_measures": lambda: LAYOUT.measures(),
    "differences": lambda: f"{LAYOUT.root}/geometry/differences.parquet",
    "associations": lambda: f"{LAYOUT.root}/statistics/associations.parquet",
    "similarity": lambda: f"{LAYOUT.root}/geometry/similarity.parquet",
    "maps": lambda: pictured_maps(".npy"),
    "map_indices": lambda: pictured_maps(".parquet"),
    "anatomy": lambda: f"{LAYOUT.root}/anatomy/summary.parquet",
    "sanity": lambda: f"{LAYOUT.root}/anatomy/sanity.parquet",
    "deletion": lambda: f"{LAYOUT.root}/anatomy/deletion.parquet",
    "selections": lambda: LAYOUT.first_selections(),
    "selection_summary": lambda: f"{LAYOUT.root}/anatomy/selections.parquet",
    "part_metrics": lambda: LAYOUT.part_metrics(),
}
"""One file, or a list of files, by its name in `inputs` of a figure or table."""

SETTINGS = {
    "arms": lambda: LAYOUT.factors(),
    "arms_and_ensembles": lambda: LAYOUT.arms_and_ensembles(),
    "varied": lambda: LAYOUT.varied_factors(),
    "rows_of_arms": rows_of_arms,
    "classes_of_levels": lambda: {level.name: list(level.classes) for level in STUDY.levels},
    "binary_level": lambda: name_of(level_roles.binary_level(STUDY)),
    "graded_level": lambda: name_of(level_roles.graded_level(STUDY)),
    "grades": lambda: classes_of(level_roles.graded_level(STUDY)),
    "levels_by_class": lambda: [plain(level) for level in level_roles.levels_by_class(STUDY)],
    "axis_level": lambda: name_of(level_roles.axis_level(STUDY)),
    "axis_grades": lambda: classes_of(level_roles.axis_level(STUDY)),
    "pictured_level": lambda: level_roles.example_level(STUDY).name,
    "confidence": lambda: STUDY.statistics.confidence,
    "confidence_of_geometry": lambda: STUDY.geometry.confidence,
    "published": published_results,
    "axis": lambda: STUDY.geometry.axes[0],
    "view": pictured_view,
    "tissues": tissues_of_view,
    "targets": lambda: {name: list(tissues) for name, tissues in STUDY.anatomy.targets.items()},
}
"""A value of the configuration, by its name in `settings` of a figure or table."""

try:
    check_sources(FILES, SETTINGS)
except KneeoaError as error:
    raise WorkflowError(str(error)) from None


def files_of(declared):
    """The files of a figure or table, by the arguments that take them."""
    return {name: FILES[name]() for name in declared.inputs}


def settings_of(declared):
    """The slice of the configuration that a figure or table depends on, by the arguments that take
    it.
    """
    return {argument: SETTINGS[name]() for argument, name in declared.settings.items()}

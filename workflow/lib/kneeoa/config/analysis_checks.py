"""Check the analyses against the study: refuse what cannot be computed whatever the images and
networks are. Such a study would fail, or leave a part empty, after all training.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from kneeoa.config import level_roles
from kneeoa.config.analysis import ImportedArm
from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Bands, Contrast, Family, ThresholdRule

if TYPE_CHECKING:
    from kneeoa.config.study import Study

LEAST_SEEDS = 3
"""Fewest seeds for a test over random seeds (:mod:`kneeoa.statistics.seeds`)."""


def check_analyses(study: Study) -> None:
    """Check that the configured statistics, geometry, saliency and anatomy can be computed.

    Raises:
        ValueError: the first thing that cannot be computed, with key, value and what exists.
    """
    for name, arm in study.imports.arms.items() if study.imports else ():
        _check_imported(f"imports.arms.{name}", arm, study.levels)
    _check_test_cases(study)
    _check_validation_cases(study)
    _check_axis(study)
    for contrast in study.statistics.contrasts:
        _check_predicted(contrast, study)
    for family in study.statistics.families:
        _check_family(family, study)
    _check_subgroups(study)
    _check_millimetres(study)
    if study.statistics.contrasts and study.cohorts:
        _check_claim(study)


def _check_imported(where: str, arm: ImportedArm, levels: tuple[Level, ...]) -> None:
    named = {level.name: level for level in levels}
    if not arm.levels:
        raise ValueError(f"'{where}.levels' maps no level; the study has {', '.join(named)}")
    for name, columns in arm.levels.items():
        if name not in named:
            raise ValueError(f"'{where}.levels' names '{name}', which is no level; known are {', '.join(named)}")
        level = named[name]
        count, given = len(level.classes), len(columns.probabilities)
        if given != count and not (level.binary and given == 1):
            either = " (or 1, of the positive class)" if level.binary else ""
            what = "classes" if level.exclusive else "findings"
            raise ValueError(f"'{where}.levels.{name}.probabilities' names {given} columns, but the level has {count} {what}{either}")
        wanted = level.label_size
        if len(columns.truth_columns) != wanted:
            each = f"a multilabel level takes one for each of its {count} findings" if wanted > 1 else f"a {level.kind} level takes 1"
            raise ValueError(f"'{where}.levels.{name}.truth' names {len(columns.truth_columns)} columns, but {each}")
        twice = [column for column in columns.probabilities if columns.probabilities.count(column) > 1]
        if twice:
            raise ValueError(f"'{where}.levels.{name}.probabilities' names the column '{twice[0]}' twice; each class has its own")


def _check_test_cases(study: Study) -> None:
    cohorts = study.cohorts.values()
    if cohorts and all(cohort.role == "develop" and cohort.split.method == "stratified" and cohort.split.test == 0 for cohort in cohorts):
        raise ValueError(
            "'split.test' is 0 in every cohort, so there is no test case to measure an arm by; give one a share, or add a cohort of the "
            "role 'external'"
        )


def _check_validation_cases(study: Study) -> None:
    """Check that there are validation cases to fit thresholds, temperatures and weights on."""
    wanting = []
    if isinstance(study.statistics.threshold, ThresholdRule) and level_roles.binary_level(study) is not None:
        wanting.append(("statistics.threshold", f"the rule '{study.statistics.threshold.rule}'", "set a number"))
    if study.predict.temperature and study.cohorts:
        wanting.append(("predict.temperature", "true", "set false"))
    wanting += [
        (f"ensembles.{name}.combine", "weighted", "set mean")
        for name, ensemble in study.ensembles.items()
        if ensemble.combine == "weighted" and study.cohorts
    ]
    for key, value, instead in wanting:
        if study.imports is not None:
            if study.imports.split_column is None:
                why = "imported predictions are all of test cases unless 'imports.split_column' names the column that tells them apart"
                raise ValueError(f"'{key}' is {value}, which is fitted on validation cases, but {why}; name it, or {instead}")
        elif all(
            cohort.role == "external" or (cohort.split.method == "stratified" and cohort.split.val == 0)
            for cohort in study.cohorts.values()
        ):
            why = "'split.val' is 0 in every cohort that is trained on"
            raise ValueError(f"'{key}' is {value}, which is fitted on validation cases, but {why}; give one a share, or {instead}")


def _check_axis(study: Study) -> None:
    name = study.geometry.level
    if name is not None and name in study.level_names and not study.level(name).ordered:
        ordinal = [level.name for level in study.levels if level.ordered]
        raise ValueError(
            f"'geometry.level' is '{name}', which is {study.level(name).kind}, and an axis orders the grades of an ordinal level; "
            f"ordinal are {', '.join(ordinal) or 'none'}"
        )


def _check_predicted(contrast: Contrast, study: Study) -> None:
    predicted = [level.name for level in level_roles.predicted_levels(study)]
    if contrast.level not in predicted:
        raise ValueError(
            f"'statistics.contrasts ({contrast.name}).level' is '{contrast.level}', which no arm predicts; predicted are "
            f"{', '.join(predicted)}"
        )


def _check_family(family: Family, study: Study) -> None:
    """Check that a contrast has a test that belongs to the family."""
    seeds = len(study.seeds) if study.cohorts else 1
    for contrast in study.statistics.contrasts:
        if family.contrasts is not None and contrast.name not in family.contrasts:
            continue
        for metric, tests in contrast.tests.items():
            margins = ["non_inferiority", "equivalence"] if metric in contrast.margins else []
            made = {*tests, *margins, *(["seeds"] if seeds >= LEAST_SEEDS else [])}
            if made & set(family.tests) and (family.metrics is None or metric in family.metrics):
                return
    parts = {"tests": family.tests, "contrasts": family.contrasts, "metrics": family.metrics}
    stated = "; ".join(f"{key}: {', '.join(names)}" for key, names in parts.items() if names is not None)
    raise ValueError(
        f"'statistics.families ({family.name})' matches no test of any contrast ({stated}); name what a contrast tests, or remove the "
        "family"
    )


def _check_subgroups(study: Study) -> None:
    for name, groups in study.statistics.subgroups.items():
        where = f"statistics.subgroups.{name}"
        if study.imports is not None and name not in study.level_names:
            raise ValueError(
                f"'statistics.subgroups' names '{name}', but imported predictions have no such column: subgroups of theirs are levels "
                f"({', '.join(study.level_names)})"
            )
        if name in study.level_names:
            _check_groups_of_level(where, study.level(name), groups)
        elif isinstance(groups, Bands) and name != "age":
            raise ValueError(f"'{where}' has 'bands', but {name} is no number; list its values, or write all")


def _check_groups_of_level(where: str, level: Level, groups: str | tuple[str | int, ...] | Bands) -> None:
    """Check subgroups of a level, which are its classes by their index."""
    if not level.exclusive:
        raise ValueError(f"'{where}': level '{level.name}' is multilabel, so a case is in several of its groups; name another level")
    classes = {str(index) for index in range(len(level.classes))}
    if isinstance(groups, tuple):
        unknown = [group for group in groups if str(group) not in classes]
        if unknown:
            raise ValueError(f"'{where}' names '{unknown[0]}'; level '{level.name}' has the classes 0 to {len(classes) - 1}")
    elif isinstance(groups, Bands) and not any(groups.bands[0] <= index <= groups.bands[-1] for index in range(len(classes))):
        raise ValueError(f"'{where}.bands' hold none of the classes 0 to {len(classes) - 1} of level '{level.name}'")


def _check_millimetres(study: Study) -> None:
    """Check that tissues are measured on views whose pixels have a size."""
    views = dict.fromkeys(study.view_of(arm) for arm in study.arms_table()) if study.cohorts and study.anatomy.targets else {}
    for view in views:
        masked = [name for name, cohort in study.cohorts.items() if cohort.tissues and view in cohort.views]
        if masked and not study.views[view].spacing:
            raise ValueError(
                f"'anatomy.targets' measures distances in millimetres, but view '{view}' of cohort '{masked[0]}' has 'fit: "
                f"{study.views[view].fit}' and so no size of a pixel: give it 'fit: spacing', or leave 'anatomy.targets' out"
            )


def _check_claim(study: Study) -> None:
    claim, geometry, anatomy = study.statistics.claim, study.geometry, study.anatomy
    if level_roles.axis_level(study) is not None and claim.axis not in geometry.axes:
        raise ValueError(f"'statistics.claim.axis' is '{claim.axis}', which is not among 'geometry.axes' ({', '.join(geometry.axes)})")
    if any(cohort.tissues for cohort in study.cohorts.values()) and anatomy.targets and level_roles.explained_target(study) is not None:
        first = next(iter(anatomy.targets))
        dilated = [f"{first}_dilated{voxels}" for voxels in anatomy.dilations]
        if claim.tissue not in (*anatomy.targets, *dilated):
            allowed = ", ".join([*anatomy.targets, *dilated])
            raise ValueError(f"'statistics.claim.tissue' is '{claim.tissue}', which is not among 'anatomy.targets' ({allowed})")
        if claim.measure not in SALIENCY_MEASURES:
            allowed = ", ".join(SALIENCY_MEASURES)
            raise ValueError(f"'statistics.claim.measure' is '{claim.measure}', which is no measure of saliency; known are {allowed}")


_MASS_MEASURES = ("mass", "enrichment", "normalised")
_TOP_MEASURES = tuple(f"top{percent}_{kind}" for percent, kind in product((1, 5, 10, 25), ("overlap", "dice")))
SALIENCY_MEASURES = (
    *_MASS_MEASURES,
    *_TOP_MEASURES,
    "rank_accuracy",
    "auroc",
    "pointing",
    "distance_mm",
    *(f"{prefix}_{name}" for prefix in ("absolute", "region") for name in (*_MASS_MEASURES, *_TOP_MEASURES)),
)
"""Names of the measures of a map on a tissue
(:func:`kneeoa.anatomy.overlap_measures.measure_names`), without importing the code that computes
them.
"""

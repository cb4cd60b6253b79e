"""Check a study across its sections: every name that a section uses must be declared in another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kneeoa.backbones import registry
from kneeoa.central_crop import check_crop
from kneeoa.cohorts import registry as cohort_readers
from kneeoa.config.analysis_checks import check_analyses
from kneeoa.config.arms import Arm
from kneeoa.config.cohort_checks import check_cohorts
from kneeoa.config.factors import MEMBERS, NONE, TRAINING, ArmsTable, compared_table
from kneeoa.config.hierarchy import check_hierarchy, class_groupings, parse_target
from kneeoa.config.metrics import metrics_of
from kneeoa.config.pairs import arm_pairs, primary_pair, require_pairs
from kneeoa.config.people import check_people
from kneeoa.config.prediction import check_ensembles, flipped_axes
from kneeoa.config.raters import REFERENCE
from kneeoa.config.statistics import Contrast
from kneeoa.errors import KneeoaError
from kneeoa.heads import registry as mode_registry
from kneeoa.plugins import registry as plugin_registry

if TYPE_CHECKING:
    from kneeoa.config.study import Study


def check_study(study: Study) -> None:
    """Check a study whose sections are each valid.

    Raises:
        ValueError: the first mistake, with key, value and what is allowed.
    """
    check_hierarchy(study.levels)
    if len(set(study.seeds)) != len(study.seeds):
        raise ValueError(f"'seeds' holds a seed twice: {list(study.seeds)}")
    if study.imports is not None and (study.cohorts or study.arms):
        raise ValueError("a study has either 'imports' or 'cohorts' with 'arms', not both")
    if study.imports is None and not (study.cohorts and study.arms):
        raise ValueError("a study needs 'cohorts' and 'arms', or 'imports' (predictions made elsewhere)")
    _check_cohorts(study)
    _check_modes(study)
    _check_raters(study)
    _check_plugins(study)
    _check_arms(study)
    _check_predictions(study)
    _check_contrasts(study)
    check_people(study.same_people, study.distinct_people, study.cohorts)
    check_cohorts(study)
    _check_training_cases(study)
    check_analyses(study)


def require_member(key: str, value: str, allowed: Any) -> None:
    """Check that ``value`` is among ``allowed``; ``key`` is the key that holds it.

    Raises:
        ValueError: it is not.
    """
    if value not in allowed:
        raise ValueError(f"'{key}' names '{value}'; known are {', '.join(allowed) or 'none'}")


def _check_cohorts(study: Study) -> None:
    for name, cohort in study.cohorts.items():
        require_member(f"cohorts.{name}.reader", cohort.reader, cohort_readers.readers())
        for view in cohort.views:
            require_member(f"cohorts.{name}.views", view, study.views)
        if cohort.split.stratify is not None:
            require_member(f"cohorts.{name}.split.stratify", cohort.split.stratify, study.level_names)
        for group, tissues in study.anatomy.targets.items():
            for tissue in tissues if cohort.tissues else ():
                require_member(f"anatomy.targets.{group}", tissue, (*cohort.tissues, "background"))
    if study.cohorts and not any(cohort.role == "develop" for cohort in study.cohorts.values()):
        raise ValueError("no cohort has the role 'develop', so nothing could be trained")
    if study.saliency.target is not None:
        _check_explained(study, study.saliency.target)
    if study.geometry.level is not None:
        require_member("geometry.level", study.geometry.level, study.level_names)


def _check_explained(study: Study, target: str) -> None:
    level, _ = parse_target(target, study.levels)
    for arm in study.arms_table():
        heads = study.modes[arm.mode].levels if arm.mode in study.modes else ()  # another check refuses an unknown mode
        if heads and not any(level.name in class_groupings(study.levels, head) for head in heads):
            raise ValueError(
                f"'saliency.target' is '{target}', but arm '{arm.name}' has no head that predicts the level '{level.name}': its mode "
                f"'{arm.mode}' has {', '.join(heads)}"
            )


def _check_modes(study: Study) -> None:
    for name, mode in study.modes.items():
        for level in mode.levels:
            require_member(f"modes.{name}.levels", level, study.level_names)
        try:
            mode_registry.losses(mode, study.levels)
        except KneeoaError as error:
            raise ValueError(f"'modes.{name}': {error}") from error
        order = [study.level_names.index(level) for level in mode.levels]
        if order != sorted(set(order)):
            raise ValueError(f"'modes.{name}.levels' is {list(mode.levels)}; levels must be listed once each, coarse to fine")


def _check_raters(study: Study) -> None:
    for name, rater in study.raters.items():
        where = f"raters.{name}"
        if name == REFERENCE:
            raise ValueError(f"'{where}': the name '{REFERENCE}' stands for the reference labels; choose another")
        if rater.level is not None:
            require_member(f"{where}.level", rater.level, study.level_names)
        level = study.rated_level(name)
        finer = [child.name for child in study.levels if child.parent == level.name and child.exclusive]
        if finer or not level.exclusive:
            why = f"level '{finer[0]}' is finer" if finer else "its findings do not exclude one another"
            raise ValueError(f"'{where}' reads level '{level.name}', but {why}; a rater reads the finest single-label level of a branch")
        if rater.adjacent is not None and not (level.ordered or level.binary):
            raise ValueError(f"'{where}.adjacent' needs ordered classes, but level '{level.name}' is {level.kind}; state a 'confusion'")
        try:
            rater.matrix(len(level.classes))
        except ValueError as error:
            raise ValueError(f"'{where}' reads level '{level.name}': {error}") from error


def _check_rater_of(study: Study, arm: Arm) -> None:
    if arm.rater is not None:
        require_member(f"arms ({arm.name}).rater", arm.rater, (REFERENCE, *study.raters))
        read = study.rated_level(arm.rater)
        if not {level.name for level in study.with_parents({read.name})} & set(study.modes[arm.mode].levels):
            raise ValueError(
                f"arm '{arm.name}' learns {list(study.modes[arm.mode].levels)}, none of which follows from the level "
                f"'{read.name}' that its rater '{arm.rater}' reads"
            )


def _check_arms(study: Study) -> None:
    names = [arm.name for arm in study.arms_table()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two rows of 'arms' give the arm name '{twice[0]}'; tell them apart with 'name'")
    for arm in study.arms_table():
        require_member(f"arms ({arm.name}).backbone", arm.backbone, study.backbones)
        require_member(f"arms ({arm.name}).mode", arm.mode, study.modes)
        _check_rater_of(study, arm)
        view = study.view_of(arm)
        if arm.grid is not None:
            require_member(f"arms ({arm.name}).grid", arm.grid, study.grids)
        shape = study.input_shape(arm)
        if len(shape) != study.views[view].dimensions:
            raise ValueError(
                f"arm '{arm.name}' takes a grid of {len(shape)} axes, but the view '{view}' has {study.views[view].dimensions}"
            )
        _check_crop_and_mirror(study, arm)
        backbone = study.backbones[arm.backbone]
        try:
            registry.check(backbone.kind, backbone.options, study.taken_shape(arm))
        except KneeoaError as error:
            raise ValueError(f"'backbones.{arm.backbone}': {error}") from error
        if arm.plugin is not None:
            _check_plugin_of(study, arm, arm.plugin)


def _check_crop_and_mirror(study: Study, arm: Arm) -> None:
    """Check that an arm's crop is a part of its images, and that they have a left and a right side
    where they are mirrored.
    """
    training = arm.training
    try:
        if training.crop is not None:
            check_crop(training.crop, study.input_shape(arm))
        if training.mirror:
            flipped_axes(study.views[study.view_of(arm)], ("left_right",), "training.mirror")
    except ValueError as error:
        raise ValueError(f"arm '{arm.name}': {error}") from error


def _check_training_cases(study: Study) -> None:
    """Check that there are enough training cases where their greatest number is known: of phantom
    cohorts alone, all of whose knees are counted.
    """
    for arm in study.arms_table():
        developed = [cohort for cohort in study.cohorts.values() if cohort.role == "develop" and study.view_of(arm) in cohort.views]
        phantoms = [cohort.phantom for cohort in developed if cohort.phantom is not None]
        if len(phantoms) < len(developed):
            continue
        try:
            arm.training.check_cases(sum(2 * phantom.subjects for phantom in phantoms))
        except ValueError as error:
            raise ValueError(f"arm '{arm.name}': {error}; that is with every knee of the phantom") from error


def _check_plugin_of(study: Study, arm: Arm, name: str) -> None:
    """Check that an arm's plug-in can be put on its backbone, in its mode, for images of its shape,
    and that a step of it fits into the memory that a job asks for, where it trains on a CPU.
    """
    require_member(f"arms ({arm.name}).plugin", name, (NONE, *study.plugins))
    plugin, backbone, mode, shape = study.plugins[name], study.backbones[arm.backbone], study.modes[arm.mode], study.taken_shape(arm)
    try:
        sizes = plugin_registry.check(plugin, mode, backbone.kind, backbone.options, shape)
    except KneeoaError as error:
        raise ValueError(f"arm '{arm.name}': 'plugins.{name}': {error}") from error
    training, resources = arm.training, study.resources.train
    batch = min(training.batch, training.micro_batch or training.batch)
    needed = plugin.memory_mb(sizes, batch, len(shape), len(mode.levels))
    below = registry.step_cost(backbone.kind, backbone.options, shape)
    whole = needed + (0.0 if below is None else below.memory_mb(batch))
    if not resources.gpus and whole > resources.memory_mb:
        locations = ", ".join(f"{math.prod(size):,}" for size in sizes)
        beside = "" if below is None else f", beside {below.memory_mb(batch):,.0f} MB of backbone '{arm.backbone}'"
        raise ValueError(
            f"arm '{arm.name}': 'plugins.{name}' takes about {needed:,.0f} MB{beside} for a step of {batch} cases (maps of {locations} "
            f"locations), more than 'resources.train.memory_mb' ({resources.memory_mb:,}); raise that, train on a GPU, or make 'width', "
            "'training.micro_batch' or the arm's grid smaller"
        )


def _check_plugins(study: Study) -> None:
    if NONE in study.plugins:
        raise ValueError(f"'plugins.{NONE}': the name '{NONE}' stands for arms without a plug-in; choose another")


def _check_predictions(study: Study) -> None:
    imported = {} if study.imports is None else study.imports.arms
    for name, arm in imported.items():
        for member in arm.members:
            require_member(
                f"imports.arms.{name}.members", member, [other for other in imported if other != name and not imported[other].members]
            )
    views = {arm.name: study.view_of(arm) for arm in study.arms_table()}
    for view in set(views.values()):
        flipped_axes(study.views[view], study.predict.flips)
    check_ensembles(study.ensembles, views, len(study.seeds))


def _check_contrasts(study: Study) -> None:
    arms = compared_table(study)
    for contrast in study.statistics.contrasts:
        where = f"statistics.contrasts ({contrast.name})"
        require_member(f"{where}.level", contrast.level, study.level_names)
        _check_factors(where, contrast, arms)
        level = study.level(contrast.level)
        allowed = metrics_of(level.kind, any(child.parent == level.name for child in study.levels))
        for metric in contrast.tests:
            require_member(f"{where}.tests", metric, allowed)
    names = {contrast.name for contrast in study.statistics.contrasts}
    for family in study.statistics.families:
        for name in family.contrasts or ():
            require_member(f"statistics.families ({family.name}).contrasts", name, names)
    _check_primary(study, arms)
    columns = ("side",) if study.imports else ("sex", "age", "site", "side")  # an import has no cases table
    for name in study.statistics.subgroups:
        require_member("statistics.subgroups", name, (*columns, *study.level_names))


def _check_factors(where: str, contrast: Contrast, arms: ArmsTable) -> None:
    """Check that the factor and its values are those of arms, and that a pair answers the
    contrast.
    """
    named = list(dict.fromkeys(factor for factors in arms.values() for factor in factors if factor != MEMBERS))
    settings = [factor for factor in named if factor.startswith(f"{TRAINING}.")]
    if contrast.factor == TRAINING:
        differ = f"arms differ in {', '.join(settings)}" if settings else "all arms are trained alike"
        raise ValueError(f"'{where}.factor': '{TRAINING}' is many settings; name one of them, such as training.epochs ({differ})")
    if contrast.factor.startswith(f"{TRAINING}.") and contrast.factor not in named:
        differ = f"they differ in {', '.join(settings)}" if settings else "they are trained alike"
        raise ValueError(f"'{where}.factor': no two arms differ in '{contrast.factor}'; {differ}")
    require_member(f"{where}.factor", contrast.factor, [factor for factor in named if factor != TRAINING])
    for factor in contrast.follows:
        if not factor.startswith(f"{TRAINING}."):
            require_member(f"{where}.follows", factor, [*named, *([] if TRAINING in named else [TRAINING])])
    values = list(dict.fromkeys(str(factors[contrast.factor]) for factors in arms.values() if factors.get(contrast.factor) is not None))
    for key, value in [*(("candidate", value) for value in contrast.candidates), ("reference", contrast.reference)]:
        require_member(f"{where}.{key}", value, values)
    try:
        require_pairs(contrast, arms)
    except KneeoaError as error:
        raise ValueError(str(error).removesuffix(".")) from error


def _check_primary(study: Study, arms: ArmsTable) -> None:
    primary = study.statistics.primary
    if primary is None:
        return
    named = {contrast.name: contrast for contrast in study.statistics.contrasts}
    require_member("statistics.primary.contrast", primary.contrast, named)
    require_member("statistics.primary.metric", primary.metric, named[primary.contrast].tests)
    if primary.backbone is not None:
        require_member("statistics.primary.backbone", primary.backbone, {str(factors["backbone"]): None for factors in arms.values()})
    for factor, value in primary.where.items():
        require_member("statistics.primary.where", factor, {key: None for factors in arms.values() for key in factors if key != MEMBERS})
        require_member(f"statistics.primary.where.{factor}", value, {str(factors.get(factor)): None for factors in arms.values()})
    contrast = named[primary.contrast]
    if not any(primary_pair(primary, pair, contrast.factor, arms) for pair in arm_pairs(contrast, arms)):
        chosen = ", ".join(f"{factor} '{value}'" for factor, value in primary.factors.items())
        raise ValueError(f"'statistics.primary': no pair of arms of the contrast '{primary.contrast}' has the {chosen}")
    if primary.cohort is not None:
        require_member("statistics.primary.cohort", primary.cohort, [study.imports.cohort] if study.imports else list(study.cohorts))

"""Choose the level of a study's hierarchy for each role: for ROC curves, for saliency, for the
severity axis. None where the study has no level for a role, and results that need it are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level

if TYPE_CHECKING:
    from kneeoa.config.study import Study


def predicted_levels(study: Study) -> tuple[Level, ...]:
    """The levels that an arm predicts, by their own head or summed from a finer one, coarse to
    fine.
    """
    if study.imports is not None:
        supervised = {name for arm in study.imports.arms.values() for name in arm.levels}
    else:
        supervised = {name for arm in study.arms_table() for name in study.modes[arm.mode].levels}
    return study.with_parents(supervised)


def binary_level(study: Study) -> Level | None:
    """The coarsest binary level that an arm predicts, for ROC, reliability and decision curves."""
    return next((level for level in predicted_levels(study) if level.binary), None)


def graded_level(study: Study) -> Level | None:
    """The finest level of several exclusive classes that an arm predicts, for confusion
    matrices.
    """
    return next((level for level in reversed(predicted_levels(study)) if _has_several_classes(level)), None)


def _has_several_classes(level: Level) -> bool:
    """Whether a case has one of the level's classes, and that is no yes or no."""
    return level.exclusive and not level.binary


def levels_by_class(study: Study) -> tuple[Level, ...]:
    """The predicted levels whose curves are drawn for each finding or class: multilabel and
    multiclass ones, and ordinal ones by cuts where the study predicts no binary level.
    """
    cuts = binary_level(study) is None
    return tuple(level for level in predicted_levels(study) if not level.binary and (cuts or not level.ordered))


def axis_level(study: Study) -> Level | None:
    """The ordinal level that the severity axis orders: the configured one, else the finest."""
    ordinal = [level for level in study.levels if level.ordered]
    if study.geometry.level is not None:
        return next((level for level in ordinal if level.name == study.geometry.level), None)
    return ordinal[-1] if ordinal else None


def explained_target(study: Study) -> str | None:
    """The target of saliency: the configured level or class, else the coarsest binary level that
    every arm predicts, else the coarsest other level of exclusive classes, else the first finding
    of a multilabel one.
    """
    if study.saliency.target is not None:
        return study.saliency.target
    shared = [level for level in study.levels if not modes_without_head(study, level.name)]
    if not shared:
        return None
    first = min(shared, key=lambda level: (not level.binary, not level.exclusive))
    return first.name if first.exclusive else f"{first.name}.{first.classes[0]}"


def modes_without_head(study: Study, level: str) -> list[str]:
    """The modes of arms without a head from which the level can be derived."""
    modes = dict.fromkeys(arm.mode for arm in study.arms_table())
    return [mode for mode in modes if level not in {one.name for one in study.levels_of(mode)}]


def example_level(study: Study) -> Level:
    """The level over whose classes example cases are spread: the finest of exclusive classes, else
    the last one, by how many of its findings a case has.
    """
    return next((level for level in reversed(study.levels) if level.exclusive), study.levels[-1])

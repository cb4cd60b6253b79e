"""Check cohorts against the study: refuse what a source's layout or column map cannot give. Such a
study would fail after all of its images were decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kneeoa.cohorts import registry
from kneeoa.cohorts.offers import PEOPLE, Offer
from kneeoa.config import level_roles
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level, finest
from kneeoa.config.manifest import LabelColumns

if TYPE_CHECKING:
    from kneeoa.config.study import Study


def check_cohorts(study: Study) -> None:
    """Check that every cohort can give what the study needs from it.

    Raises:
        ValueError: the first thing that a cohort cannot give, with key, value and what exists.
    """
    offers: dict[str, Offer | None] = {}
    for name, cohort in study.cohorts.items():
        where = f"cohorts.{name}"
        for level, columns in cohort.labels.items():
            if level not in study.level_names:
                raise ValueError(f"'{where}.labels' names '{level}', which is no level; known are {', '.join(study.level_names)}")
            _check_columns(f"{where}.labels.{level}", study.level(level), columns)
        _check_tissues(where, cohort)
        _check_published(where, cohort, study.levels)
        offers[name] = registry.offer(cohort)
        offer = offers[name]
        if offer is not None:
            _check_levels(where, cohort, offer, study.levels)
            _check_images(where, cohort, offer, study)
            if cohort.role == "develop" and cohort.split.method == "given" and not offer.splits:
                more = "name its column as 'manifest.split'" if cohort.reader == "manifest" else f"reader '{cohort.reader}' has none"
                raise ValueError(f"'{where}.split.method' is 'given', but the source gives no split: {more}, or leave 'method' out")
    if study.cohorts and all(cohort.unlabelled for cohort in study.cohorts.values() if cohort.role == "develop"):
        raise ValueError("every cohort of the role 'develop' is 'unlabelled', so nothing could be trained")
    _check_validation(study)
    _check_tested_levels(study, offers)
    _check_subgroups(study, offers)


def _check_columns(where: str, level: Level, columns: LabelColumns) -> None:
    """Check that a level's columns can give a label of its kind."""
    if columns.separator is not None:
        _check_listing(where, level, columns)
        return
    wanted = level.label_size
    if len(columns.columns) != wanted:
        findings = "" if level.exclusive else f", one for each of its {wanted} findings"
        hint = "; the higher of two grades is one entry: [[first, second]]" if level.exclusive else ""
        raise ValueError(
            f"'{where}' has {len(columns.columns)} columns, but level '{level.name}' is {level.kind} and takes {wanted}{findings}{hint}"
        )
    if columns.at_least is not None and level.exclusive and not level.binary:
        raise ValueError(f"'{where}.at_least' makes yes or no of a grade, but level '{level.name}' is {level.kind}")
    top = level.label_top
    for text, index in columns.values.items():
        if index is not None and columns.at_least is None and not 0 <= index <= top:
            raise ValueError(f"'{where}.values' gives '{text}' the class {index}; level '{level.name}' has the classes 0 to {top}")


def _check_listing(where: str, level: Level, columns: LabelColumns) -> None:
    """Check that the findings listed in one column are those of a level: all of a multilabel
    level's, or the one that makes a binary level positive.
    """
    width = 1 + max(index for index in columns.values.values() if index is not None)
    wanted = 1 if level.binary else len(level.classes)
    if level.exclusive and not level.binary:
        raise ValueError(f"'{where}.separator' lists findings, but level '{level.name}' is {level.kind}; it needs a multilabel level")
    if width != wanted or any(index is not None and index < 0 for index in columns.values.values()):
        raise ValueError(f"'{where}.values' gives the classes 0 to {width - 1}; level '{level.name}' has 0 to {wanted - 1}")


def _check_levels(where: str, cohort: Cohort, offer: Offer, levels: tuple[Level, ...]) -> None:
    if cohort.labels and not offer.takes_labels:
        raise ValueError(
            f"'{where}.labels' would not be looked at: reader '{cohort.reader}' takes the level {', '.join(offer.levels)} from the source"
        )
    for level in levels:
        grades = offer.grades.get(level.name)
        if grades is not None and (not level.exclusive or len(level.classes) != grades):
            raise ValueError(
                f"level '{level.name}' has {len(level.classes)} classes ({level.kind}), but '{where}' has {grades} grades of it: declare "
                "those, and group them in a coarser level with 'parent_class'"
            )
    needed = finest(levels).name
    if cohort.role == "external" and offer.levels and not cohort.unlabelled:
        return  # it is tested at the levels that it has labels of
    if needed not in offer.levels and not cohort.unlabelled:
        has = f"of {', '.join(offer.levels)} alone" if offer.levels else "of no level"
        name = f"name its column in '{where}.labels'" if offer.takes_labels else f"give the level the name '{offer.levels[0]}'"
        raise ValueError(
            f"'{where}' has labels {has}, but every case needs one of '{needed}', the finest level: {name}, "
            f"or say '{where}.unlabelled: true' where none of its cases is to be trained or tested on"
        )


def _check_images(where: str, cohort: Cohort, offer: Offer, study: Study) -> None:
    if not offer.images:
        raise ValueError(f"'{where}.views' asks for {', '.join(cohort.views)}, but 'manifest.path' names no column of images")
    if cohort.manifest is not None and cohort.manifest.shows == "both" and "side" not in offer.people:
        raise ValueError(f"'{where}.manifest.shows' is 'both', but neither 'side' nor 'sides' says which knee of a picture a case is")
    if cohort.tissues and not offer.masks:
        more = "'manifest.mask' names no column" if cohort.reader == "manifest" else f"reader '{cohort.reader}' has none"
        raise ValueError(f"'{where}.tissues' says what labels of masks mean, but there are no masks: {more}")
    for key, asked, one, has in (
        ("views", cohort.views, offer.one_view, offer.views),
        ("visits", cohort.visits, offer.one_visit, offer.visits),
    ):
        if one and len(asked) != 1:
            raise ValueError(f"'{where}.{key}' is {list(asked)}; reader '{cohort.reader}' offers one alone")
        unknown = [entry for entry in asked if has is not None and entry not in has]
        if unknown:
            more = ", and others through 'series'" if key == "views" else ""
            raise ValueError(f"'{where}.{key}' names '{unknown[0]}'; reader '{cohort.reader}' offers {', '.join(has or ())}{more}")
    for view in cohort.views:
        axes = offer.dimensions.get(view) if isinstance(offer.dimensions, dict) else offer.dimensions
        declared = study.views[view].dimensions
        if axes not in (None, declared):
            raise ValueError(
                f"'views.{view}' has {declared} 'dimensions', but reader '{cohort.reader}' of '{where}' gives images of {axes}"
            )


def _check_tissues(where: str, cohort: Cohort) -> None:
    meaning: dict[object, str] = {}
    for tissue, labels in cohort.tissues.items():
        for label in labels:
            if label == 0:
                raise ValueError(f"'{where}.tissues.{tissue}' names label 0, which is what is no tissue in every mask")
            if meaning.setdefault(label, tissue) != tissue:
                raise ValueError(f"'{where}.tissues' gives label {label} to both '{meaning[label]}' and '{tissue}'")


def _check_published(where: str, cohort: Cohort, levels: tuple[Level, ...]) -> None:
    """Check that published results fit the hierarchy and stand at an external cohort."""
    if cohort.published and cohort.role != "external":
        raise ValueError(f"'{where}.published' is printed beside results on an external cohort, but the cohort's role is '{cohort.role}'")
    declared = {level.name: level for level in levels}
    for place, published in enumerate(cohort.published):
        key, level = f"{where}.published[{place}]", declared.get(published.level)
        if level is None or not level.exclusive:
            usable = ", ".join(level.name for level in levels if level.exclusive)
            raise ValueError(f"'{key}.level' is '{published.level}', which is no level of exclusive classes; allowed are {usable}")
        count, given = len(level.classes), len(published.accuracy_by_class)
        if given not in (0, count):
            raise ValueError(f"'{key}.accuracy_by_class' has {given} numbers, but level '{level.name}' has {count} classes")
        if published.accuracy is None and not any(value is not None for value in published.accuracy_by_class):
            raise ValueError(f"'{key}' has neither 'accuracy_by_class' nor 'accuracy'; give one of them")


def _check_validation(study: Study) -> None:
    """Check that there is a validation case where one is needed to choose the epoch."""
    developing = [cohort.split for cohort in study.cohorts.values() if cohort.role == "develop"]
    if developing and all(split.val == 0 and split.method == "stratified" for split in developing):
        choosing = [arm.name for arm in study.arms_table() if arm.training.checkpoint == "best"]
        if choosing:
            raise ValueError(
                f"'split.val' is 0 in every cohort, so arm '{choosing[0]}' has no validation case to choose its epoch by; give one "
                "a share, or set 'training.checkpoint' to last"
            )


def _check_tested_levels(study: Study, offers: dict[str, Offer | None]) -> None:
    """Check that an external cohort has labels of a level that an arm predicts."""
    predicted = [level.name for level in level_roles.predicted_levels(study)]
    for name, offer in offers.items():
        cohort = study.cohorts[name]
        if cohort.role != "external" or cohort.unlabelled or offer is None or not predicted:
            continue
        implied = {level.name for level in study.with_parents(set(offer.levels))}
        if not implied & set(predicted):
            raise ValueError(
                f"'cohorts.{name}' has labels of {', '.join(offer.levels)} alone, which no arm predicts, so it cannot be tested on; "
                f"predicted are {', '.join(predicted)}"
            )


def _check_subgroups(study: Study, offers: dict[str, Offer | None]) -> None:
    """Check that a cohort has the values by which subgroups are formed."""
    if not offers or None in offers.values():
        return
    given = {key for offer in offers.values() if offer is not None for key in offer.people}
    for key in study.statistics.subgroups:
        if key in PEOPLE and key not in given:
            raise ValueError(f"'statistics.subgroups.{key}' would be empty: no cohort gives the {key} of its people")

"""Check a source across its knees: files that two cases claim, classes that the hierarchy does not
have, labels of the finest level.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set

from kneeoa.cohorts.derive import is_value
from kneeoa.cohorts.source import File, Knee, Reason, Source
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level, finest
from kneeoa.errors import KneeoaError


def refuse_shared_files(source: Source) -> None:
    """Take every file away from the cases that share it, with the reason ``shared-file``.

    A picture that shows both knees may stand at the two sides of one subject and visit, and at no
    third case.
    """
    owners: dict[str, list[tuple[Knee, File]]] = defaultdict(list)
    for _, knee in sorted(source.knees.items()):
        for file in knee.files:
            owners[file.path].append((knee, file))
    for path, claims in owners.items():
        if len(claims) == 1 or _shows_both_knees(claims):
            continue
        cases = [f"{knee.case_id} ({file.view}, {file.role})" for knee, file in claims]
        shown = f"{', '.join(cases[:4])}{f' and {len(cases) - 4} more' if len(cases) > 4 else ''}"
        for knee, file in claims:
            knee.files.remove(file)
            scope = "mask" if file.role == "mask" else "case"
            knee.reasons.append(
                Reason("shared-file", f"'{path}' is claimed by {shown}; only one can be right.", scope=scope, view=file.view)
            )


def _shows_both_knees(claims: list[tuple[Knee, File]]) -> bool:
    places = {(knee.subject, knee.visit, file.view) for knee, file in claims}
    sides = sorted(knee.side or "" for knee, _ in claims)
    return all(file.shows == "both" for _, file in claims) and len(places) == 1 and sides == ["L", "R"]


def refuse_impossible_classes(source: Source, levels: tuple[Level, ...]) -> None:
    """Remove readings that are none of their level's classes (a code for "missing", say), with the
    reason ``invalid-label``.

    Raises:
        KneeoaError: a source's every label of a level is impossible, or has another number of
            findings: the level is declared wrongly; or its labels count from 1.
    """
    for level in levels:
        labelled = [knee for _, knee in sorted(source.knees.items()) if level.name in knee.readings]
        wrong = [knee for knee in labelled if not is_value(level, knee.readings[level.name].value)]
        if wrong and len(wrong) == len(labelled):
            offered = f"level '{level.name}' has the classes {list(level.classes)}, but the source gives values such as"
            raise KneeoaError(f"{offered} {list(wrong[0].readings[level.name].value)}; declare the level with the source's own classes.")
        if level.exclusive and _counts_from_one({knee.readings[level.name].value[0] for knee in labelled}, len(level.classes)):
            raise KneeoaError(
                f"the labels of level '{level.name}' run from 1 to {len(level.classes)}, and its classes count from 0: "
                f"say which class each of them is (in 'labels.{level.name}.values', or by names of folders)."
            )
        for knee in wrong:
            value = list(knee.readings.pop(level.name).value)
            detail = f"{knee.case_id}: {value} is none of the {len(level.classes)} classes of level '{level.name}', which count from 0."
            knee.reasons.append(Reason("invalid-label", detail, level=level.name))


def _counts_from_one(values: Set[int | None], classes: int) -> bool:
    """Whether all of 1 to the number of classes occur, and 0 does not."""
    return set(range(1, classes + 1)) <= values and 0 not in values


def check_labelled(source: Source, cohort: Cohort, name: str, levels: tuple[Level, ...]) -> None:
    """Compare the labels of the finest level with the configuration: there must be one, unless the
    cohort is named as unlabelled.

    Raises:
        KneeoaError: there is none, and the cohort is not named as unlabelled; or it is, and there
            is one.
    """
    needed = finest(levels).name
    labelled = sum(
        any(entry is not None for entry in knee.readings[needed].value) for knee in source.knees.values() if needed in knee.readings
    )
    if labelled and cohort.unlabelled:
        raise KneeoaError(f"cohort '{name}' is 'unlabelled', but {labelled} of its knees have a label of '{needed}'; take that key away.")
    if labelled or cohort.unlabelled or not any(knee.files for knee in source.knees.values()):
        return  # where there is no image either, the reasons for that say more
    reasons = [reason.detail for _, knee in sorted(source.knees.items()) for reason in knee.reasons if reason.level == needed]
    example = f" (e.g. {reasons[0].rstrip('.')})" if reasons else ""
    raise KneeoaError(
        f"none of the {len(source.knees)} knees of cohort '{name}' has a label of '{needed}', the finest level, which every case "
        f"needs{example}; check the columns of 'labels', or say 'unlabelled: true' where none of them is to be trained or tested on."
    )

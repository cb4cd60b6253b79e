"""The factors of the arms table, in which arms may differ: one declaration each.

A new factor of arms is a key of the arms' rows (:mod:`kneeoa.config.arms`) and an entry of
:data:`FACTORS`; contrasts, figures, tables and the report take it from the table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kneeoa.atomic_io import digest
from kneeoa.config.prediction import NO_ENSEMBLE
from kneeoa.config.raters import REFERENCE

if TYPE_CHECKING:
    from kneeoa.config.arms import Arm
    from kneeoa.config.study import Study

ArmsTable = dict[str, dict[str, Any]]
"""Arm -> factor -> value; None: the factor does not apply to the arm. ``members`` of an ensemble is
no factor.
"""

NONE = "none"
"""The value of an arm without what a factor adds."""
CANONICAL = "canonical"
"""The view's canonical grid, in a list of grids."""
MEMBERS = "members"
TRAINING = "training"

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Factor:
    """A factor of trained arms."""

    name: str
    """Its name in contrasts and the arms table."""
    value: Callable[[Study, Arm], str]
    """An arm's value."""
    always: bool = True
    """Whether it is in every arms table, or only where an arm's value is not the default."""
    default: str = NONE
    """The value of arms that do not name it."""
    applies: Callable[[Mapping[str, Any]], bool] = lambda row: True
    """Whether it applies to an arm with these entries of its row. Where it does not, a list of its
    values makes only one arm.
    """


FACTORS = (
    Factor("backbone", lambda study, arm: arm.backbone),
    Factor("mode", lambda study, arm: arm.mode),
    Factor("view", lambda study, arm: study.view_of(arm)),
    Factor("grid", lambda study, arm: arm.grid or CANONICAL),
    Factor(TRAINING, lambda study, arm: digest(arm.training.result_settings())),
    Factor("plugin", lambda study, arm: arm.plugin or NONE, always=False),
    Factor("rater", lambda study, arm: arm.rater or REFERENCE, always=False, default=REFERENCE),
)
"""All factors, in the order of the arms table. Each key of the training section in which arms
differ is another factor: ``training.learning_rate``.
"""


def inapplicable_factors(row: Mapping[str, Any]) -> set[str]:
    """The factors among the entries of an arm's row that do not apply to it."""
    return {one.name for one in FACTORS if one.name in row and not one.applies(row)}


def value_text(value: Any) -> str:
    """Format a factor's value for the arms table: numbers in their shortest form (1e-4, 0.0001 and
    1.0e-4 are the same), true and false, none for null; a list of names is joined by ``+``.
    """
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        return f"{float(value):.12g}"
    if isinstance(value, list | tuple):
        return "+".join(value_text(member) for member in value)
    return str(value).strip() if isinstance(value, str) else json.dumps(value, sort_keys=True)


def arms_table(study: Study) -> ArmsTable:
    """The arms table of trained or imported arms, with their factors."""
    if study.imports is not None:
        table = _imported_table({name: arm.factor_values() for name, arm in study.imports.arms.items()})
        members = {name: list(arm.members) for name, arm in study.imports.arms.items() if arm.members}
        return {name: factors | ({MEMBERS: members[name]} if name in members else {}) for name, factors in table.items()}
    arms = study.arms_table()
    changes = _training_changes({arm.name: arm.training.deciding_values() for arm in arms})
    values = {arm.name: {one.name: one.value(study, arm) if one.applies(dict(arm)) else None for one in FACTORS} for arm in arms}
    shown = [one.name for one in FACTORS if one.always or any(entries[one.name] not in (None, one.default) for entries in values.values())]
    return {arm: {name: entries[name] for name in shown} | changes[arm] for arm, entries in values.items()}


def compared_table(study: Study) -> ArmsTable:
    """The arms table of analyses that need predictions alone: :func:`arms_table`, and ensembles.

    An ensemble has the factors that its members share, and the members' values joined by + where
    they differ, so that ensembles of the same backbones in two modes answer a contrast as two arms
    do. Against a single arm, what its members differ in does not apply to it.
    """
    arms = arms_table(study)
    if not study.ensembles:
        return arms
    compared: ArmsTable = {name: {**factors, "ensemble": NO_ENSEMBLE} for name, factors in arms.items()}
    for name, ensemble in study.ensembles.items():
        members = [arms[member] for member in ensemble.members]
        shared = {key: "+".join(dict.fromkeys(str(factors[key]) for factors in members)) for key in members[0]}
        compared[name] = {**shared, "ensemble": ensemble.description, MEMBERS: list(ensemble.members)}
    return compared


def _imported_table(arms: Mapping[str, Mapping[str, Any]]) -> ArmsTable:
    """Give every arm all factors that one of them names; none where an arm does not name it."""
    names = dict.fromkeys(name for factors in arms.values() for name in factors)
    return {arm: {name: factors.get(name, NONE) for name in names} for arm, factors in arms.items()}


def _training_changes(settings: Mapping[str, Mapping[str, Any]]) -> ArmsTable:
    """Arm -> the dotted keys of training in which arms differ, and their values."""
    dotted = {arm: _dotted(values, f"{TRAINING}.") for arm, values in settings.items()}
    keys = dict.fromkeys(key for values in dotted.values() for key in values)
    varying = [key for key in keys if len({values.get(key, NONE) for values in dotted.values()}) > 1]
    return {arm: {key: values.get(key, NONE) for key in varying} for arm, values in dotted.items()}


def _dotted(values: Mapping[str, Any], prefix: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in values.items():
        texts |= _dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value_text(value)}
    return texts

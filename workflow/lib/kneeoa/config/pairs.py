"""Find the pairs of arms that a contrast compares: one factor varies, all others are equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kneeoa.config.factors import MEMBERS, TRAINING
from kneeoa.config.statistics import Contrast, Primary
from kneeoa.errors import KneeoaError

Arms = Mapping[str, Mapping[str, Any]]
"""Arm -> factor -> value, as :mod:`kneeoa.config.factors` makes it."""


@dataclass(frozen=True)
class ArmPair:
    """A candidate and its reference."""

    candidate: str
    reference: str
    candidate_value: str
    """The candidate's value of the factor that varies."""
    reference_value: str
    note: str = ""
    """Factors that do not apply to one of the two, and factors that follow."""


@dataclass(frozen=True)
class _Comparison:
    """Comparison of two arms in all factors but the one that varies."""

    differing: tuple[str, ...]
    """Factors that differ, so that they are no pair."""
    inapplicable: tuple[tuple[str, str, str], ...]
    """(factor, the arm to which it does not apply, the other's value)."""
    following: tuple[str, ...]
    """Factors that differ as the contrast allows."""


def arm_pairs(contrast: Contrast, arms: Arms) -> list[ArmPair]:
    """The pairs that answer a contrast, candidates in the order of the contrast, then arms in the
    order of the table; may be empty.

    Two arms are a pair where every other factor that applies to both is equal, except for those
    that may follow. Arms that differ in a following factor are paired only where they have no
    counterpart without the difference. An ensemble is compared with its own members.

    Raises:
        KneeoaError: two arms that the contrast takes have the same factors.
    """
    sides = {value: [name for name, factors in arms.items() if factors.get(contrast.factor) == value] for value in _values(contrast)}
    for names in sides.values():
        _require_distinct(names, contrast, arms)
    pairs, factors = [], _fixed_factors(contrast, arms)
    for value in contrast.candidates:
        compared = {
            (one, other): comparison
            for one in sides[value]
            for other in sides[contrast.reference]
            if not (comparison := _compare(one, other, factors, contrast, arms)).differing
        }
        exact = {name for pair, comparison in compared.items() if not comparison.following for name in pair}
        pairs += [
            ArmPair(*pair, value, contrast.reference, _note(pair, comparison, arms))
            for pair, comparison in compared.items()
            if not comparison.following or not exact & set(pair)
        ]
    return pairs


def require_pairs(contrast: Contrast, arms: Arms) -> list[ArmPair]:
    """The pairs of :func:`arm_pairs`, at least one for each candidate.

    Raises:
        KneeoaError: a candidate has no pair, or two arms have the same factors.
    """
    pairs = arm_pairs(contrast, arms)
    for value in contrast.candidates:
        if not any(pair.candidate_value == value for pair in pairs):
            near = next(iter(missing_counterparts(contrast.model_copy(update={"candidate": value}), arms)), "")
            raise KneeoaError(
                f"Contrast '{contrast.name}': no two arms have the {plural(contrast.factor)} '{value}' and '{contrast.reference}' "
                f"and else equal factors{f' ({near})' if near else ''}; add the missing arm, name what may differ too under 'follows', "
                "or remove the contrast."
            )
    return pairs


def distinct_pairs(contrasts: Sequence[Contrast], arms: Arms) -> dict[tuple[str, str], str]:
    """(candidate arm, reference arm) -> the factor that varies, each pair of the contrasts once
    whatever their levels.
    """
    pairs: dict[tuple[str, str], str] = {}
    for contrast in contrasts:
        for pair in arm_pairs(contrast, arms):
            pairs.setdefault((pair.candidate, pair.reference), contrast.factor)
    return pairs


def missing_counterparts(contrast: Contrast, arms: Arms) -> list[str]:
    """Sentences, without their full stops, about arms without a counterpart: one for each arm with
    a candidate's value, and one for all with the reference's.
    """
    paired = {name for pair in arm_pairs(contrast, arms) for name in (pair.candidate, pair.reference)}
    alone = {name: factors[contrast.factor] for name, factors in arms.items() if factors.get(contrast.factor) in _values(contrast)}
    others = _fixed_factors(contrast, arms)
    references = [name for name, factors in arms.items() if factors.get(contrast.factor) == contrast.reference]
    sentences = []
    for name in (name for name, value in alone.items() if value != contrast.reference and name not in paired):
        lacking = f"arm '{name}' has no counterpart with the {contrast.factor} '{contrast.reference}'"
        if references:
            apart = {other: _compare(name, other, others, contrast, arms).differing for other in references}
            nearest = min(references, key=lambda other: len(apart[other]))
            keys = apart[nearest]
            differences = ", ".join(f"{key} ({_value_shown(arms[name], key)}, {_value_shown(arms[nearest], key)})" for key in keys)
            lacking += f": the nearest, '{nearest}', differs in {differences} too"
        sentences.append(lacking)
    lone = [f"'{name}'" for name in references if name not in paired]
    if lone:
        what = " or ".join(f"'{value}'" for value in contrast.candidates)
        sentences.append(f"no counterpart with the {contrast.factor} {what} for the arm{'s' if len(lone) > 1 else ''} {', '.join(lone)}")
    return sentences


def primary_pair(primary: Primary, pair: ArmPair, factor: str, arms: Arms) -> bool:
    """Whether a pair of the primary contrast, which varies ``factor``, belongs to the primary
    comparison.
    """
    ends = (pair.candidate, pair.reference)
    return all(
        value == (pair.candidate_value if key == factor else shared_value(arms, ends, key)) for key, value in primary.factors.items()
    )


def plural(factor: str) -> str:
    """Plural of a factor's name: ``modes``, ``backbones``; a setting's name stays as it is."""
    return factor if "." in factor else f"{factor}s"


def shared_value(arms: Arms, pair: Iterable[str], factor: str) -> str | None:
    """The value of a factor in both arms of a pair, or in the one to which it applies; None where
    they differ.
    """
    one, other = pair
    values = {str(arms[name][factor]) for name, beside in ((one, other), (other, one)) if _applies(name, beside, factor, arms)}
    return values.pop() if len(values) == 1 else None


def _values(contrast: Contrast) -> tuple[str, ...]:
    return (*contrast.candidates, contrast.reference)


def _require_distinct(names: Sequence[str], contrast: Contrast, arms: Arms) -> None:
    settings: dict[str, str] = {}
    for name in names:
        setting = repr(sorted((key, value) for key, value in arms[name].items() if key != MEMBERS))
        if setting in settings:
            raise KneeoaError(f"Contrast '{contrast.name}': arms '{settings[setting]}' and '{name}' have the same factors; remove one.")
        settings[setting] = name


def _fixed_factors(contrast: Contrast, arms: Arms) -> list[str]:
    """The factors of the table that a contrast does not vary, without the digest of training where
    the settings in which arms differ are factors.
    """
    named = dict.fromkeys(key for factors in arms.values() for key in factors)
    settings = any(key.startswith(f"{TRAINING}.") for key in named)
    return [key for key in named if key != MEMBERS and not _belongs_to(key, (contrast.factor,)) and not (key == TRAINING and settings)]


def _compare(one: str, other: str, factors: Sequence[str], contrast: Contrast, arms: Arms) -> _Comparison:
    differing: list[str] = []
    inapplicable: list[tuple[str, str, str]] = []
    following: list[str] = []
    sides = [(one, other), (other, one)]
    plain = not (arms[one].get(MEMBERS) or arms[other].get(MEMBERS))
    for key in factors:
        if plain and arms[one].get(key) == arms[other].get(key):
            continue
        lacking = [(key, name, str(arms[beside].get(key))) for name, beside in sides if not _applies(name, beside, key, arms)]
        if lacking:
            inapplicable += lacking if len(lacking) == 1 else []
        elif arms[one][key] != arms[other][key]:
            (following if _belongs_to(key, contrast.follows) else differing).append(key)
    if contrast.factor == "ensemble":
        for pool, single in sides:
            if arms[pool].get(MEMBERS) and not arms[single].get(MEMBERS) and single not in arms[pool][MEMBERS]:
                differing.append(MEMBERS)
    return _Comparison(tuple(differing), tuple(inapplicable), tuple(following))


def _belongs_to(key: str, factors: Sequence[str]) -> bool:
    """Whether a factor is one of ``factors``, or a setting of one."""
    return any(key == factor or key.startswith(f"{factor}.") for factor in factors)


def _applies(name: str, beside: str, factor: str, arms: Arms) -> bool:
    """Whether a factor applies to an arm in a pair with ``beside``: not where it has no value, nor
    where an ensemble's members differ in it and ``beside`` is a single arm.
    """
    factors = arms[name]
    if factors.get(factor) is None:
        return False
    if factors.get(MEMBERS) and not arms[beside].get(MEMBERS):
        return len({str(arms[member].get(factor)) for member in factors[MEMBERS] if member in arms}) <= 1
    return True


def _note(pair: tuple[str, str], comparison: _Comparison, arms: Arms) -> str:
    notes = [
        f"{factor} does not apply to {name}, its counterpart's is {value}"
        for factor, name, value in comparison.inapplicable
        if factor != TRAINING
    ]
    candidate, reference = (arms[name] for name in pair)
    notes += [f"{key} follows: {candidate[key]} against {reference[key]}" for key in comparison.following if key != TRAINING]
    return "; ".join(notes)


def _value_shown(factors: Mapping[str, Any], key: str) -> str:
    return f"{len(factors.get(MEMBERS) or ())} members" if key == MEMBERS else str(factors.get(key))

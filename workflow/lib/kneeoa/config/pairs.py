"""The pairs of arms that a contrast compares: one factor varies, all else is equal."""

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
    """Of the factor that varies."""
    reference_value: str
    note: str = ""
    """What does not apply to one of the two, and what follows the factor."""


@dataclass(frozen=True)
class _Comparison:
    """How two arms stand to each other apart from the factor that varies."""

    differing: tuple[str, ...]
    """Factors that keep them from being a pair."""
    inapplicable: tuple[tuple[str, str, str], ...]
    """(factor, the arm to which it does not apply, the other's value)."""
    following: tuple[str, ...]
    """Factors that differ as the contrast allows."""


def arm_pairs(contrast: Contrast, arms: Arms) -> list[ArmPair]:
    """The pairs that answer a contrast, candidates in the order in which the contrast lists them,
    then arms in the table's order; empty where there are none.

    Two arms are a pair where every other factor that applies to both is equal, but for those that
    the contrast lets follow. Of arms that differ in a following factor only those are paired that
    have no counterpart without the difference. An ensemble is compared with its own members.

    Raises:
        KneeoaError: two arms that the contrast takes have the same factors.
    """
    sides = {value: [name for name, factors in arms.items() if factors.get(contrast.factor) == value] for value in _values(contrast)}
    for names in sides.values():
        _require_distinct(names, contrast, arms)
    pairs, factors = [], _others(contrast, arms)
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
    """:func:`arm_pairs`, at least one for each candidate.

    Raises:
        KneeoaError: a candidate has none, or two arms have the same factors.
    """
    pairs = arm_pairs(contrast, arms)
    for value in contrast.candidates:
        if not any(pair.candidate_value == value for pair in pairs):
            near = next(iter(unanswered(contrast.model_copy(update={"candidate": value}), arms)), "")
            raise KneeoaError(
                f"Contrast '{contrast.name}': no two arms have the {plural(contrast.factor)} '{value}' and '{contrast.reference}' "
                f"and else equal factors{f' ({near})' if near else ''}; add the missing arm, name what may differ too under 'follows', "
                "or remove the contrast."
            )
    return pairs


def distinct_pairs(contrasts: Sequence[Contrast], arms: Arms) -> dict[tuple[str, str], str]:
    """(candidate arm, reference arm) -> the factor that varies, for every pair of the contrasts
    once, whatever their levels.
    """
    pairs: dict[tuple[str, str], str] = {}
    for contrast in contrasts:
        for pair in arm_pairs(contrast, arms):
            pairs.setdefault((pair.candidate, pair.reference), contrast.factor)
    return pairs


def unanswered(contrast: Contrast, arms: Arms) -> list[str]:
    """Sentences, without their full stops, on the arms that have a candidate's value and no
    counterpart, and one on those that have the reference's.
    """
    paired = {name for pair in arm_pairs(contrast, arms) for name in (pair.candidate, pair.reference)}
    alone = {name: factors[contrast.factor] for name, factors in arms.items() if factors.get(contrast.factor) in _values(contrast)}
    others = _others(contrast, arms)
    references = [name for name, factors in arms.items() if factors.get(contrast.factor) == contrast.reference]
    sentences = []
    for name in (name for name, value in alone.items() if value != contrast.reference and name not in paired):
        lacking = f"arm '{name}' has no counterpart with the {contrast.factor} '{contrast.reference}'"
        if references:
            apart = {other: _compare(name, other, others, contrast, arms).differing for other in references}
            nearest = min(references, key=lambda other: len(apart[other]))
            keys = apart[nearest]
            differences = ", ".join(f"{key} ({_shown(arms[name], key)}, {_shown(arms[nearest], key)})" for key in keys)
            lacking += f": the nearest, '{nearest}', differs in {differences} too"
        sentences.append(lacking)
    lone = [f"'{name}'" for name in references if name not in paired]
    if lone:
        what = " or ".join(f"'{value}'" for value in contrast.candidates)
        sentences.append(f"no counterpart with the {contrast.factor} {what} for the arm{'s' if len(lone) > 1 else ''} {', '.join(lone)}")
    return sentences


def primary_pair(primary: Primary, pair: ArmPair, factor: str, arms: Arms) -> bool:
    """Whether a pair of the primary contrast, which varies ``factor``, is one that the primary
    comparison takes.
    """
    ends = (pair.candidate, pair.reference)
    return all(value == (pair.candidate_value if key == factor else constant(arms, ends, key)) for key, value in primary.factors.items())


def plural(factor: str) -> str:
    """``modes``, ``backbones``; of a setting its own name."""
    return factor if "." in factor else f"{factor}s"


def constant(arms: Arms, pair: Iterable[str], factor: str) -> str | None:
    """The value of a factor that both arms of a pair have, or the one to which it applies; None
    where they differ.
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


def _others(contrast: Contrast, arms: Arms) -> list[str]:
    """The factors of the table that a contrast does not vary; the digest of training is none where
    the settings in which arms differ are factors of their own.
    """
    named = dict.fromkeys(key for factors in arms.values() for key in factors)
    settings = any(key.startswith(f"{TRAINING}.") for key in named)
    return [key for key in named if key != MEMBERS and not _within(key, (contrast.factor,)) and not (key == TRAINING and settings)]


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
            (following if _within(key, contrast.follows) else differing).append(key)
    if contrast.factor == "ensemble":
        for pool, single in sides:
            if arms[pool].get(MEMBERS) and not arms[single].get(MEMBERS) and single not in arms[pool][MEMBERS]:
                differing.append(MEMBERS)
    return _Comparison(tuple(differing), tuple(inapplicable), tuple(following))


def _within(key: str, factors: Sequence[str]) -> bool:
    """Whether a factor is one of those named, or a setting of one."""
    return any(key == factor or key.startswith(f"{factor}.") for factor in factors)


def _applies(name: str, beside: str, factor: str, arms: Arms) -> bool:
    """Whether a factor applies to an arm, beside another: not where it has no value, nor, beside a
    single arm, where an ensemble's members differ in it.
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


def _shown(factors: Mapping[str, Any], key: str) -> str:
    return f"{len(factors.get(MEMBERS) or ())} members" if key == MEMBERS else str(factors.get(key))

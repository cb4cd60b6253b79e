"""Check that class probabilities sum to 1 within their table's rounding, and sum several columns
without losing digits.

A sum of columns near 1 has lost the digits that distinguish its cases: 1 - 1e-9 and 1 - 1e-10
differ by less than the rounding of a row in single precision, so their order is that of rounding
errors. Here a set of classes is always compared with the rest: its odds are the ratio of two sums,
each with all its digits, which gives the order of exact arithmetic on rows made to sum to 1.
Columns of a table with few decimals are added as whole numbers, so that 0.1 + 0.2 ties with 0.3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kneeoa.errors import InvalidInput, KneeoaError

Floats = NDArray[np.float64]

ROUNDING = 1e-6
"""Error that single precision in computing probabilities explains: of a row's sum from 1, and of a
probability beyond 0 or 1.
"""

_MANTISSAS = (8, 11, 24)
"""Bits of bfloat16, half and single precision."""
_DOUBLE = 53
_MOST_DECIMALS = 12
_POWERS = np.array([10.0**decimals for decimals in range(_MOST_DECIMALS + 1)])
_FIRST = 64
_DIGITS = range(3, 7)
"""Significant digits that tables of probabilities are written with."""


def require_probabilities(values: Floats, name: str) -> Floats:
    """Clip values that are outside [0, 1] by rounding.

    Raises:
        KneeoaError: a value is outside [0, 1] by more; the sentence has all digits of the range, as
            an excess may be small.
    """
    if values.size and (values.min() < -ROUNDING or values.max() > 1 + ROUNDING):
        raise KneeoaError(f"{name}: expected values from 0 to 1, found {float(values.min())!r} to {float(values.max())!r}.")
    return np.asarray(np.clip(values, 0.0, 1.0))


def row_rounding(values: Floats) -> Floats:
    """Largest distance of each row's sum from 1 that the table's rounding explains, ``[n]``.

    The precision is derived from the whole table: numbers of d decimals or of s significant digits
    each have an error of half of the last one, numbers of b bits a relative error of that size.

    Args:
        values: ``[n, K]``, the whole table.
    """
    classes = values.shape[1]
    decimals, bits = decimals_of(values), _bits(values)
    explained = max((classes + 4) * 2.0**-bits, 0.0 if decimals is None else classes * 0.5 * 10.0**-decimals, ROUNDING)
    return np.asarray(np.maximum(explained, 0.5 * _last_places(values, bits).sum(axis=1)) + 1e-12)


def first_bad_row(values: Floats) -> int | None:
    """The first row of ``[n, K]`` whose sum differs from 1 by more than rounding explains; None
    without one.
    """
    excess = np.abs(values.sum(axis=1) - 1.0)
    if (excess <= ROUNDING).all():  # explained in any table: its precision need not be derived
        return None
    far = excess > row_rounding(values)
    return int(np.flatnonzero(far)[0]) if far.any() else None


def class_share(probabilities: ArrayLike, members: Collection[int]) -> Floats:
    """Probability of a set of classes: the sum of its columns in rows made to sum to 1.

    Args:
        probabilities: ``[..., n, K]``.
        members: columns of the set; an empty set has probability 0, all columns 1.

    Returns:
        ``[..., n]``, from 0 to 1; equal sums of the table are equal numbers.

    Raises:
        KneeoaError: a column that is not there, or a row that does not sum to 1.
        InvalidInput: a value that is not finite.
    """
    inside, outside, whole = _sums(probabilities, members)
    total = inside + outside
    # Whole numbers: one division, rounded once. Otherwise the smaller part is divided, which has
    # all its digits.
    return inside / total if whole else np.where(inside <= outside, inside / total, 1.0 - outside / total)


def class_odds(probabilities: ArrayLike, members: Collection[int]) -> Floats:
    """Odds of a set of classes against the rest, to rank cases by: no digits are lost near 0 or 1.
    Arguments and errors as :func:`class_share`.

    Returns:
        ``[..., n]``; the largest float where the rest has no probability at all.
    """
    inside, outside, _ = _sums(probabilities, members)
    with np.errstate(over="ignore", divide="ignore"):
        return np.minimum(inside / outside, np.finfo(np.float64).max)


def mean_class(probabilities: ArrayLike) -> Floats:
    """Mean class (an ordinal level's expected grade) ``[..., n]`` of ``[..., n, K]`` in rows made
    to sum to 1; errors as :func:`class_share`.
    """
    centre, distance = _mean(probabilities)
    return centre + distance


def mean_class_rank(probabilities: ArrayLike) -> Floats:
    """Ranks of cases by their mean class, ``[..., n]``: equal for equal means, and different also
    for means so near a whole number that :func:`mean_class` gives the same float.
    """
    centre, distance = _mean(probabilities)
    ranks = np.empty(centre.shape)
    for place in np.ndindex(centre.shape[:-1]):
        order = np.lexsort((distance[place], centre[place]))
        steps = [values[place][order][1:] != values[place][order][:-1] for values in (centre, distance)]
        ranks[place][order] = np.concatenate([np.zeros(min(order.size, 1)), np.cumsum(steps[0] | steps[1])])
    return ranks


def decimals_of(values: Floats) -> int | None:
    """The fewest decimals that represent every value, judged by its binary form; None where they
    are too many to tell.
    """
    bits = _bits(values)
    digits = min(bits, _DOUBLE - 2)
    first = np.asarray(_whole(values.reshape(-1, 1)[:_FIRST] * _POWERS, digits).all(axis=0))  # the first few mostly tell
    for decimals in range(_MOST_DECIMALS + 1):
        if 10.0**decimals * 2.0**-bits > 0.05:  # any number would do
            return None
        if first[decimals] and _whole(values * 10.0**decimals, digits).all():
            return decimals
    return None


def _bits(values: Floats) -> int:
    """Bits of the shortest binary form that represents every value."""
    for bits in _MANTISSAS:
        if _all_rows(values, lambda some: _fits(some, bits)):  # noqa: B023  # called here
            return bits
    return _DOUBLE


def _fits(values: Floats, bits: int) -> bool:
    scaled = np.ldexp(np.frexp(values)[0], bits)
    return bool((scaled == np.rint(scaled)).all())


def _whole(scaled: Floats, bits: int) -> NDArray[np.bool_]:
    return np.asarray(np.abs(scaled - np.rint(scaled)) <= np.abs(scaled) * 2.0**-bits)


def _all_rows(values: Floats, holds: Callable[[Floats], bool]) -> bool:
    """Whether ``holds`` is true of all values; the first few, which usually decide, are tested
    first.
    """
    return holds(values.reshape(-1)[:_FIRST]) and holds(values)


def _last_places(values: Floats, bits: int) -> Floats:
    """The unit of each value's last significant digit, with the fewest digits that represent all
    values; zeros where that takes more than six.
    """
    power = np.minimum(np.floor(np.log10(np.where(values > 0, values, 1.0))), -1.0)  # 1 is rounded from below alone
    for digits in _DIGITS:
        if 10.0**digits * 2.0**-bits > 0.05:
            break
        place: Floats = 10.0 ** (power - digits + 1)
        scaled = values / place
        if (np.abs(scaled - np.rint(scaled)) <= scaled * 2.0 ** -min(bits, _DOUBLE - 3)).all():
            return np.where(values > 0, place, 0.0)
    return np.zeros(values.shape)


def _table(probabilities: ArrayLike) -> tuple[Floats, bool]:
    """The table as whole numbers of its last decimal (True), or as it is."""
    values = np.asarray(probabilities, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InvalidInput("probabilities: expected finite numbers")
    rows = values.reshape(-1, values.shape[-1])
    bad = first_bad_row(rows)
    if bad is not None:
        raise KneeoaError(
            f"probabilities: the classes of a case sum to {rows[bad].sum():.7g}; they must sum to 1, and the precision of the table "
            f"explains {row_rounding(rows)[bad]:.2g} at most."
        )
    decimals = decimals_of(values)
    return (values, False) if decimals is None else (np.rint(values * 10.0**decimals), True)


def _sums(probabilities: ArrayLike, members: Collection[int]) -> tuple[Floats, Floats, bool]:
    """Sums over the members and over the other columns, neither made to sum to 1, and whether they
    are whole numbers.
    """
    values, whole = _table(probabilities)
    classes = values.shape[-1]
    if any(not 0 <= member < classes for member in members):
        raise KneeoaError(f"members: expected classes from 0 to {classes - 1}, got {sorted(members)}.")
    chosen = np.zeros(classes, dtype=np.bool_)
    chosen[sorted(members)] = True
    return _ascending_sum(values[..., chosen]), _ascending_sum(values[..., ~chosen]), whole


def _ascending_sum(values: Floats) -> Floats:
    """Sums of the last axis in ascending order, so that the order of columns cannot part equal
    sums; of one or two numbers there is but one.
    """
    if values.shape[-1] in (1, 2):
        return np.asarray(values[..., 0] if values.shape[-1] == 1 else values[..., 0] + values[..., 1])
    return np.asarray(np.sort(values, axis=-1).sum(axis=-1))


def _mean(probabilities: ArrayLike) -> tuple[Floats, Floats]:
    """The whole number nearest to each row's mean class, and the mean's distance from it."""
    values, whole = _table(probabilities)
    classes = np.arange(values.shape[-1], dtype=np.float64)
    total = values.sum(axis=-1)
    centre = np.rint(values @ classes / total)
    if whole:
        return np.zeros(total.shape), values @ classes / total
    return centre, ((classes - centre[..., None]) * values).sum(axis=-1) / total

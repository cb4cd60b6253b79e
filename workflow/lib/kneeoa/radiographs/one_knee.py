"""Whether a frontal radiograph that is called one knee's shows one, the right way up."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np

from kneeoa.errors import UnusableImage
from kneeoa.radiographs.exposed_field import Field, exposed_field
from kneeoa.radiographs.knee_localiser import Floats, Knee, beside_no_border, choose_pair, likeliest, possible_pairs, survey
from kneeoa.radiographs.knee_template import COARSE
from kneeoa.radiographs.small_copy import Evidence, Question

# A turned picture is believed to be upright by this correlation at least, and by so much more than
# the picture as it is.
_LEAST, _CLEARLY = 0.5, 0.15
# The same of a small copy. Turned, OAI's 600 pictures of one knee fit there by no more than 0.01
# better, and 200 drawn ones by no more than 0.03.
_LEAST_IN_COPY, _CLEARLY_IN_COPY = 0.45, 0.1
_GAPS = (1.0, 1.5, 1.0)
"""Least difference (standard deviations) of the gap between two legs from the legs, in a picture
that looks like a knee if it is turned by 90, 180 and 270 degrees; of one leg upside down the tissue
beside it differs by up to 1.2.
"""
_UPRIGHT = 0.65
"""A picture that fits so well is not turned to look for a better fit: turned, a hundred of OAI's
pictures of one knee fit by 0.66 at most, and by no more than 0.1 better than upright.
"""
# One knee that fits so well, and takes so much of the field's width, leaves no room for another: of
# drawn films of both knees none holds such a place with more than 0.63.
_ALONE, _WIDE = 0.7, 0.5
# The less certain of two knees fits by so much at least, and by no more less than the likeliest
# place. On OAI's pictures of one knee the few pairs reach 0.49, and lie 0.2 below it.
_PAIR, _NEAR = 0.55, 0.1
_ACROSS = 0.04
"""A knee across the field (``_WIDE``) that fits by so much more than the less certain of two is the
only one. Of 34 drawn films of both knees no pair that ``_PAIR`` believes has such a place above its
own fit; of OAI's 600 pictures of one knee the only such pair, two condyles, lies 0.08 below it.
"""
_COARSER = 0.1
"""A coarse look that finds no fit within this of a limit settles that a fine one would not reach
it.
"""


def refuse_turned(evidence: Evidence) -> None:
    """Refuse a picture whose small copy looks clearly more like a knee when it is turned.

    Raises:
        UnusableImage: ``turned-picture``; or ``two-knees``, where the picture's middle is as unlike
            its quarters as a gap between two legs, which looks like a joint space on its side.
    """
    quarters = 1 + int(np.argmax(evidence.turned))
    turned = evidence.turned[quarters - 1]
    if turned < _LEAST_IN_COPY or turned < evidence.fit + _CLEARLY_IN_COPY:
        return
    raise _two_knees() if abs(evidence.columns) >= _GAPS[quarters - 1] else _turned(quarters, turned, evidence.fit)


def require_one_upright_knee(
    picture: Floats, field: Field, spacing: tuple[float, float] | None, places: Sequence[Knee], doubts: Set[Question]
) -> None:
    """Refuse a picture in which two knees are found, or one that looks more like a knee when it is
    turned.

    Args:
        picture: ``[rows, columns]``, as it is displayed.
        field: what of it was exposed.
        spacing: mm of a pixel along rows and columns, if known.
        places: of its survey as one knee's.
        doubts: what is asked; not ``two`` where a piece of the picture is taken around a landmark,
            so that another knee does no harm.

    Raises:
        UnusableImage: ``two-knees`` or ``turned-picture``.
    """
    knee = likeliest(places)
    best = 0.0 if knee is None else knee.fit
    wide = _WIDE * (field.columns.stop - field.columns.start)
    if knee is not None and best >= _ALONE and knee.width >= wide:
        return
    across = max((place.fit for place in places if place.width >= wide), default=0.0)
    if "two" in doubts:
        limit = max(_PAIR, best - _NEAR, across - _ACROSS)
        if _pair_fit(picture, field, spacing, places, limit) >= limit:
            raise _two_knees()
    if best >= _UPRIGHT:
        return
    turns = (*([1, 3] if "quarter" in doubts else []), *([2] if "upside-down" in doubts else []))
    for quarters in sorted(turns):
        turned = np.ascontiguousarray(np.rot90(picture, quarters))
        size = spacing if spacing is None or quarters == 2 else (spacing[1], spacing[0])
        alone, pair = max(_LEAST, best + _CLEARLY), max(_PAIR, best - _NEAR)
        fits = _turned_fits(turned, size, alone, pair)
        if fits[0] >= alone or fits[1] >= pair:
            raise _turned(quarters, max(fits), best)


def _two_knees() -> UnusableImage:
    return UnusableImage("two-knees", "the radiograph shows two knees, and the tables say that it shows one; 'shows' should be both.")


def _turned(quarters: int, turned: float, as_it_is: float) -> UnusableImage:
    return UnusableImage(
        "turned-picture",
        f"the radiograph looks like a knee's if it is turned by {90 * quarters} degrees (a correlation of {turned:.2f}, "
        f"as it is {as_it_is:.2f}); turn the picture.",
    )


def _turned_fits(turned: Floats, spacing: tuple[float, float] | None, alone: float, pair: float) -> tuple[float, float]:
    """The fit of the likeliest knee and that of the less certain of two in a turned picture; 0
    where a coarse look settles that it is less than ``alone`` and ``pair``.
    """
    field = exposed_field(turned)
    # Where the size of a pixel is known, the one survey holds the knees of a pair too.
    least = (alone if spacing is None else min(alone, pair)) - _COARSER
    places = survey(turned, field, spacing, False) if survey(turned, field, spacing, False, COARSE, least) else []
    return max((place.fit for place in places), default=0.0), _pair_fit(turned, field, spacing, places, pair)


def _pair_fit(picture: Floats, field: Field, spacing: tuple[float, float] | None, places: Sequence[Knee], limit: float) -> float:
    """The fit of the less certain of two knees; 0 where there is no pair to be believed, or where a
    coarse look settles that it is less than ``limit``.

    Where the size of a pixel is known, one knee is as large as each of two, and ``places``, those
    of the survey as one knee's, hold both.
    """
    height = picture.shape[0]
    if spacing is not None:
        candidates = beside_no_border(places, field)
    elif any(possible_pairs(each, height) for each in _by_polarity(survey(picture, field, None, True, COARSE, limit - _COARSER))):
        candidates = survey(picture, field, None, True)
    else:
        return 0.0
    fits = [0.0]
    for each in _by_polarity(candidates):
        try:
            fits.append(min(knee.fit for knee in choose_pair(each, field, height)))
        except UnusableImage:
            continue
    return max(fits)


def _by_polarity(places: Sequence[Knee]) -> tuple[list[Knee], list[Knee]]:
    """The places of the picture as it is, and those of its negative."""
    return [place for place in places if not place.negative], [place for place in places if place.negative]

"""Find the joint of a case in a radiograph, and say whether the radiograph is a negative."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.formats.side_words import SIDE_NAMES
from kneeoa.radiographs.exposed_field import Field
from kneeoa.radiographs.knee_localiser import Knee, choose_pair, feet_down, likeliest, survey
from kneeoa.radiographs.one_knee import refuse_turned, require_one_upright_knee
from kneeoa.radiographs.radiograph import Radiograph
from kneeoa.radiographs.small_copy import QUESTIONS, weigh

# A negative shows a knee by this correlation at least, and by so much more than the picture as it
# is. Of 600 OAI knees, six are negatives by the eye: they fit better by 0.17 and more, and none of
# the others fits better as a negative.
_LEAST, _CLEARLY = 0.5, 0.1


@dataclass(frozen=True)
class Joint:
    """The joint of a case.

    Attributes:
        centre: (row, column) in the displayed picture; None: the picture is of this knee alone, and
            taken whole or around its middle.
        width: of the tibial plateau in pixels along the columns, where it was measured.
        fit: how much the place looks like a knee, a correlation (of a picture that is of this knee
            alone in a small copy); None where nobody looked.
        negative: bone is dark in the picture.
    """

    centre: tuple[float, float] | None
    width: float | None
    fit: float | None
    negative: bool


def locate(radiograph: Radiograph, field: Field, file: Mapping[str, Any], view: View, side: str | None) -> Joint:
    """Find the joint: by the landmark of the images table, else by the localiser where both knees
    are shown.

    Raises:
        UnusableImage: the side of the case contradicts the header (``wrong-side``) or is not known
            (``unknown-side``), the landmark lies outside the picture (``bad-landmark``), the knees
            are not found (``joint-not-found``), both are asked of a lateral picture
            (``wrong-projection``), or one knee's picture shows two or is turned
            (:func:`kneeoa.radiographs.one_knee.require_one_upright_knee`).
    """
    both = file["shows"] == "both"
    _check_side(radiograph, both, side)
    landmark = _landmark(radiograph, file)
    if view.projection == "lateral":
        if both:
            raise UnusableImage("wrong-projection", "a lateral radiograph shows one knee; the images table says both.")
        return Joint(landmark, None, None, False)
    if both:
        return _joint_of_two(radiograph, field, view, side, landmark)
    return Joint(landmark, None, None, False) if view.negatives == "keep" else _joint_of_one(radiograph, field, view, landmark)


def _joint_of_one(radiograph: Radiograph, field: Field, view: View, landmark: tuple[float, float] | None) -> Joint:
    """The joint of a picture of one knee, which is searched finely where a small copy leaves a
    doubt, or where a landmark says that the knee need not lie in the middle.
    """
    picture = np.asarray(radiograph.pixels, dtype=np.float32)
    doubts, fit = QUESTIONS, None
    if landmark is None:
        evidence = weigh(picture, field)
        doubts, fit = evidence.doubts(), evidence.fit
        if not doubts:
            return Joint(None, None, fit, evidence.negative)
        refuse_turned(evidence)
    elif view.fit == "spacing":  # the knee is cut out: another does no harm
        doubts -= {"two"}
    places = survey(picture, field, radiograph.spacing, False)
    require_one_upright_knee(picture, field, radiograph.spacing, places, doubts)
    knee, negative = _likelier_polarity(places, landmark)
    if landmark is not None and knee is not None:
        fit = knee.fit
    return Joint(landmark, None, fit, negative)


def _joint_of_two(radiograph: Radiograph, field: Field, view: View, side: str | None, landmark: tuple[float, float] | None) -> Joint:
    """The joint of one side in a picture of both knees."""
    picture = np.asarray(radiograph.pixels, dtype=np.float32)
    places = survey(picture, field, radiograph.spacing, True)
    if view.negatives == "keep":
        places = [place for place in places if not place.negative]
    if landmark is None:
        pair = _better_pair(places, field, radiograph.shape[0])
        if not all(feet_down(picture, field, radiograph.spacing, knee) for knee in pair):
            raise UnusableImage(
                "joint-not-found", "the knees look more like knees with the feet up; turn the picture, or give the joints' centres."
            )
        # The patient's right is on the picture's left.
        chosen = pair[0] if side == "R" else pair[1]
        return Joint((chosen.row, chosen.column), chosen.width, min(knee.fit for knee in pair), chosen.negative)
    knee, negative = _likelier_polarity(places, landmark)
    if view.fit != "spacing" and (knee is None or knee.fit < _LEAST):
        raise UnusableImage("joint-not-found", "the landmark does not lie on a knee whose width could be measured; use 'fit: spacing'.")
    return Joint(landmark, knee.width if knee else None, knee.fit if knee else None, negative)


def _likelier_polarity(places: Sequence[Knee], landmark: tuple[float, float] | None) -> tuple[Knee | None, bool]:
    """The likeliest knee of a survey (near a landmark, if any), and whether it is one in the
    negative, which must fit clearly better.
    """
    as_it_is, turned = (likeliest([place for place in places if place.negative is sign], landmark) for sign in (False, True))
    negative = turned is not None and turned.fit >= max(_LEAST, _CLEARLY + (as_it_is.fit if as_it_is else 0.0))
    return (turned if negative else as_it_is), negative


def _better_pair(places: Sequence[Knee], field: Field, height: int) -> tuple[Knee, Knee]:
    """The pair of knees of a bilateral picture; one in the negative is believed where it fits
    better.

    Raises:
        UnusableImage: ``joint-not-found``; the reason is that of the picture as it is.
    """
    pairs: list[tuple[Knee, Knee]] = []
    reasons: list[UnusableImage] = []
    for negative in (False, True):
        try:
            pairs.append(choose_pair([place for place in places if place.negative is negative], field, height))
        except UnusableImage as error:
            reasons.append(error)
    if not pairs:
        raise reasons[0]
    return max(pairs, key=lambda each: min(knee.fit for knee in each))


def positive(radiograph: Radiograph, joint: Joint, view: View) -> Radiograph:
    """The picture with bone bright, whatever it was: a negative is mirrored within its range.

    Raises:
        UnusableImage: it is a negative, and the view excludes those (``negative-picture``).
    """
    if not joint.negative:
        return radiograph
    if view.negatives == "exclude":
        raise UnusableImage("negative-picture", "bone is dark in the radiograph, against its header; 'negatives: invert' would turn it.")
    pixels = np.asarray(radiograph.pixels, dtype=np.float32)
    return replace(radiograph, pixels=pixels.max() + pixels.min() - pixels)


def _check_side(radiograph: Radiograph, both: bool, side: str | None) -> None:
    if both and side not in ("L", "R"):
        raise UnusableImage("unknown-side", "the radiograph shows both knees and the case has no side; which one is meant?")
    shown = {"L": "the left knee", "R": "the right knee", "B": "both knees"}
    if radiograph.side is not None and ((radiograph.side == "B") != both or (not both and side is not None and radiograph.side != side)):
        meant = shown["B"] if both else shown.get(side or "", "one knee")
        raise UnusableImage(
            "wrong-side", f"the file's header says that it shows {shown[radiograph.side]}, the cohort's tables say {meant}."
        )
    other = None if both or side is None else radiograph.claims.contradiction(side)
    if other is not None:
        raise UnusableImage(
            "wrong-side", f"the file's header says that it shows the {SIDE_NAMES[other]} knee, the cohort's tables say {side}."
        )


def _landmark(radiograph: Radiograph, file: Mapping[str, Any]) -> tuple[float, float] | None:
    place = [float("nan") if file.get(key) is None else float(file[key]) for key in ("centre_row", "centre_column")]
    if any(math.isnan(value) for value in place):
        return None
    row, column = radiograph.turn.place(place[0], place[1], radiograph.shape)
    rows, columns = radiograph.shape
    if not (-0.5 <= row <= rows - 0.5 and -0.5 <= column <= columns - 0.5):
        raise UnusableImage("bad-landmark", f"the joint's centre ({place[0]:g}, {place[1]:g}) lies outside the picture.")
    return row, column

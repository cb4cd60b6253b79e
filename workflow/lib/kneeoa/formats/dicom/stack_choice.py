"""Choose the one stack of a source that is its volume, by a stated rule; refuse where the rule
would be a guess.
"""

from __future__ import annotations

import logging

from kneeoa.config.volumes import ImageType, Plane
from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.image_type import DEFAULT_TYPES
from kneeoa.formats.dicom.stacks import UNORDERED_MARKS, Stack
from kneeoa.formats.limits import MIN_SLICES

_LOG = logging.getLogger(__name__)

_WHOLE_SHARE = 0.25  # an original stack of this share of the largest one's slices is preferred to a derived one
_RIVAL_SHARE = 0.7  # another stack of this share of the chosen one's slices might as well be meant
_RIVAL_SLICES = 12  # so might any of so many: series of a knee have 18 and more, the planes of a scout fewer
_SCOUT_SHARE = 0.5  # fewer slices than a knee has, and less than this share of another plane's, are a scout's
_ECHO_SHARE = 0.5  # a stack of another series with this share of the slices is an echo of the same scan, damaged or not
_LISTED = 6  # stacks that a sentence names


def choose_stack(
    stacks: list[Stack], name: str, echo: int | None = None, plane: Plane = "any", image_type: ImageType | None = None
) -> Stack:
    """The dominant stack of the requested plane and image type: the most slices, localisers last,
    originals before derived ones; then the echo; then the first phase.

    Echoes are stacks of one acquisition that differ in echo time, counted from the shortest. A
    damaged first echo is still the first: the second one never takes its place. Another stack that
    could be the volume as well makes the choice a guess, which is refused.

    Args:
        stacks: of :func:`kneeoa.formats.dicom.stacks.group_into_stacks`.
        name: the source's name in errors.
        echo: 1 for the shortest echo time; None for the same.
        plane: stacks of other planes are no candidates.
        image_type: stacks of other types are none either; None: a magnitude image or a picture of a
            Dixon scan.

    Raises:
        UnusableImage: too few slices (``too-few-slices``), none of the plane (``wrong-plane``) or
            the type (``missing-image-type``), no such echo (``missing-echo``), or several stacks
            that might be meant (``ambiguous-series``).
    """
    if not stacks:
        raise UnusableImage("too-few-slices", f"{name}: holds no slices; expected a volume.")
    volumes = [stack for stack in stacks if stack.kind != "localizer"] or stacks
    candidates = _of_type(_in_plane(volumes, plane, name), image_type, name)
    largest = max(len(stack.frames) for stack in candidates)
    originals = [stack for stack in candidates if stack.kind == "original" and len(stack.frames) >= _WHOLE_SHARE * largest]
    ranked = sorted(originals or candidates, key=lambda stack: (-len(stack.frames), stack.echo, stack.phase))
    first = ranked[0]
    size = len(first.frames)
    acquisition = [
        stack
        for stack in ranked
        if stack is first
        or ((stack.series == first.series or len(stack.frames) >= _ECHO_SHARE * size) and first.is_same_acquisition(stack))
    ]
    others = [stack for stack in candidates if stack not in acquisition and (stack.kind == "original" or not originals)]
    rivals = [stack for stack in others if len(stack.frames) >= min(_RIVAL_SHARE * size, _RIVAL_SLICES)]
    if rivals:
        raise _ambiguous(name, [first, *rivals])
    echoes = sorted({stack.echo for stack in acquisition})
    if (echo or 1) > len(echoes):
        raise UnusableImage("missing-echo", f"{name}: has {len(echoes)} echo(es); echo {echo} was asked for.")
    wanted = [stack for stack in acquisition if stack.echo == echoes[(echo or 1) - 1]]
    chosen = min(wanted, key=lambda stack: (-len(stack.frames), stack.series, stack.phase))
    if chosen.phases > 1:
        pictures = sorted((stack for stack in wanted if stack.series == chosen.series), key=lambda stack: stack.phase)
        if chosen.mark in UNORDERED_MARKS:
            raise _ambiguous(name, pictures)
        chosen = pictures[0]
    if len(chosen.frames) < MIN_SLICES:
        raise UnusableImage("too-few-slices", f"{name}: the largest stack has {len(chosen.frames)} slices; expected a volume.")
    if len(stacks) > 1:
        rest = "; ".join(str(stack) for stack in stacks if stack is not chosen)
        _LOG.info("%s: reads %s; leaves %s", name, chosen, rest)
    return chosen


def _in_plane(stacks: list[Stack], plane: Plane, name: str) -> list[Stack]:
    """The stacks of a plane; a scout's slices do not replace a series of another plane. Where no
    header gives an orientation, all stacks: later steps refuse them or use a declared orientation.
    """
    if plane == "any" or all(stack.lacks_orientation for stack in stacks):
        return stacks
    inside = [stack for stack in stacks if stack.plane == plane]
    largest = max((len(stack.frames) for stack in inside), default=0)
    largest_elsewhere = max((len(stack.frames) for stack in stacks if stack.plane != plane), default=0)
    if largest_elsewhere >= MIN_SLICES and (not inside or (largest < _RIVAL_SLICES and largest < _SCOUT_SHARE * largest_elsewhere)):
        raise UnusableImage(
            "wrong-plane", f"{name}: holds no {plane} volume ({_describe(stacks)}); the view's 'plane' says which slices are meant."
        )
    return inside or stacks


def _of_type(stacks: list[Stack], image_type: ImageType | None, name: str) -> list[Stack]:
    """The stacks of an image type; None: of those types that may be meant where none is named.

    A picture without an echo time (0) beside echoes of its series is calculated from them, whatever
    its ImageType says.
    """
    echoes = {stack.series for stack in stacks if stack.echo_time}
    calculated = [stack for stack in stacks if stack.image_type == "magnitude" and stack.echo_time == 0 and stack.series in echoes]
    allowed = DEFAULT_TYPES if image_type is None else (image_type,)
    candidates = [stack for stack in stacks if stack.image_type in allowed and stack not in calculated]
    if image_type == "map":
        candidates = candidates or calculated
    if not candidates:
        wanted = "magnitude image" if image_type is None else f"picture of the type '{image_type}'"
        raise UnusableImage(
            "missing-image-type", f"{name}: holds no {wanted} ({_describe(stacks)}); the view's 'image_type' says which picture is meant."
        )
    return candidates


def _ambiguous(name: str, stacks: list[Stack]) -> UnusableImage:
    types = list(dict.fromkeys(stack.image_type for stack in stacks))
    advice = f"say which by the view's 'image_type' ({', '.join(types)})" if len(types) > 1 else "leave one of them in the folder"
    return UnusableImage("ambiguous-series", f"{name}: holds several volumes that may be meant ({_describe(stacks)}); {advice}.")


def _describe(stacks: list[Stack]) -> str:
    more = f"; {len(stacks) - _LISTED} more" if len(stacks) > _LISTED else ""
    return "; ".join(str(stack) for stack in stacks[:_LISTED]) + more

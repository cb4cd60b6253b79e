"""Which stack of a source is its volume: a stated rule, and a refusal where the rule would be a
guess.
"""

from __future__ import annotations

import logging

from kneeoa.errors import UnusableImage
from kneeoa.images.dicom_stacks import Stack
from kneeoa.images.plausible import LEAST_SLICES

_LOG = logging.getLogger(__name__)

_WHOLE_SHARE = 0.25  # an original stack of this share of the largest one's slices is preferred to a derived one
_RIVAL_SHARE = 0.9  # another stack of this share of the chosen one's slices might as well be meant
_ECHO_SHARE = 0.5  # a stack of another series with this share of the slices is an echo of the same scan, damaged or not


def choose(stacks: list[Stack], name: str, echo: int | None = None) -> Stack:
    """The dominant stack: the most slices, localisers last, originals before what was derived of
    them; then the echo; then the first phase.

    Echoes are stacks on one kind of grid that differ in echo time, counted from the shortest. A
    damaged first echo is still the first: the second one never takes its place.

    Args:
        stacks: of :func:`kneeoa.images.dicom_stacks.part`.
        name: how errors call the source.
        echo: 1 for the shortest echo time; None for the same.

    Raises:
        UnusableImage: too few slices (``too-few-slices``), no such echo (``missing-echo``), or two
            stacks of equal rank (``ambiguous-series``).
    """
    if not stacks:
        raise UnusableImage("too-few-slices", f"{name}: holds no slices; expected a volume.")
    proper = [stack for stack in stacks if stack.kind != "localizer"] or stacks
    largest = max(len(stack.frames) for stack in proper)
    originals = [stack for stack in proper if stack.kind == "original" and len(stack.frames) >= _WHOLE_SHARE * largest]
    ranked = sorted(originals or proper, key=lambda stack: (-len(stack.frames), stack.echo, stack.phase))
    first = ranked[0]
    size = len(first.frames)
    family = [stack for stack in ranked if stack.alike(first) and (stack.series == first.series or len(stack.frames) >= _ECHO_SHARE * size)]
    echoes = sorted({stack.echo for stack in family})
    if (echo or 1) > len(echoes):
        raise UnusableImage("missing-echo", f"{name}: has {len(echoes)} echo(es); echo {echo} was asked for.")
    wanted = [stack for stack in family if stack.echo == echoes[(echo or 1) - 1]]
    chosen = min(wanted, key=lambda stack: (-len(stack.frames), stack.series, stack.phase))
    if chosen.phases > 1:
        chosen = min((stack for stack in wanted if stack.series == chosen.series), key=lambda stack: stack.phase)
    rivals = [
        stack
        for stack in ranked
        if len(stack.frames) >= _RIVAL_SHARE * size and (not stack.alike(first) or (stack in wanted and stack.series != chosen.series))
    ]
    if rivals:
        raise UnusableImage(
            "ambiguous-series", f"{name}: holds several volumes of one rank ({chosen}; {rivals[0]}); leave one of them in the folder."
        )
    if len(chosen.frames) < LEAST_SLICES:
        raise UnusableImage("too-few-slices", f"{name}: the largest stack has {len(chosen.frames)} slices; expected a volume.")
    if len(stacks) > 1:
        others = "; ".join(str(stack) for stack in stacks if stack is not chosen)
        _LOG.info("%s: reads %s; leaves %s", name, chosen, others)
    return chosen

"""How runs predict, and ensembles of their predictions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import Field

from kneeoa.config.section import Name, Section
from kneeoa.config.volumes import View

Direction = Literal["left_right", "superior_inferior", "anterior_posterior"]

TOGETHER = "together"
NO_ENSEMBLE = "none"
"""What the factor ``ensemble`` of a single arm says."""


class Prediction(Section):
    """How a trained network is asked."""

    flips: tuple[Direction, ...] = ()
    """Test-time flips: the network also sees each image mirrored along each of these directions by
    itself, and the logits are averaged (the geometric mean of the class probabilities); embeddings
    are of the image as it is. None is anatomically right: canonical knees all look like right ones,
    so a left-right flip puts the medial side where the lateral one was, and no knee is upside down
    or back to front. A network that was not trained on such images has not seen their like; the
    default is no flip.
    """
    temperature: bool = False
    """true: the probabilities of each head are softened or sharpened by one temperature, fitted on
    the validation cases; a coarse level read from a fine head is summed from its calibrated
    probabilities. The temperature itself is written beside the run's weights in either case. The
    order of a case's classes never changes, nor, for two classes, the order of cases: accuracy of
    an own head and a binary AUC stay what they are.
    """


class Ensemble(Section):
    """Several runs that speak as one; analyses of predictions take it for an arm."""

    members: tuple[Name, ...] = Field(min_length=1)
    """Names of arms."""
    combine: Literal["mean", "logit_mean"] = "mean"
    """mean: the average of the members' probabilities; logit_mean: that of their logits, which is
    the geometric mean of the probabilities, made to sum to 1. Coarse levels are then read from the
    combined fine head.
    """
    seeds: Literal["each", "together"] = "each"
    """each: one ensemble for every seed, of all members at that seed; together: one of all members
    at all seeds.
    """

    @property
    def words(self) -> str:
        """What kind of ensemble it is: a factor, so that ensembles are compared with their like
        alone.
        """
        how = "logit mean" if self.combine == "logit_mean" else "mean"
        return f"{how} over seeds" if self.seeds == TOGETHER else f"{how} of arms"


def flipped_axes(view: View, flips: Collection[str]) -> tuple[int, ...]:
    """The axes of an image of ``view`` (0: its first) that the directions ``flips`` run along.

    Raises:
        ValueError: the view has no such direction.
    """
    upright: tuple[Direction, ...] = ("superior_inferior", "left_right" if view.projection == "frontal" else "anterior_posterior")
    axes: tuple[Direction, ...] = ("left_right", "superior_inferior", "anterior_posterior") if view.dimensions == 3 else upright
    wrong = [flip for flip in flips if flip not in axes]
    if wrong:
        raise ValueError(f"'predict.flips' names '{wrong[0]}', but a view of the study has only the directions {', '.join(axes)}")
    return tuple(index for index, direction in enumerate(axes) if direction in flips)


def check_ensembles(ensembles: Mapping[str, Ensemble], views: Mapping[str, str], seeds: int) -> None:
    """Raise ValueError where an ensemble cannot be made.

    Args:
        ensembles: by name.
        views: the view of each arm.
        seeds: how many seeds each arm is trained with.
    """
    for name, ensemble in ensembles.items():
        where = f"ensembles.{name}"
        unknown = [member for member in ensemble.members if member not in views]
        if unknown:
            raise ValueError(f"'{where}.members' names '{unknown[0]}'; known are {', '.join(views) or 'no arms'}")
        if name in views:
            raise ValueError(f"'{where}': an arm has that name already; choose another")
        if len(set(ensemble.members)) != len(ensemble.members):
            raise ValueError(f"'{where}.members' names an arm twice: {list(ensemble.members)}")
        if len(ensemble.members) * (seeds if ensemble.seeds == TOGETHER else 1) < 2:
            raise ValueError(f"'{where}' has one member only; name several arms, or take several seeds together ('seeds: together')")
        if len({views[member] for member in ensemble.members}) > 1:
            raise ValueError(f"'{where}.members' see different views, so they do not speak of the same cases")

"""Sections of prediction and of ensembles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import Field

from kneeoa.config.section import Name, Section
from kneeoa.config.volumes import View

Direction = Literal["left_right", "superior_inferior", "anterior_posterior"]

TOGETHER = "together"
NO_ENSEMBLE = "none"
"""Value of the factor ``ensemble`` of a single arm."""


class Prediction(Section):
    """Prediction by trained networks."""

    flips: tuple[Direction, ...] = ()
    """Test-time flips: directions along which a mirror image of each image is predicted as well.
    The logits are averaged, which is the geometric mean of the class probabilities. Embeddings are
    those of the image without a flip. No flip is anatomically right: canonical knees all look like
    right ones, so a left-right flip swaps the medial and the lateral side, and no knee is upside
    down or back to front. A network was not trained on such images. Default: no flip.
    """
    temperature: bool = False
    """Calibrate the probabilities of each head by one temperature, fitted on the validation cases.
    A coarse level derived from a fine head is summed from its calibrated probabilities. The
    temperature is written beside the run's weights even if this is false. It never changes the
    order of a case's classes nor, for two classes, the order of cases: the accuracy of a head at
    its own level and a binary AUC stay the same.
    """


Combine = Literal["mean", "logit_mean", "vote", "weighted"]

COMBINED = {"mean": "mean", "logit_mean": "logit mean", "vote": "vote", "weighted": "weighted mean"}
"""Values of `combine` in words."""


class Ensemble(Section):
    """Several runs whose predictions are combined. Analyses of predictions treat it as an arm."""

    members: tuple[Name, ...] = Field(min_length=1)
    """Names of arms."""
    combine: Combine = "mean"
    """mean: the average of the members' probabilities. logit_mean: the average of their logits,
    which is the geometric mean of the probabilities, made to sum to 1. vote: the class that most
    members predict, ties by the mean probability; its probabilities are (votes + mean probability)
    / (members + 1), whose largest is that class. weighted: the average by weights that are not
    negative, sum to 1 and make the labels of the validation cases most likely; they stand in
    `<pool>.weights.json` beside the predictions. Coarse levels are then derived from the combined
    fine head.
    """
    seeds: Literal["each", "together"] = "each"
    """each: one ensemble for every seed, of all members at that seed. together: one of all members
    at all seeds.
    """

    @property
    def description(self) -> str:
        """The kind of ensemble, in words: a factor, so that only ensembles of the same kind are
        compared.
        """
        how = COMBINED[self.combine]
        return f"{how} over seeds" if self.seeds == TOGETHER else f"{how} of arms"


def flipped_axes(view: View, flips: Collection[str], key: str = "predict.flips") -> tuple[int, ...]:
    """The axes of an image of ``view`` (0: its first) along the directions ``flips``, of which the
    configuration's ``key`` speaks.

    Raises:
        ValueError: the view has no such direction.
    """
    upright: tuple[Direction, ...] = ("superior_inferior", "left_right" if view.projection == "frontal" else "anterior_posterior")
    axes: tuple[Direction, ...] = ("left_right", "superior_inferior", "anterior_posterior") if view.dimensions == 3 else upright
    wrong = [flip for flip in flips if flip not in axes]
    if wrong:
        raise ValueError(f"'{key}' names '{wrong[0]}', but a view of the study has only the directions {', '.join(axes)}")
    return tuple(index for index, direction in enumerate(axes) if direction in flips)


def check_ensembles(ensembles: Mapping[str, Ensemble], views: Mapping[str, str], seeds: int) -> None:
    """Check that all ensembles can be made.

    Args:
        ensembles: by name.
        views: the view of each arm.
        seeds: number of seeds of each arm.

    Raises:
        ValueError: one cannot.
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
            raise ValueError(f"'{where}.members' have different views, so they do not predict the same cases")

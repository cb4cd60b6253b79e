"""Selections of the plug-in module: the locations that its combiner took, and every location's
score.

In a stacked mode the finest level alone chooses.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from kneeoa.heads.losses.interface import Criterion
from kneeoa.plugins.pim import Pim
from kneeoa.plugins.selections.interface import MapSelection


def select(heads: Pim, maps: Sequence[Tensor]) -> dict[str, list[MapSelection]]:
    """The selection of each map, fine to coarse, by level, coarse to fine.

    Args:
        heads: of a network in evaluation mode.
        maps: the backbone's, ``[batch, channels, *positions]``.
    """
    _, parts = heads.parts(heads.locations_of(maps))
    return {
        name: [
            MapSelection(part, location_scores(heads.criteria[name], outputs), ranks[:, :number])
            for part, outputs, ranks, number in zip(heads.parts_of(name), each.locations, each.ranks, heads.select, strict=False)
        ]
        for name, each in parts.items()
        if name in heads.selections
    }


def location_scores(criterion: Criterion, outputs: Tensor) -> Tensor:
    """The score of every location, float32 ``[batch, locations]``, from its head's outputs
    ``[batch, locations, outputs]``: the largest class probability, of a multilabel level the
    largest probability of a finding. They are what :func:`kneeoa.plugins.selection.rank_locations`
    ranks by.
    """
    logits = criterion.class_logits(outputs.float().flatten(0, 1))
    probabilities = logits.softmax(dim=1) if criterion.level.exclusive else logits.sigmoid()
    return probabilities.amax(dim=1).reshape(outputs.shape[:2])

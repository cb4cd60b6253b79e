"""Rank the locations of a map by how sure its head is there, and take those that rank first: every
image of a batch at once.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kneeoa.heads.losses.interface import Criterion


@torch.no_grad()
def rank_locations(criterion: Criterion, outputs: Tensor) -> Tensor:
    """Locations in the order of their scores, highest first; equal scores in the order of the
    locations. int64 ``[batch, locations]``.

    A location's score is its largest class probability, whatever the loss; of a multilabel level
    the largest probability of a finding. It is never computed in less than single precision, in
    which half of a map's scores would tie.

    Args:
        criterion: of the level.
        outputs: its head's, ``[batch, locations, outputs]``.
    """
    with torch.autocast(outputs.device.type, enabled=False):
        precise = outputs.double() if outputs.dtype == torch.float64 else outputs.float()
        logits = criterion.class_logits(precise.flatten(0, 1))
        probabilities = logits.softmax(dim=1) if criterion.level.exclusive else logits.sigmoid()
        scores = probabilities.amax(dim=1).reshape(outputs.shape[:2])
        return scores.sort(dim=1, descending=True, stable=True).indices


def take_locations(values: Tensor, places: Tensor) -> Tensor:
    """The values ``[batch, chosen, channels]`` of ``values`` ``[batch, locations, channels]`` at
    the locations ``places`` ``[batch, chosen]``, differentiable.
    """
    batch, locations, channels = values.shape
    rows = places + locations * torch.arange(batch, device=places.device)[:, None]
    return values.flatten(0, 1).index_select(0, rows.flatten()).reshape(*places.shape, channels)


def unchosen(locations: int, places: Tensor) -> Tensor:
    """Whether each of ``locations`` is not among ``places`` ``[batch, chosen]``: bool ``[batch,
    locations]``.
    """
    everywhere = torch.ones(len(places), locations, dtype=torch.bool, device=places.device)
    return everywhere.scatter(1, places, False)

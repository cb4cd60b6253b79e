"""Layers that the plug-in module applies to every location alike, and the graph that combines the
chosen ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

GROUP = 32
"""Chosen locations for each joint of the graph."""
DROPOUT = 0.1
NARROWING = 4
"""The width of queries and keys is the features' divided by this."""


class RowNorm(nn.BatchNorm1d):
    """Batch norm of rows ``[rows, channels]`` that takes its running statistics where there is one
    row only, which has no variance.
    """

    def forward(self, rows: Tensor) -> Tensor:
        """``[rows, channels]`` to the same shape."""
        if self.training and len(rows) == 1:
            return nn.functional.batch_norm(rows, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        normalised: Tensor = super().forward(rows)
        return normalised


class Tower(nn.Module):
    """A head on every location: linear, batch norm over all images' locations, ReLU, and a last
    layer of the level's loss.
    """

    def __init__(self, width: int, last: nn.Module) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.norm = RowNorm(width)
        self.last = last

    def forward(self, features: Tensor) -> Tensor:
        """Outputs ``[batch, locations, outputs]`` from ``[batch, locations, width]``."""
        rows = self.norm(self.hidden(features.flatten(0, 1))).relu()
        outputs: Tensor = self.last(rows)
        return outputs.reshape(*features.shape[:2], -1)


class Combiner(nn.Module):
    """A graph whose joints are mixtures of the chosen locations, by rank; its edges are learned
    and, in part, computed from the image.
    """

    def __init__(self, width: int, chosen: int) -> None:
        """Make the layers with fresh weights, for ``chosen`` locations in all."""
        super().__init__()
        joints = chosen // GROUP
        self.gather = nn.Linear(chosen, joints)
        self.edges = nn.Parameter(torch.eye(joints) / 100 + 1 / 100)
        self.adaption = nn.Parameter(torch.zeros(1))
        self.queries = nn.Linear(width, width // NARROWING)
        self.keys = nn.Linear(width, width // NARROWING)
        self.features = nn.Linear(width, width)
        self.norm = RowNorm(width)
        self.pool = nn.Linear(joints, 1)

    def forward(self, chosen: Tensor) -> Tensor:
        """The embedding ``[batch, width]`` of chosen locations ``[batch, chosen, width]``, those of
        the finest map first and each map's by rank.
        """
        joints = self.gather(chosen.transpose(1, 2)).transpose(1, 2)
        queries, keys = self.queries(joints).mean(dim=2), self.keys(joints).mean(dim=2)
        edges = self.edges + self.adaption * (queries[:, :, None] - keys[:, None, :]).tanh()
        # Joint j of the outcome is the sum over i of joint i times the edge from i to j.
        mixed = edges.transpose(1, 2) @ self.features(joints)
        normed = self.norm(mixed.flatten(0, 1)).reshape(mixed.shape)
        pooled: Tensor = self.pool(normed.transpose(1, 2))
        return pooled.squeeze(2)

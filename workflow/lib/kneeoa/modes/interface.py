"""What every mode is: heads on one embedding, their losses, and what their logits say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.modes.losses import level_loss


class Heads(nn.Module, ABC):
    """The heads of the levels that supervise. A member lays out its layers and implements :meth:`forward`."""

    def __init__(self, levels: tuple[Level, ...], weights: Mapping[str, float]) -> None:
        super().__init__()
        self.levels: dict[str, Level] = {level.name: level for level in levels}
        self.weights: dict[str, float] = {name: float(weights.get(name, 1.0)) for name in self.levels}

    @abstractmethod
    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """Logits ``[batch, outputs]`` of each level from an embedding ``[batch, width]``."""

    def loss(self, logits: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The loss of each level, unweighted, and ``total``, their weighted sum (scalars).

        Args:
            logits: what :meth:`forward` gave.
            labels: for each supervised level int64 ``[batch]`` (multilabel: ``[batch, findings]``), -1 where unread. A level without a
                single label in the batch contributes 0.

        Raises:
            KneeoaError: the labels of a supervised level are not given.
        """
        missing = [name for name in self.levels if name not in labels]
        if missing:
            raise KneeoaError(f"no labels were given for the supervised level '{missing[0]}'; given are {sorted(labels)}")
        losses = {name: level_loss(logits[name], labels[name], level) for name, level in self.levels.items()}
        weighted = [self.weights[name] * value for name, value in losses.items()]
        return {**losses, "total": torch.stack(weighted).sum()}

    def class_logits(self, logits: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits ``[batch, classes]`` of each level: a single logit z of a binary level becomes the pair (0, z)."""
        return {name: torch.cat([torch.zeros_like(z), z], dim=1) if z.shape[1] == 1 else z for name, z in logits.items()}

    def probabilities(self, logits: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """float64 probabilities ``[batch, classes]`` of each level; multilabel findings are independent, all others sum to 1."""
        return {name: class_probabilities(z, self.levels[name]) for name, z in self.class_logits(logits).items()}

    def score(self, logits: Mapping[str, Tensor], head: str, positive: Collection[int]) -> Tensor:
        """Log-odds ``[batch]`` that the class of ``head`` is among ``positive``: differentiable, never saturated.

        The log-odds of a sum of softmax probabilities is the logsumexp of its logits minus that of the others.

        Raises:
            KneeoaError: ``positive`` holds none or all of the classes, or the head is multilabel (its findings exclude no one another).
        """
        level = self.levels[head]
        z = self.class_logits(logits)[head]
        inside = [index for index in range(z.shape[1]) if index in positive]
        outside = [index for index in range(z.shape[1]) if index not in positive]
        if level.kind == "multilabel" or not inside or not outside:
            raise KneeoaError(
                f"head '{head}' ({level.kind}, {len(level.classes)} classes) has no log-odds of the classes {sorted(positive)}"
            )
        return torch.logsumexp(z[:, inside], dim=1) - torch.logsumexp(z[:, outside], dim=1)


def class_probabilities(logits: Tensor, level: Level) -> Tensor:
    """float64 probabilities from logits ``[batch, classes]``: sigmoid for a multilabel level, softmax for all others."""
    return torch.sigmoid(logits.double()) if level.kind == "multilabel" else torch.softmax(logits.double(), dim=1)

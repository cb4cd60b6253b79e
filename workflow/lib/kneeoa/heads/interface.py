"""Interface of every mode: heads on one embedding, their losses, and class probabilities from their
outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kneeoa.backbones.interface import Features
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.heads.losses.interface import MISSING, Criterion


def balanced_weights(labels: Tensor, level: Level) -> Tensor:
    """The weight of each class: cases / (classes that occur x cases of the class), so that the mean
    over the labelled cases is 1.

    King and Zeng (Political Analysis 9, 2001). A class that does not occur has 1.

    Args:
        labels: int64 ``[cases]``, or ``[cases, findings]`` of a multilabel level, -1 where unread:
            the training cases' and no others.
        level: theirs.

    Returns:
        float64 ``[classes]``; of a multilabel level ``[findings, 2]``, absent and present of each
        finding by itself.
    """
    if not level.exclusive:
        return torch.stack([_weights(findings, 2) for findings in labels.T])
    return _weights(labels, len(level.classes))


def _weights(labels: Tensor, classes: int) -> Tensor:
    counts = torch.bincount(labels[labels != MISSING], minlength=classes).double()
    occurs = counts > 0
    return torch.where(occurs, counts.sum() / (occurs.sum() * counts.clamp(min=1)), 1.0)


@dataclass(frozen=True)
class Supervision:
    """One level's part in training."""

    criterion: Criterion
    weight: float
    """Weight of its loss in the total."""

    @property
    def level(self) -> Level:
        """The level that supervises."""
        return self.criterion.level


class Heads(nn.Module, ABC):
    """The heads of the levels that supervise. A subclass makes its layers and implements
    :meth:`forward`.
    """

    def __init__(self, supervisions: tuple[Supervision, ...]) -> None:
        super().__init__()
        self.levels: dict[str, Level] = {each.level.name: each.level for each in supervisions}
        self.criteria: dict[str, Criterion] = {each.level.name: each.criterion for each in supervisions}
        self.weights: dict[str, float] = {each.level.name: each.weight for each in supervisions}
        self.class_weights: dict[str, Tensor] = {}  # of training only: no part of the weights that are saved

    def read(self, features: Features, dropout: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
        """The network's embedding ``[batch, width]`` and each level's outputs, from a backbone's
        output; ``dropout`` is the backbone's, between its embedding and the heads.
        """
        return features.embedding, self(dropout(features.embedding))

    @abstractmethod
    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """Outputs ``[batch, outputs]`` of each level from an embedding ``[batch, width]``."""

    def balance(self, labels: Mapping[str, Tensor]) -> None:
        """Weight classes in every later loss by their inverse frequency in ``labels`` (those of the
        training cases).

        Raises:
            KneeoaError: the labels of a supervised level are not given.
        """
        self._check_given(labels)
        self.class_weights = {name: balanced_weights(labels[name].cpu(), level) for name, level in self.levels.items()}

    def terms(self, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Number of terms in the mean of each level's loss, int64 scalars."""
        self._check_given(labels)
        return {name: criterion.terms(labels[name]) for name, criterion in self.criteria.items()}

    def loss(
        self, logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], terms: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """The loss of each level, before its weight, and ``total``, their weighted sum (scalars).

        Args:
            logits: what :meth:`forward` gave.
            labels: for each supervised level int64 ``[batch]`` (multilabel: ``[batch, findings]``),
                -1 where unread. A level without a single label in the batch contributes 0.
            terms: of the batch that these cases are a part of (:meth:`terms`): the parts' losses
                then add up to the whole batch's.

        Raises:
            KneeoaError: the labels of a supervised level are not given.
        """
        self._check_given(labels)
        losses = {
            name: criterion.loss(logits[name], labels[name], None if terms is None else terms[name], self.class_weights.get(name))
            for name, criterion in self.criteria.items()
        }
        weighted = [self.weights[name] * value for name, value in losses.items()]
        return {**losses, "total": torch.stack(weighted).sum()}

    def class_logits(self, logits: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits ``[batch, classes]`` of each level: their softmax (multilabel: sigmoid) are its
        probabilities, whatever its loss.
        """
        return {name: self.criteria[name].class_logits(outputs) for name, outputs in logits.items()}

    def probabilities(self, logits: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """float64 probabilities ``[batch, classes]`` of each level; multilabel findings are
        independent, all others sum to 1.
        """
        double = {name: outputs.double() for name, outputs in logits.items()}
        return {name: class_probabilities(z, self.levels[name]) for name, z in self.class_logits(double).items()}

    def score(self, logits: Mapping[str, Tensor], head: str, positive: Collection[int]) -> Tensor:
        """Log-odds ``[batch]`` that the class of ``head`` is among ``positive``: differentiable,
        never saturated.

        The log-odds of a sum of softmax probabilities is the logsumexp of its logits minus that of
        the others.

        Raises:
            KneeoaError: ``positive`` holds none or all of the classes, or the head is multilabel
                (its findings exclude no one another).
        """
        level = self.levels[head]
        z = self.class_logits(logits)[head]
        inside = [index for index in range(z.shape[1]) if index in positive]
        outside = [index for index in range(z.shape[1]) if index not in positive]
        if not level.exclusive or not inside or not outside:
            raise KneeoaError(
                f"head '{head}' ({level.kind}, {len(level.classes)} classes) has no log-odds of the classes {sorted(positive)}"
            )
        return torch.logsumexp(z[:, inside], dim=1) - torch.logsumexp(z[:, outside], dim=1)

    def _check_given(self, labels: Mapping[str, Tensor]) -> None:
        missing = [name for name in self.levels if name not in labels]
        if missing:
            raise KneeoaError(f"no labels were given for the supervised level '{missing[0]}'; given are {sorted(labels)}")


def class_probabilities(logits: Tensor, level: Level) -> Tensor:
    """float64 probabilities from logits ``[batch, classes]``: sigmoid for a multilabel level,
    softmax for all others.
    """
    return torch.softmax(logits.double(), dim=1) if level.exclusive else torch.sigmoid(logits.double())

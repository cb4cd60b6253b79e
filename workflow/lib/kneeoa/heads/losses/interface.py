"""Interface of every criterion: the number of a head's outputs, their loss, and the class logits
that they give.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError

MISSING = -1


class Criterion(ABC):
    """The loss of one level: a mean over the terms that have a label, 0 without any.

    The mean counts terms: a case, a finding of a case (multilabel), or a conditional task of a case
    (CORN).
    """

    def __init__(self, level: Level) -> None:
        self.level = level

    @property
    def outputs(self) -> int:
        """Number of the head's outputs for a case."""
        return len(self.level.classes)

    @property
    def label_shape(self) -> tuple[int, ...]:
        """The shape of one case's label."""
        return ()

    def head(self, width: int) -> nn.Module:
        """A fresh head on an embedding of ``width`` components, drawn from torch's global
        generator.
        """
        return nn.Linear(width, self.outputs)

    @abstractmethod
    def class_logits(self, outputs: Tensor) -> Tensor:
        """Logits ``[batch, classes]`` whose softmax (multilabel: sigmoid) are the probabilities,
        from ``[batch, outputs]``.
        """

    @abstractmethod
    def elements(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The loss of every possible term, ``[batch, terms]``; any finite number where
        :meth:`counted` is false.
        """

    def counted(self, labels: Tensor) -> Tensor:
        """Mask of the terms that have a label, bool ``[batch, terms]``."""
        return (labels != MISSING).reshape(len(labels), -1)

    def terms(self, labels: Tensor) -> Tensor:
        """Number of terms in ``labels``, the divisor of the mean; an int64 scalar."""
        return self.counted(labels).sum()

    def loss(self, outputs: Tensor, labels: Tensor, terms: Tensor | None = None, class_weights: Tensor | None = None) -> Tensor:
        """The mean over terms, a scalar that stays in the graph even where no label is there.

        Args:
            outputs: ``[batch, outputs]``.
            labels: int64 ``[batch, *label_shape]``, -1 where unread.
            terms: divide by this number instead of the labels' own: the losses of a batch's parts,
                each divided by the terms of the whole batch, add up to the loss of the whole batch.
            class_weights: a factor for every class, ``[classes]`` (multilabel: absent or present,
                ``[findings, 2]``). The mean divides by the number of terms, not by the sum of their
                factors.

        Raises:
            KneeoaError: the labels' shape does not fit.
        """
        expected = (len(outputs), *self.label_shape)
        if tuple(labels.shape) != expected:
            raise KneeoaError(f"labels of level '{self.level.name}' have the shape {list(labels.shape)}; expected is {list(expected)}")
        each = self.elements(outputs, labels)
        if class_weights is not None:
            each = each * self._factors(class_weights.to(each), labels)
        divisor = self.terms(labels) if terms is None else terms.to(each.device)
        return torch.where(self.counted(labels), each, 0.0).sum() / divisor.clamp(min=1)

    def _factors(self, class_weights: Tensor, labels: Tensor) -> Tensor:
        """The factor of every term, ``[batch, 1]`` or ``[batch, terms]``."""
        return class_weights[labels.clamp(min=0)][:, None]

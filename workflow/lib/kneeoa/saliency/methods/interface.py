"""Interface of every method of saliency: signed maps of a batch of images for a fixed score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from kneeoa.config.analysis import Saliency
from kneeoa.network.network import Network, Output


@dataclass(frozen=True)
class Target:
    """The score that is explained, the same whatever the network predicts.

    A binary level is explained by its log-odds; a level of several classes by the logit of a class
    that is given for each case (its true one), never by the largest logit, which may be another
    class in each network. A class or finding that is named is explained by its log-odds, in every
    case.
    """

    network: Network
    """In evaluation mode."""
    level: str
    head: str
    """The head that predicts the level: its own, or a finer one."""
    classes: Tensor | None = None
    """int64 ``[batch]``: the class of each case that is explained; None: the level is binary, or a
    class is named.
    """
    named: int | None = None
    """The class or finding of the level that is explained in every case."""

    def of(self, output: Output) -> Tensor:
        """Scores ``[batch]`` of a network's output, in logit units."""
        if self.named is not None:
            return self.network.class_score(output, self.level, self.head, self.named)
        if self.classes is None:
            return self.network.target_score(output, self.level, self.head)
        logits = self.network.class_logits(output.logits)[self.level, self.head]
        return logits.gather(1, self.classes[:, None])[:, 0]

    def __call__(self, images: Tensor) -> Tensor:
        """Scores ``[batch]`` of ``images`` ``[batch, channels, *shape]``."""
        return self.of(self.network(images))


class Method(Protocol):
    """A method of saliency. Its memory is limited by the batch, which is never multiplied by steps,
    samples or hidden cubes.
    """

    def __call__(self, target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
        """Signed maps ``[batch, *shape]`` (channels summed): positive where the image raises the
        score.

        Args:
            target: the score, of the same cases as ``images``.
            images: float32 ``[batch, channels, *shape]``.
            generators: one a case, so that a map does not depend on which cases share the batch.
            options: the methods' settings.
        """
        ...

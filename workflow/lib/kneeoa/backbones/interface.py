"""What every backbone is: an image in, feature maps and one embedding out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from kneeoa.backbones.pretrained import Loaded, load_into


@dataclass
class Features:
    """What a backbone sees in a batch of images."""

    maps: list[Tensor]
    """Feature maps, fine to coarse, each ``[batch, width, *positions]``; a token sequence has one
    axis of positions.
    """
    embedding: Tensor
    """``[batch, embedding_width]``: what the heads read."""


class Backbone(nn.Module, ABC):
    """An encoder. A member sets the attributes below in its constructor and implements
    :meth:`forward`.
    """

    embedding_width: int
    """Components of the embedding."""
    map_widths: tuple[int, ...]
    """Channels of each feature map, fine to coarse."""
    head_dropout: float = 0.0
    """Probability with which the published network drops components of the embedding before its
    head, in training.
    """

    @abstractmethod
    def forward(self, image: Tensor) -> Features:
        """Encode ``image`` of shape ``[batch, channels, *shape]``."""

    def load_pretrained(self, path: str | Path) -> Loaded:
        """Begin from the weights of a file: one of our own runs of this backbone here, and a
        member's public files where it overrides this.

        Raises:
            KneeoaError: the file cannot be read or does not fit.
        """
        return load_into(self, path)

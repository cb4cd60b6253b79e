"""Interface of every backbone: feature maps and one embedding of an image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from kneeoa.backbones.pretrained import LoadedWeights, load_into
from kneeoa.errors import KneeoaError


@dataclass
class Features:
    """A backbone's output for a batch of images."""

    maps: list[Tensor]
    """Feature maps, fine to coarse, each ``[batch, width, *positions]``; a token sequence has one
    axis of positions.
    """
    embedding: Tensor
    """``[batch, embedding_width]``, the input of the heads."""


class Backbone(nn.Module, ABC):
    """An encoder. A subclass sets the attributes below in its constructor and implements
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

    def use_public_maps(self) -> None:
        """Give the layers that the published plug-in module takes of this network as the feature
        maps from now on. A backbone with which it was published overrides this.

        Raises:
            KneeoaError: it was not published with this kind.
        """
        raise KneeoaError(f"the plug-in module was not published with {type(self).__name__}; take its own maps")

    def load_pretrained(self, path: str | Path) -> LoadedWeights:
        """Load the weights of a file, of a run of this backbone or, in subclasses that override
        this, a public one.

        Raises:
            KneeoaError: the file cannot be read or does not fit.
        """
        return load_into(self, path)

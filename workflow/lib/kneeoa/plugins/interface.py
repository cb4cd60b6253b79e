"""Interface of every plug-in: heads that read a backbone's feature maps, not its embedding."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from kneeoa.backbones.interface import Features
from kneeoa.backbones.pretrained import LoadedWeights
from kneeoa.errors import KneeoaError
from kneeoa.heads.interface import Heads, Supervision

Chain = Literal["parallel", "stacked"]
"""Arrangement of the heads of several levels: each for itself, or a coarser level's on the
outputs of the next finer one. A mode declares its own (``CHAIN``).
"""


@dataclass(frozen=True)
class Maps:
    """The feature maps that a plug-in is built for."""

    widths: tuple[int, ...]
    """Channels of each map, fine to coarse."""
    sizes: tuple[tuple[int, ...], ...]
    """Positions of each map along its axes; a token sequence has one axis."""

    @property
    def locations(self) -> tuple[int, ...]:
        """Number of positions of each map."""
        return tuple(math.prod(size) for size in self.sizes)


class PluginHeads(Heads):
    """The heads of the levels that supervise, on feature maps.

    ``outputs`` of a level, as :meth:`read` gives them and :meth:`loss` takes them, are the
    plug-in's own: their first axis holds the cases, and they must be small, as those of a whole
    split are kept. What a stage after training needs is :meth:`class_logits`.
    """

    def __init__(self, supervisions: tuple[Supervision, ...], maps: Maps) -> None:
        super().__init__(supervisions)
        self.maps = maps

    def read(self, features: Features, dropout: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
        """The plug-in's embedding ``[batch, width]`` and each level's outputs, from the feature
        maps; the backbone's embedding and its dropout are not used.

        Raises:
            KneeoaError: the maps are not of the sizes that the plug-in is built for.
        """
        return self.read_maps(self.locations_of(features.maps))

    @abstractmethod
    def read_maps(self, maps: Sequence[Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """As :meth:`read`, from maps ``[batch, locations, channels]``, fine to coarse."""

    def load_pretrained(self) -> LoadedWeights | None:
        """Load the file of weights that the options name, in place; None where they name none.

        Raises:
            KneeoaError: the file cannot be read or does not fit.
        """
        return None

    @abstractmethod
    def parts_of(self, name: str) -> tuple[str, ...]:
        """Names of the parts that answer at a level, each by itself."""

    @abstractmethod
    def part_class_logits(self, name: str, outputs: Tensor) -> Tensor:
        """Class logits ``[batch, parts, classes]`` of each part at a level, from the level's
        outputs.
        """

    def locations_of(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps ``[batch, channels, *positions]`` as ``[batch, locations, channels]``.

        Raises:
            KneeoaError: they are not of the sizes that the plug-in is built for.
        """
        given = tuple(tuple(each.shape[2:]) for each in maps)
        if given != self.maps.sizes:
            raise KneeoaError(f"the plug-in is built for maps of {_sizes(self.maps.sizes)}, but the image's are of {_sizes(given)}")
        return [each.flatten(2).transpose(1, 2) for each in maps]

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """No plug-in reads an embedding.

        Raises:
            TypeError: always; call :meth:`read`.
        """
        raise TypeError("a plug-in reads feature maps; call read()")


def _sizes(sizes: Sequence[Sequence[int]]) -> str:
    return ", ".join("x".join(map(str, size)) for size in sizes)

"""Options of the plug-in module."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from kneeoa.backbones.step_cost import StepCost, convolution
from kneeoa.config.section import Section
from kneeoa.plugins.options.base import PluginOptions, Sizes

LEAST = 32
"""Chosen locations for each joint of the combiner's graph, which needs one joint."""
WIDTHS = {2: 512, 3: 128}
"""Default width by the axes of the image."""


class LossWeights(Section):
    """Factors of the terms of the plug-in module's loss."""

    levels: NonNegativeFloat = 0.5
    """Weight of the loss of each map's mean logits."""
    selected: NonNegativeFloat = 0.0
    """Weight of the loss of the chosen locations' logits. With a combiner its authors found it
    unstable (issue 10 of their repository), hence 0.
    """
    dropped: NonNegativeFloat = 5.0
    """Weight of the squared distance of all other locations' outputs, after tanh, from -1."""
    combiner: NonNegativeFloat = 1.0
    """Weight of the combiner's loss."""


class Pretrained(Section):
    """A file of the plug-in module's weights that training begins from."""

    file: str
    """In the layout of the published module: ``.pth``, ``.pt`` or ``.safetensors``, tensors alone.
    A backbone's beside them are left out; name the file at the backbone's `weights` too.
    Environment variables are expanded. Nothing is downloaded.
    """
    shape: tuple[PositiveInt, ...] = Field(min_length=2, max_length=3)
    """Size of the images that it was trained on. Layers of a transformer's maps belong to that
    size; all others take any.
    """


class Options(PluginOptions):
    """The plug-in module, PIM (Chou et al. 2022): heads on every location of a feature pyramid, and
    a graph that combines the locations chosen by them.
    """

    chains: ClassVar[tuple[str, ...]] = ("parallel", "stacked")

    kind: Literal["pim"] = "pim"
    """The plug-in module."""

    width: int | None = Field(default=None, ge=4)
    """Channels of the pyramid and of the embedding. Default: 512 for images of two dimensions, 128
    for three.
    """
    select: tuple[PositiveInt, ...] = (LEAST,)
    """Number of chosen locations of each map, fine to coarse; one number is for every map. Their
    order matters to the combiner, and it has one joint for each 32 of them.
    """
    maps: Literal["own", "public"] = "own"
    """own: the feature maps of the backbone, of any kind. public: the layers that the published
    module takes from resnet50, efficientnet, vit and swin2d, in two dimensions. Files of its
    weights need them. A transformer's are token sequences, and then some layers belong to one image
    size.
    """
    pretrained: Pretrained | None = None
    """Weights that training begins from, for a mode of one level. Default: fresh ones."""
    weights: LossWeights = LossWeights()
    """Factors of the terms of the loss."""

    @property
    def public_maps(self) -> bool:
        """Whether it takes the published module's layers."""
        return self.maps == "public"

    def weights_file(self) -> Path | None:
        """The file that :attr:`pretrained` names, its variables expanded."""
        return None if self.pretrained is None else Path(os.path.expandvars(self.pretrained.file))

    def check_image(self, shape: tuple[int, ...], sizes: Sizes, levels: int) -> None:
        """Check that :attr:`pretrained` is for images of ``shape``, where layers are tied to it,
        and that one level supervises.

        Raises:
            ValueError: with the numbers.
        """
        if self.pretrained is None:
            return
        if levels != 1:
            raise ValueError(f"'pretrained' names a file of the published module, which has heads of one level, but {levels} supervise")
        if self.pretrained.shape != shape and any(_tied(fine, coarse) for fine, coarse in pairwise(sizes)):
            locations = ", ".join(str(math.prod(size)) for size in sizes)
            raise ValueError(
                f"'pretrained' was trained on images of {list(self.pretrained.shape)}, to whose locations its layers are tied, "
                f"but the arm's are {list(shape)}, with {locations} locations; give the arm a grid of that size, "
                "or leave 'pretrained' out"
            )

    def selected(self, maps: int) -> tuple[int, ...]:
        """Number of chosen locations of each of so many maps."""
        return self.select * maps if len(self.select) == 1 else self.select

    def width_of(self, dimensions: int) -> int:
        """The width for images of so many dimensions."""
        return WIDTHS.get(dimensions, WIDTHS[3]) if self.width is None else self.width

    def memory_mb(self, sizes: Sizes, batch: int, dimensions: int, levels: int) -> float:
        """Megabytes of a step. At each location the pyramid's features, and for each level two
        activations of its head, are kept for the gradient; one more is being computed. Of the
        weights, layers across the locations of sequences are counted, which can be large.
        """
        locations = [math.prod(size) for size in sizes]
        activations = batch * sum(locations) * self.width_of(dimensions) * (2 + 2 * levels)
        across = sum(math.prod(fine) * math.prod(coarse) for fine, coarse in pairwise(sizes) if _tied(fine, coarse))
        return (4 * activations + 16 * across) / 1e6

    def step_cost(self, sizes: Sizes, widths: Sequence[int], dimensions: int, levels: int) -> StepCost:
        """Arithmetic of the layers on every location; the graph's is small."""
        width, cost = self.width_of(dimensions), StepCost()
        for size, channels in zip(sizes, widths, strict=True):
            locations = math.prod(size)
            cost += convolution(locations, channels, channels, 1, bias=True) + convolution(locations, channels, width, 1, bias=True)
            cost += convolution(locations, width, width, 1, bias=True) * levels
        return cost

    def check_maps(self, sizes: Sizes) -> None:
        """Check that there are numbers for as many maps as these, that no map has fewer locations
        than are chosen of it, and that enough are chosen in all.

        Raises:
            ValueError: with the numbers.
        """
        if not sizes:
            raise ValueError("the backbone gives no feature map")
        select, locations = self.selected(len(sizes)), [math.prod(size) for size in sizes]
        if len(select) != len(sizes):
            raise ValueError(
                f"'select' has {len(select)} numbers ({list(select)}), but the backbone gives {len(sizes)} maps, of {_listed(sizes)}"
            )
        for number, (chosen, there) in enumerate(zip(select, locations, strict=True), start=1):
            if chosen > there:
                raise ValueError(
                    f"'select' takes {chosen} locations of map {number}, which has {there}; the maps have {locations} ({_listed(sizes)}): "
                    "give a number for each map, or the arm a finer grid"
                )
        if sum(select) < LEAST:
            raise ValueError(f"'select' takes {sum(select)} locations in all ({list(select)}); the combiner needs {LEAST} at least")


def _tied(fine: tuple[int, ...], coarse: tuple[int, ...]) -> bool:
    """Whether the layer from one map to the next finer one has weights for every location."""
    return fine != coarse and not len(fine) == len(coarse) > 1


def _listed(sizes: Sizes) -> str:
    return ", ".join(" x ".join(map(str, size)) for size in sizes)

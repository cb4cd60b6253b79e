"""Base class of the options of every backbone, with checks of the input's shape."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from kneeoa.backbones.step_cost import StepCost
from kneeoa.config.section import Section

MapSizes = tuple[tuple[int, ...], ...]


class BackboneOptions(Section, ABC):
    """Options of one kind of backbone; every default is the published size."""

    kind: ClassVar[str]

    weights: str | None = None
    """A file of weights that training begins from: ``.safetensors``, ``.pth`` or ``.pt``. It is
    that of an earlier run of the same backbone, or a public one in a layout that the backbone
    supports. Environment variables are expanded. Nothing is downloaded: fetch the file beforehand.
    """

    def weights_file(self) -> Path | None:
        """The file that :attr:`weights` names, its variables expanded; None where training begins
        from fresh weights.
        """
        return None if self.weights is None else Path(os.path.expandvars(self.weights))

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """Positions of every feature map along its axes, fine to coarse, for an input of ``shape``;
        a token sequence has one axis. Empty where a kind does not say: no plug-in can then take it.
        """
        return ()

    def public_map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """As :meth:`map_sizes`, of the layers that the published plug-in module takes.

        Raises:
            ValueError: it was not published with this kind, or not for images like this.
        """
        raise ValueError(f"the plug-in module was not published with backbone '{self.kind}', so there is no 'maps: public'; take 'own'")

    def step_cost(self, shape: tuple[int, ...], channels: int = 1) -> StepCost | None:
        """Parameters, memory and arithmetic of a training step for an image of ``shape``; None
        where a kind does not say.
        """
        return None

    def map_widths(self, public: bool = False) -> tuple[int, ...]:
        """Channels of every map, fine to coarse, or of the layers that the published plug-in module
        takes; empty where a kind does not say.
        """
        return ()

    @abstractmethod
    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError unless the network can take an input of ``shape`` (voxels along each
        axis).
        """

    def check_flat(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError unless ``shape`` has two axes, for which alone the plug-in module was
        published.
        """
        if len(shape) != 2:
            raise ValueError(f"the plug-in module was published for images of two dimensions, not of {len(shape)}; take 'maps: own'")

    def check_heads(self, embedding: int, heads: tuple[int, ...]) -> None:
        """Raise ValueError unless each stage's number of attention heads divides its width, which
        doubles from stage to stage.
        """
        for stage, count in enumerate(heads):
            width = embedding * 2**stage
            if width % count:
                raise ValueError(f"'heads' ({count}) of stage {stage + 1} must divide its width ({width})")

    def check_volume(self, shape: tuple[int, ...], least: int, why: str) -> None:
        """Raise ValueError unless ``shape`` has three axes of at least ``least`` voxels each;
        ``why`` ends the sentence.
        """
        if len(shape) != 3:
            raise ValueError(
                f"backbone '{self.kind}' takes 3 axes, but the input has {len(shape)} ({list(shape)}); choose a 3D view or grid"
            )
        if min(shape) < least:
            raise ValueError(f"backbone '{self.kind}' needs at least {least} voxels along each axis, not {list(shape)}: {why}")

    def check_image(self, shape: tuple[int, ...], least: int, why: str) -> None:
        """Raise ValueError unless ``shape`` has two or three axes of at least ``least`` voxels
        each; ``why`` ends the sentence.
        """
        if len(shape) not in (2, 3):
            raise ValueError(f"backbone '{self.kind}' takes 2 or 3 axes, but the input has {len(shape)} ({list(shape)})")
        if min(shape) < least:
            raise ValueError(f"backbone '{self.kind}' needs at least {least} voxels along each axis, not {list(shape)}: {why}")


def coarser(shape: tuple[int, ...], factor: int) -> tuple[int, ...]:
    """Positions of a map ``factor`` times coarser than ``shape``, rounded up."""
    return tuple(-(-size // factor) for size in shape)

"""A network: a backbone, dropout where the published network has it, and the heads of a mode; its
outputs and the scores that saliency explains.

Images and kernels lie channels last in memory, which made a training step of a small 3D network on
a CPU over four times faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.central_crop import Window, central_window
from kneeoa.config.hierarchy import Level, class_groupings
from kneeoa.errors import KneeoaError
from kneeoa.heads.interface import Heads, class_probabilities

# By number of axes: [batch, channels, *size] with two or three axes of size.
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


def channels_last(image: Tensor) -> Tensor:
    """``image`` with the same values and shape, its channels together in memory."""
    if image.shape[1] == 1:
        # One channel lies both ways at once, and torch then takes it for channels first, as do all
        # layers after it that cannot tell either (depthwise and 1x1 kernels). Strides that say
        # channels last decide it; no value moves.
        return image.squeeze(1).contiguous().unsqueeze(-1).movedim(-1, 1)
    return image.contiguous(memory_format=CHANNELS_LAST[image.dim()])


def kernels_channels_last(network: nn.Module) -> None:
    """Lay out every 2D and 3D convolution's kernel in place so that convolutions choose the
    channels-last path.
    """
    for parameter in network.parameters():
        if parameter.dim() in CHANNELS_LAST:
            parameter.data = channels_last(parameter.data)


@dataclass
class Output:
    """A network's output for a batch."""

    embedding: Tensor
    """``[batch, width]``, before dropout."""
    logits: dict[str, Tensor]
    """Level of the head -> ``[batch, outputs]``; with a plug-in ``[batch, rows, outputs]``."""
    maps: list[Tensor]
    """The backbone's feature maps, fine to coarse."""


class Network(nn.Module):
    """A backbone and its heads: a mode's on the embedding, or a plug-in's on the feature maps."""

    def __init__(self, backbone: Backbone, heads: Heads, levels: tuple[Level, ...], crop: tuple[int, ...] | None = None) -> None:
        """``crop``: voxels along each axis of the central part of an image that the backbone takes;
        None: the whole.
        """
        super().__init__()
        self.crop = crop
        self.backbone = backbone
        self.dropout = nn.Dropout(backbone.head_dropout)
        self.heads = heads
        self.levels = {level.name: level for level in levels}
        self._groups = {(level, head): groups for head in heads.levels for level, groups in class_groupings(levels, head).items()}

    @property
    def readings(self) -> tuple[tuple[str, str], ...]:
        """Every pair (level, head) that the network predicts: each head's own level, and the
        coarser levels derived from it.
        """
        return tuple(self._groups)

    def forward(self, image: Tensor) -> Output:
        """Logits of every head for ``image`` of shape ``[batch, channels, *shape]``; of a larger
        one than the network takes, for its central part.
        """
        features = self.features(image)
        embedding, outputs = self.heads.read(features, self.dropout)
        return Output(embedding, outputs, features.maps)

    def features(self, image: Tensor) -> Features:
        """Feature maps and embedding of ``image``, of a larger one than the backbone takes of its
        central part.
        """
        if self.crop is not None:
            for axis, part in enumerate(self.window(image.shape[2:]), start=2):
                image = image.narrow(axis, part.start, part.stop - part.start)
        features: Features = self.backbone(channels_last(image))
        return features

    def window(self, shape: Sequence[int]) -> Window:
        """The part of an image of ``shape`` (voxels along each axis) that the backbone takes."""
        return central_window(shape, self.crop or shape)

    def class_logits(self, logits: dict[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """(level, head) -> logits ``[batch, classes of the level]`` for each of :attr:`readings`.

        The logit of a coarse class is the logsumexp of its fine classes' logits, so that its
        softmax is the sum of their probabilities; a coarse class that no fine class belongs to has
        minus infinity.
        """
        head_logits = self.heads.class_logits(logits)
        return {(level, head): self._coarse_logits(head_logits[head], level, head) for level, head in self._groups}

    def probabilities(self, logits: dict[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """(level, head) -> float64 probabilities ``[batch, classes of the level]`` for each of
        :attr:`readings`.
        """
        double = {head: z.double() for head, z in logits.items()}
        return {pair: class_probabilities(z, self.levels[pair[0]]) for pair, z in self.class_logits(double).items()}

    def target_score(self, output: Output, level: str, head: str) -> Tensor:
        """The scalar of each case that a saliency map explains, ``[batch]``, differentiable.

        Binary level: log-odds of class 1, from its own head or summed from a finer one (the logit
        of the sum of p(KL >= 2)). Level of several classes: the largest logit (paper A's arg-max
        logit).

        Raises:
            KneeoaError: ``head`` does not predict ``level``, the level is multilabel, or one of its
                two classes is empty.
        """
        if (level, head) not in self._groups:
            available = ", ".join(f"{pair[0]} from {pair[1]}" for pair in self.readings)
            raise KneeoaError(f"there is no score of level '{level}' from head '{head}'; this network gives {available}")
        explained = self.levels[level]
        if not explained.exclusive:
            raise KneeoaError(f"level '{level}' is {explained.kind}: its findings have no common score to explain; name one of them")
        if explained.binary:
            return self.heads.score(output.logits, head, [fine for fine, coarse in enumerate(self._groups[level, head]) if coarse == 1])
        return self.class_logits(output.logits)[level, head].amax(dim=1)

    def class_score(self, output: Output, level: str, head: str, number: int) -> Tensor:
        """Log-odds ``[batch]`` of one class of ``level`` against the rest, or of one finding of a
        multilabel level; differentiable.

        Raises:
            KneeoaError: ``head`` does not predict ``level``, or no class of the head belongs to the
                class, or all do.
        """
        if (level, head) not in self._groups:
            raise KneeoaError(f"there is no score of level '{level}' from head '{head}'")
        if not self.levels[level].exclusive:
            return self.heads.class_logits(output.logits)[head][:, number]
        return self.heads.score(output.logits, head, [fine for fine, coarse in enumerate(self._groups[level, head]) if coarse == number])

    def _coarse_logits(self, logits: Tensor, level: str, head: str) -> Tensor:
        if level == head:
            return logits
        groups = self._groups[level, head]
        count = len(self.levels[level].classes)
        members = [[fine for fine, coarse in enumerate(groups) if coarse == index] for index in range(count)]
        return torch.stack([torch.logsumexp(logits[:, member], dim=1) for member in members], dim=1)

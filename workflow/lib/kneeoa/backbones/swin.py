"""The Swin encoder of SwinUNETR (Hatamizadeh et al. 2022, arXiv 2201.01266) in two or three
dimensions: MONAI's layers.

MONAI's own ``forward`` needs another package (einops) to permute axes; here torch permutes them.
Weights have MONAI's initial values.
"""

from __future__ import annotations

from typing import Any

from monai.networks.blocks.patchembedding import PatchEmbed
from monai.networks.nets.swin_unetr import BasicLayer, PatchMerging, compute_mask, get_window_size
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.swin import Options


class Swin(Backbone):
    """Patches of side 2 and four stages of windowed attention, each of which ends by merging
    neighbours.

    Maps are those of the patches and of the four stages, normalised over their channels; the
    embedding is the global mean of the last.
    """

    def __init__(self, dimensions: int, in_channels: int, options: Options) -> None:
        super().__init__()
        steps = max(1, sum(options.depths) - 1)
        rates = [options.drop_path * layer / steps for layer in range(sum(options.depths))]
        no_norm: Any = None  # as MONAI's encoder passes it, whatever the annotation says
        self.patches = PatchEmbed(
            patch_size=2, in_chans=in_channels, embed_dim=options.embedding, norm_layer=no_norm, spatial_dims=dimensions
        )
        self.stages = nn.ModuleList(
            BasicLayer(
                dim=options.embedding * 2**stage,
                depth=depth,
                num_heads=heads,
                window_size=[options.window] * dimensions,
                drop_path=[rates.pop(0) for _ in range(depth)],
                qkv_bias=True,
                downsample=PatchMerging,  # type: ignore[arg-type]  # the layer takes a class, whatever its annotation says
            )
            for stage, (depth, heads) in enumerate(zip(options.depths, options.heads, strict=True))
        )
        self.map_widths = tuple(options.embedding * 2**stage for stage in range(5))
        self.embedding_width = self.map_widths[-1]

    def forward(self, image: Tensor) -> Features:
        """Five maps, for ``image`` of shape ``[batch, channels, *shape]``: 2, 4, 8, 16 and 32 times
        coarser, rounded up.
        """
        x = self.patches(image).movedim(1, -1)  # channels last, as the layers take it
        maps = [_normalised_map(x)]
        for stage in self.stages:
            x = _run_stage(stage, x)
            maps.append(_normalised_map(x))
        return Features(maps, maps[-1].flatten(2).mean(dim=2))


def _run_stage(stage: Any, x: Tensor) -> Tensor:
    """Apply a stage: ``[batch, *size, width]`` to ``[batch, *ceil(size / 2), 2 * width]``."""
    size = x.shape[1:-1]
    window, shift = get_window_size(size, stage.window_size, stage.shift_size)  # type: ignore[no-untyped-call]
    filled = [-(-length // side) * side for length, side in zip(size, window, strict=True)]
    blocked = compute_mask(filled, window, shift, x.device)  # type: ignore[no-untyped-call]
    for block in stage.blocks:
        x = block(x, blocked)
    merged: Tensor = stage.downsample(x)
    return merged


def _normalised_map(x: Tensor) -> Tensor:
    """Turn ``[batch, *size, width]`` into a map ``[batch, width, *size]``, normalised over its
    channels without weights.
    """
    return functional.layer_norm(x, x.shape[-1:]).movedim(-1, 1)


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build a Swin encoder with fresh weights; it takes any ``shape`` that its options allow."""
    return Swin(len(shape), in_channels, options)

"""Map names in public weight files of ConvNeXt to those of :mod:`kneeoa.backbones.convnext`."""

from __future__ import annotations

from collections.abc import Sequence

BLOCK = {
    "depthwise": ("dwconv", "conv_dw", "block.0"),
    "norm": ("norm", "norm", "block.2"),
    "widen": ("pwconv1", "mlp.fc1", "block.3"),
    "narrow": ("pwconv2", "mlp.fc2", "block.5"),
    "scale": ("gamma", "gamma", "layer_scale"),
}
"""Our part of a block -> its name in the authors' files, timm's and torchvision's."""


def convnext_names(depths: Sequence[int]) -> dict[str, str | None]:
    """Map public names of modules and tensors to ours (None: left out), in the three layouts.

    They share no name but ``norm``, which is the same module in each, so one table serves all.

    Args:
        depths: blocks of each stage.
    """
    names: dict[str, str | None] = {"head": None, "head.fc": None, "classifier.2": None}
    names |= {"head.norm": "norm", "classifier.0": "norm"}
    for stage, depth in enumerate(depths):
        for part in range(2):  # the stem is a convolution and a norm, a later entry a norm and a convolution
            timm = f"stem.{part}" if stage == 0 else f"stages.{stage}.downsample.{part}"
            for public in (f"downsample_layers.{stage}.{part}", timm, f"features.{2 * stage}.{part}"):
                names[public] = f"entries.{stage}.{part}"
        for block in range(depth):
            places = (f"stages.{stage}.{block}", f"stages.{stage}.blocks.{block}", f"features.{2 * stage + 1}.{block}")
            for ours, layouts in BLOCK.items():
                names |= {f"{place}.{part}": f"stages.{stage}.{block}.{ours}" for place, part in zip(places, layouts, strict=True)}
    return names

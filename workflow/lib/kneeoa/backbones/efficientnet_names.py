"""How public weight files of EfficientNet name what :mod:`kneeoa.backbones.efficientnet` names
otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

Parts = dict[str, str]
"""A block's public parts -> ours."""


def efficientnet_names(depths: Sequence[int], plain: Sequence[int]) -> dict[str, str | None]:
    """Public modules -> ours (None: left out), in the public layouts.

    They are EfficientNet-PyTorch's (the Lite package's too), MONAI's, timm's and torchvision's;
    they share no name, so one table serves all.

    Args:
        depths: blocks of each stage.
        plain: the stages whose blocks do not widen; public files name their parts otherwise.
    """
    names: dict[str, str | None] = {"_fc": None, "classifier": None, "classifier.1": None}
    ends = (("_conv_stem", "_bn0", "_conv_head", "_bn1"), ("conv_stem", "bn1", "conv_head", "bn2"))
    last = len(depths) + 1
    for stem, stem_norm, head, head_norm in (*ends, ("features.0.0", "features.0.1", f"features.{last}.0", f"features.{last}.1")):
        names |= {stem: "stem.convolution", stem_norm: "stem.norm", head: "last.convolution", head_norm: "last.norm"}
    number = 0
    for stage, depth in enumerate(depths):
        pytorch, timm, torchvision = _plain() if stage in plain else _widening()
        for block in range(depth):
            for place, layout in (
                (f"_blocks.{number}", pytorch),
                (f"_blocks.{stage}.{number}", pytorch),  # MONAI's
                (f"blocks.{stage}.{block}", timm),
                (f"features.{stage + 1}.{block}.block", torchvision),
            ):
                names |= {f"{place}.{public}": f"stages.{stage}.{block}.{ours}" for public, ours in layout.items()}
            number += 1
    return names


def _widening() -> tuple[Parts, Parts, Parts]:
    return (
        {
            **_pair("_expand_conv", "_bn0", "widen"),
            **_pair("_depthwise_conv", "_bn1", "depthwise"),
            **_gate("_se_reduce", "_se_expand"),
            **_pair("_project_conv", "_bn2", "narrow"),
        },
        {
            **_pair("conv_pw", "bn1", "widen"),
            **_pair("conv_dw", "bn2", "depthwise"),
            **_gate("se.conv_reduce", "se.conv_expand"),
            **_pair("conv_pwl", "bn3", "narrow"),
        },
        {
            **_pair("0.0", "0.1", "widen"),
            **_pair("1.0", "1.1", "depthwise"),
            **_gate("2.fc1", "2.fc2"),
            **_pair("3.0", "3.1", "narrow"),
        },
    )


def _plain() -> tuple[Parts, Parts, Parts]:
    return (
        {
            **_pair("_depthwise_conv", "_bn1", "depthwise"),
            **_gate("_se_reduce", "_se_expand"),
            **_pair("_project_conv", "_bn2", "narrow"),
        },
        {
            **_pair("conv_dw", "bn1", "depthwise"),
            **_gate("se.conv_reduce", "se.conv_expand"),
            **_pair("conv_pw", "bn2", "narrow"),
        },
        {
            **_pair("0.0", "0.1", "depthwise"),
            **_gate("1.fc1", "1.fc2"),
            **_pair("2.0", "2.1", "narrow"),
        },
    )


def _pair(convolution: str, norm: str, ours: str) -> Parts:
    return {convolution: f"{ours}.convolution", norm: f"{ours}.norm"}


def _gate(reduce: str, expand: str) -> Parts:
    return {reduce: "excite.reduce", expand: "excite.expand"}

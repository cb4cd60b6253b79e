"""Map names in public weight files of EfficientNet to those of
:mod:`kneeoa.backbones.efficientnet`.
"""

from __future__ import annotations

from collections.abc import Sequence

Parts = dict[str, str]
"""Public names of a block's parts -> ours."""


def efficientnet_names(depths: Sequence[int], plain: Sequence[int]) -> dict[str, str | None]:
    """Map public names of modules to ours (None: left out), in all public layouts.

    The layouts are EfficientNet-PyTorch's (the Lite package's too), MONAI's, timm's and
    torchvision's; they share no name, so one table serves all.

    Args:
        depths: blocks of each stage.
        plain: the stages whose blocks do not widen; public files name their parts differently.
    """
    names: dict[str, str | None] = {"_fc": None, "classifier": None, "classifier.1": None}
    ends = (("_conv_stem", "_bn0", "_conv_head", "_bn1"), ("conv_stem", "bn1", "conv_head", "bn2"))
    last = len(depths) + 1
    for stem, stem_norm, head, head_norm in (*ends, ("features.0.0", "features.0.1", f"features.{last}.0", f"features.{last}.1")):
        names |= {stem: "stem.convolution", stem_norm: "stem.norm", head: "last.convolution", head_norm: "last.norm"}
    number = 0
    for stage, depth in enumerate(depths):
        pytorch, timm, torchvision = _plain_parts() if stage in plain else _widening_parts()
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


def _widening_parts() -> tuple[Parts, Parts, Parts]:
    return (
        {
            **_convolution_names("_expand_conv", "_bn0", "widen"),
            **_convolution_names("_depthwise_conv", "_bn1", "depthwise"),
            **_excitation_names("_se_reduce", "_se_expand"),
            **_convolution_names("_project_conv", "_bn2", "narrow"),
        },
        {
            **_convolution_names("conv_pw", "bn1", "widen"),
            **_convolution_names("conv_dw", "bn2", "depthwise"),
            **_excitation_names("se.conv_reduce", "se.conv_expand"),
            **_convolution_names("conv_pwl", "bn3", "narrow"),
        },
        {
            **_convolution_names("0.0", "0.1", "widen"),
            **_convolution_names("1.0", "1.1", "depthwise"),
            **_excitation_names("2.fc1", "2.fc2"),
            **_convolution_names("3.0", "3.1", "narrow"),
        },
    )


def _plain_parts() -> tuple[Parts, Parts, Parts]:
    return (
        {
            **_convolution_names("_depthwise_conv", "_bn1", "depthwise"),
            **_excitation_names("_se_reduce", "_se_expand"),
            **_convolution_names("_project_conv", "_bn2", "narrow"),
        },
        {
            **_convolution_names("conv_dw", "bn1", "depthwise"),
            **_excitation_names("se.conv_reduce", "se.conv_expand"),
            **_convolution_names("conv_pw", "bn2", "narrow"),
        },
        {
            **_convolution_names("0.0", "0.1", "depthwise"),
            **_excitation_names("1.fc1", "1.fc2"),
            **_convolution_names("2.0", "2.1", "narrow"),
        },
    )


def _convolution_names(convolution: str, norm: str, ours: str) -> Parts:
    return {convolution: f"{ours}.convolution", norm: f"{ours}.norm"}


def _excitation_names(reduce: str, expand: str) -> Parts:
    return {reduce: "excite.reduce", expand: "excite.expand"}

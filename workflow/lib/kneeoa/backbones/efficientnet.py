"""EfficientNet (Tan & Le 2019, arXiv 1905.11946) and EfficientNet-Lite0 (Google 2020) in two or
three dimensions.

Widths and depths are those of B0 times the variant's factors. Convolutions are initialised as in
the paper's code: normal with a variance of two over the fan out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor, nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.mbconv import ConvolutionNorm, MBConv, Style
from kneeoa.backbones.options.efficientnet import LAST, MAPPED, PUBLIC_MAPPED, STAGES, STEM, VARIANTS, Options, rounded_width
from kneeoa.backbones.pretrained import IMAGENET, LoadedWeights, Rename, lite0_imagenet, load_into, renamer


class EfficientNet(Backbone):
    """Stem, seven stages of inverted bottlenecks and a wide kernel-1 convolution; the embedding is
    its global mean.
    """

    def __init__(self, dimensions: int, in_channels: int, options: Options) -> None:
        super().__init__()
        variant, lite = VARIANTS[options.variant], options.variant == "lite0"
        activation: Callable[[], nn.Module] = nn.ReLU6 if lite else nn.SiLU
        style = Style(dimensions, activation, tensorflow=options.padding == "same", epsilon=options.norm_epsilon)
        widths = [rounded_width(stage.width, variant.width * options.width) for stage in STAGES]
        depths = [math.ceil(stage.blocks * variant.depth * options.depth) for stage in STAGES]
        self.stem = ConvolutionNorm(style, in_channels, rounded_width(STEM, variant.width * options.width), kernel=3, stride=2)
        self.stages = nn.ModuleList()
        width, done = rounded_width(STEM, variant.width * options.width), 0
        for stage, width_out, depth in zip(STAGES, widths, depths, strict=True):
            layers = []
            for block in range(depth):
                layers.append(
                    MBConv(
                        style,
                        width,
                        width_out,
                        kernel=stage.kernel,
                        stride=stage.stride if block == 0 else 1,
                        expansion=stage.expansion,
                        excited=not lite,
                        drop=options.drop_path * done / sum(depths),
                    )
                )
                width, done = width_out, done + 1
            self.stages.append(nn.Sequential(*layers))
        self.last = ConvolutionNorm(style, width, rounded_width(LAST, variant.width * options.width))
        self.widths, self.mapped = widths, MAPPED
        self.map_widths = tuple(widths[stage] for stage in MAPPED)
        self.embedding_width = rounded_width(LAST, variant.width * options.width)
        self.head_dropout = variant.dropout
        _initialise(self)

    def forward(self, image: Tensor) -> Features:
        """Maps 4, 8, 16 and 32 times coarser than ``image`` of shape ``[batch, channels,
        *shape]``.
        """
        maps = []
        x = self.stem(image)
        for number, layer in enumerate(self.stages):
            x = layer(x)
            if number in self.mapped:
                maps.append(x)
        return Features(maps, self.last(x).flatten(2).mean(dim=2))

    def use_public_maps(self) -> None:
        """Maps of the last four stages (torchvision's ``features.4`` to ``features.7``)."""
        self.mapped, self.map_widths = PUBLIC_MAPPED, tuple(self.widths[stage] for stage in PUBLIC_MAPPED)

    def load_pretrained(self, path: str | Path) -> LoadedWeights:
        """Load weights as every backbone does, from files with the names in :meth:`public_names`,
        and from the packaged weights ``imagenet``.
        """
        return load_into(self, lite0_imagenet() if str(path) == IMAGENET else path, self.public_names())

    def public_names(self) -> Rename:
        """Renaming of EfficientNet-PyTorch's, MONAI's, the Lite package's, timm's and torchvision's
        files; the classifier is left out.
        """
        plain = [number for number, stage in enumerate(STAGES) if stage.expansion == 1]
        return renamer(efficientnet_names([len(list(stage.children())) for stage in self.stages], plain))


def _initialise(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build an EfficientNet with fresh weights; it takes any ``shape`` that its options allow."""
    return EfficientNet(len(shape), in_channels, options)


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


def _widening_parts() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
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


def _plain_parts() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
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


def _convolution_names(convolution: str, norm: str, ours: str) -> dict[str, str]:
    return {convolution: f"{ours}.convolution", norm: f"{ours}.norm"}


def _excitation_names(reduce: str, expand: str) -> dict[str, str]:
    return {reduce: "excite.reduce", expand: "excite.expand"}

"""ResNet3D-18 as in MedicalNet (Chen, Ma & Zheng 2019, arXiv 1904.00625): the last two stages are
dilated, not strided.

The output stride is 8. Weights are initialised as in MedicalNet: Kaiming normal, fan out; or loaded
from MedicalNet's released file ``resnet_18_23dataset.pth``, whose network has shortcuts of type A.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.resnet3d import Options
from kneeoa.backbones.pretrained import LoadedWeights, load_into, renamer
from kneeoa.backbones.residual import kaiming_fan_out, stage


class ResNet3D(Backbone):
    """Stem (convolution of kernel 7, max pool of kernel 3) and four stages of two basic blocks; the
    embedding is the global mean.
    """

    def __init__(self, in_channels: int, options: Options) -> None:
        super().__init__()
        width = options.width
        self.map_widths = (width, 2 * width, 4 * width, 8 * width)
        self.embedding_width = 8 * width
        self.stem = nn.Sequential(
            nn.Conv3d(in_channels, width, 7, stride=options.stem_stride, padding=3, bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(),
            nn.MaxPool3d(3, stride=2, padding=1),
        )
        self.stages = nn.ModuleList(
            [
                stage(3, width, width, blocks=2, shortcut=options.shortcut),
                stage(3, width, 2 * width, blocks=2, stride=2, shortcut=options.shortcut),
                stage(3, 2 * width, 4 * width, blocks=2, dilation=2, shortcut=options.shortcut),
                stage(3, 4 * width, 8 * width, blocks=2, dilation=4, shortcut=options.shortcut),
            ]
        )
        kaiming_fan_out(self)

    def forward(self, image: Tensor) -> Features:
        """Maps of the four stages, for ``image`` of shape ``[batch, channels, slices, rows,
        columns]``.
        """
        maps = []
        x = self.stem(image)
        for layer in self.stages:
            x = layer(x)
            maps.append(x)
        return Features(maps, x.mean(dim=(2, 3, 4)))

    def load_pretrained(self, path: str | Path) -> LoadedWeights:
        """Load weights as every backbone does, and from MedicalNet's files; their segmentation head
        and torchvision's ``fc`` are left out.
        """
        return load_into(self, path, renamer(medicalnet_names()), drop=("heads.", "fc.", "conv_seg."))


def medicalnet_names() -> dict[str, str | None]:
    """MedicalNet's names of modules -> ours."""
    names: dict[str, str | None] = {"conv1": "stem.0", "bn1": "stem.1"}
    parts = {"conv1": "first", "bn1": "first_norm", "conv2": "second", "bn2": "second_norm"}
    parts |= {"downsample.0": "shortcut.0", "downsample.1": "shortcut.1"}
    for number in range(4):
        for block in range(2):
            names |= {f"layer{number + 1}.{block}.{public}": f"stages.{number}.{block}.{ours}" for public, ours in parts.items()}
    return names


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build a ResNet3D-18 with fresh weights; it takes any ``shape`` that its options allow."""
    return ResNet3D(in_channels, options)

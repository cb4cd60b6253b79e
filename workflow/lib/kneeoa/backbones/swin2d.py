"""The Swin transformer in 2D (Liu et al. 2021, arXiv 2103.14030): Swin-L by default.

Linear layers and tables of biases are initialised truncated normal (deviation 0.02), the patches'
convolution by torch's default.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from torch import Tensor, nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.swin2d import Options
from kneeoa.backbones.pretrained import LoadedWeights, load_into, read_tensors
from kneeoa.backbones.renaming import Rename, renamer
from kneeoa.backbones.shifted_windows import Merging, SwinLayer
from kneeoa.backbones.table_resampling import resample_table
from kneeoa.backbones.transformer import truncated_normal

EPSILON = 1e-5
"""Epsilon of the layer norms."""
TABLE = "bias_table"


class Swin2D(Backbone):
    """Patches, then four stages of windowed transformer layers, with a merging before each but the
    first; the embedding is the mean token.
    """

    def __init__(self, in_channels: int, shape: tuple[int, ...], options: Options) -> None:
        super().__init__()
        widths = tuple(options.embedding * 2**stage for stage in range(len(options.depths)))
        self.map_widths = widths
        self.embedding_width = widths[-1]
        self.patch = options.patch
        self.sequences = False  # whether maps are token sequences
        self.patches = nn.Conv2d(in_channels, widths[0], options.patch, stride=options.patch)
        self.patch_norm = nn.LayerNorm(widths[0], eps=EPSILON)
        self.mergings = nn.ModuleList(Merging(width, EPSILON) for width, _ in pairwise(widths))
        self.stages = nn.ModuleList()
        rows, columns = (-(-length // options.patch) for length in shape)
        done, layers = 0, sum(options.depths)
        for width, depth, heads in zip(widths, options.depths, options.heads, strict=True):
            stage = nn.Sequential()
            for layer in range(depth):
                shift = options.window // 2 if layer % 2 else 0
                drop = options.drop_path * done / max(1, layers - 1)
                stage.append(SwinLayer(width, heads, options.expansion * width, options.window, (rows, columns), shift, EPSILON, drop))
                done += 1
            self.stages.append(stage)
            rows, columns = -(-rows // 2), -(-columns // 2)
        self.norm = nn.LayerNorm(widths[-1], eps=EPSILON)
        truncated_normal(self)

    def forward(self, image: Tensor) -> Features:
        """Maps of the four stages ``[batch, width, rows, columns]``, for ``image`` of shape
        ``[batch, channels, *shape]``.

        The last map is the one after the last norm, of which the embedding is the mean.
        """
        down, across = (-length % self.patch for length in image.shape[2:])
        x = self.patch_norm(self.patches(nn.functional.pad(image, (0, across, 0, down))).movedim(1, -1))
        maps, merged = [], []
        for number, stage in enumerate(self.stages):
            if number:
                x = self.mergings[number - 1](x)
                merged.append(x)
            x = stage(x)
            maps.append(x.movedim(-1, 1))
        normed = self.norm(x)
        maps[-1] = normed.movedim(-1, 1)
        if self.sequences:
            maps = [tokens.flatten(1, 2).transpose(1, 2) for tokens in (*merged, x)]
        return Features(maps, normed.mean(dim=(1, 2)))

    def use_public_maps(self) -> None:
        """Maps are the token sequences ``[batch, width, tokens]`` that leave each stage: after its
        merging, and the last one before the norm.
        """
        self.sequences, self.map_widths = True, (*self.map_widths[1:], self.map_widths[-1])

    def load_pretrained(self, path: str | Path) -> LoadedWeights:
        """Load weights as every backbone does, and from files with the names in
        :meth:`public_names`.
        """
        merging_ends_stage = any(name.startswith("layers.0.downsample.") for name in read_tensors(Path(path)))
        return load_into(self, path, self.public_names(merging_ends_stage), adapt=self.adapted)

    def public_names(self, merging_ends_stage: bool = False) -> Rename:
        """Renaming of timm's and the authors' ``swin_*`` and of torchvision's files; classifiers,
        and tables that depend on sizes alone, are left out.

        Args:
            merging_ends_stage: in the file a merging belongs to the stage before it, as in the
                authors' files and timm's before 0.9, and not to the stage after it; the names alone
                do not show which.
        """
        names: dict[str, str | None] = {"patch_embed.proj": "patches", "patch_embed.norm": "patch_norm"}
        names |= {"features.0.0": "patches", "features.0.2": "patch_norm", "head": None, "head.fc": None}
        shared = {"norm1": "attention_norm", "norm2": "perceptron_norm", "attn.qkv": "windows.attention.query_key_value"}
        shared |= {"attn.proj": "windows.attention.output", "attn.relative_position_bias_table": f"windows.{TABLE}"}
        for number, stage in enumerate(self.stages):
            for layer in range(len(list(stage.children()))):
                ours = f"stages.{number}.{layer}"
                for place, first, second in (
                    (f"layers.{number}.blocks.{layer}", "mlp.fc1", "mlp.fc2"),
                    (f"features.{2 * number + 1}.{layer}", "mlp.0", "mlp.3"),
                ):
                    parts = {**shared, first: "perceptron.first", second: "perceptron.second"}
                    names |= {f"{place}.{public}": f"{ours}.{part}" for public, part in parts.items()}
                    names |= {f"{place}.attn.relative_position_index": None, f"{place}.attn_mask": None}
        return renamer(names | self._merging_names(0 if merging_ends_stage else 1))

    def _merging_names(self, later: int) -> dict[str, str | None]:
        names: dict[str, str | None] = {}
        for number in range(len(self.mergings)):
            for place in (f"layers.{number + later}.downsample", f"features.{2 * number + 2}"):  # in torchvision a module of its own
                names |= {f"{place}.{part}": f"mergings.{number}.{part}" for part in ("norm", "reduction")}
        return names

    def adapted(self, name: str, tensor: Tensor) -> Tensor:
        """Adapt a file's ``tensor`` for our ``name``: biases of another window are interpolated to
        ours, as the authors do.
        """
        if not name.endswith(TABLE) or tensor.dim() != 2:
            return tensor
        ours = self.get_parameter(name)
        given, side = (round(each.shape[0] ** 0.5) for each in (tensor, ours))
        if given == side or given**2 != tensor.shape[0]:
            return tensor
        return resample_table(tensor.reshape(given, given, -1), (side, side)).flatten(0, 1)


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build a Swin with fresh weights for images of exactly ``shape``, on which its windows
    depend.
    """
    return Swin2D(in_channels, shape, options)

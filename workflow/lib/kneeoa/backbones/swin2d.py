"""The Swin transformer in 2D (Liu et al. 2021, arXiv 2103.14030): Swin-L by default.

Linear layers and tables of biases are initialised truncated normal (deviation 0.02), the patches'
convolution by torch's default.

Attention in shifted windows is that of sections 3.2 and 3.3.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.swin2d import Options
from kneeoa.backbones.pretrained import LoadedWeights, Rename, load_into, read_tensors, renamer
from kneeoa.backbones.residual import StochasticDepth
from kneeoa.backbones.transformer import Perceptron, SelfAttention, resample_table, truncated_normal

EPSILON = 1e-5
"""Epsilon of the layer norms."""
TABLE = "bias_table"

BLOCKED = -100.0
"""Added to the scaled products of tokens in different regions, as published; their softmax is zero
in float32.
"""


class WindowAttention(nn.Module):
    """Self-attention within the windows of a map of fixed size, shifted by ``shift`` tokens, with a
    learned bias for each offset.

    A map that windows do not fill is padded at its lower and right edge, and no token attends to
    the padding.
    """

    def __init__(self, width: int, heads: int, window: int, size: tuple[int, int], shift: int) -> None:
        super().__init__()
        self.window = window
        self.size = size
        self.padded = (_padded_length(size[0], window), _padded_length(size[1], window))
        # Along an axis that one window covers there is nothing to shift to.
        self.shifts = (shift if self.padded[0] > window else 0, shift if self.padded[1] > window else 0)
        self.attention = SelfAttention(width, heads)
        self.bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.bias_table, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, rows, columns, width]`` to the same shape."""
        rows, columns = self.size
        x = functional.pad(x, (0, 0, 0, self.padded[1] - columns, 0, self.padded[0] - rows))
        x = torch.roll(x, (-self.shifts[0], -self.shifts[1]), dims=(1, 2))
        tokens = _split_windows(x, self.window)
        bias = self.bias_table[_bias_rows(self.window, x.device)].permute(2, 0, 1)
        if any(self.shifts) or self.padded != self.size:
            bias = bias + _attention_mask(self.size, self.padded, self.window, self.shifts, x.device).unsqueeze(1)
        x = _join_windows(self.attention(tokens, bias.to(tokens.dtype)), self.window, self.padded)
        return torch.roll(x, self.shifts, dims=(1, 2))[:, :rows, :columns]


class SwinLayer(nn.Module):
    """A pre-norm transformer layer whose attention is windowed; ``drop`` is the probability that a
    case skips a branch in training.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, window: int, size: tuple[int, int], shift: int, epsilon: float, drop: float
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=epsilon)
        self.windows = WindowAttention(width, heads, window, size, shift)
        self.perceptron_norm = nn.LayerNorm(width, eps=epsilon)
        self.perceptron = Perceptron(width, hidden)
        self.attention_drop = StochasticDepth(drop)
        self.perceptron_drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, rows, columns, width]`` to the same shape."""
        x = x + self.attention_drop(self.windows(self.attention_norm(x)))
        added: Tensor = self.perceptron_drop(self.perceptron(self.perceptron_norm(x)))
        return x + added


class Merging(nn.Module):
    """Merge four neighbouring tokens into one of twice the width: norm, then a linear layer without
    bias.
    """

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width, eps=epsilon)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, rows, columns, width]`` to half the rows and columns and ``2 * width``; odd
        sizes are padded with zeros.
        """
        x = functional.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        # Public weights have the neighbours in this order: row by row within a column.
        four = torch.cat([x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)], dim=-1)
        merged: Tensor = self.reduction(self.norm(four))
        return merged


def _padded_length(length: int, window: int) -> int:
    return -(-length // window) * window


def _split_windows(x: Tensor, window: int) -> Tensor:
    """Split ``[batch, rows, columns, width]`` into ``[batch, windows, tokens, width]``."""
    batch, rows, columns, width = x.shape
    cut = x.reshape(batch, rows // window, window, columns // window, window, width)
    return cut.transpose(2, 3).reshape(batch, -1, window**2, width)


def _join_windows(tokens: Tensor, window: int, padded: tuple[int, int]) -> Tensor:
    """The inverse of :func:`_split_windows`."""
    cut = tokens.reshape(len(tokens), padded[0] // window, padded[1] // window, window, window, -1)
    return cut.transpose(2, 3).reshape(len(tokens), *padded, -1)


# Both tables depend on sizes alone: they are not saved, and layers of the same size share them.
# They are made outside of inference mode, since a later training step may need the same ones.
@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _bias_rows(window: int, device: torch.device) -> Tensor:
    """Row of the bias table for each pair of a window's tokens, ``[tokens, tokens]``, numbered by
    row and column offset.
    """
    along = torch.arange(window, device=device)
    apart = along[:, None] - along[None, :] + window - 1
    pairs = apart[:, None, :, None] * (2 * window - 1) + apart[None, :, None, :]
    return pairs.flatten(2, 3).flatten(0, 1)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _attention_mask(size: tuple[int, int], padded: tuple[int, int], window: int, shifts: tuple[int, int], device: torch.device) -> Tensor:
    """Mask to add to the products, ``[windows, tokens, tokens]``: zero for tokens of the same
    region.

    A shifted window at the edge holds tokens from opposite sides of the map, which are no
    neighbours; padding is another region.
    """
    regions = []
    for length, full, shift in zip(size, padded, shifts, strict=True):
        position = torch.arange(full, device=device)
        moved_around = position >= full - shift
        regions.append(torch.where((position + shift) % full >= length, 2, moved_around.long()))
    rows, columns = regions[0][:, None], regions[1][None, :]
    region = torch.where((rows == 2) | (columns == 2), -1, 3 * rows + columns)
    tokens = _split_windows(region[None, :, :, None], window)[0, :, :, 0]
    return (tokens[:, :, None] != tokens[:, None, :]) * BLOCKED


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

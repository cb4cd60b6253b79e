"""M3T, the multi-plane and multi-slice transformer (Jang & Hwang, CVPR 2022), in paper A's size.

A 3D block widens the volume to C channels; the result is cut into slices along each of the three
axes; one 2D ResNet-18 turns every slice into a token; a transformer reads all tokens of all planes.
The paper's volume is a cube. For any other box, slices are padded with zeros to one size: all
planes must pass the 2D network as one batch, or its batch norms would use other statistics in
training than in evaluation.

``variant: released`` reproduces the faults of the public reimplementation that paper A trained:
slices are multiplied by themselves, attention is softmax *then* divided by the root of the
embedding width, and the input must be a cube. The number of parameters is the same.

The papers do not give initial values. Convolutions are initialised Kaiming normal (fan out) as in
ResNets; the class, separator, plane and position vectors normal with standard deviation 0.02 as in
ViT; linear layers by torch's default.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.m3t import Options
from kneeoa.backbones.residual import kaiming_fan_out, stage

# Axis of the volume [batch, channel, slice, row, column] along which each plane is cut: coronal
# from front to back, sagittal from side to side, axial from top to bottom (the canonical
# orientation of volumes), in the paper's order.
PLANES = (4, 2, 3)


class Slices2D(nn.Module):
    """ResNet-18 in 2D without its last layer."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
            stage(2, width, width, blocks=2),
            stage(2, width, 2 * width, blocks=2, stride=2),
            stage(2, 2 * width, 4 * width, blocks=2, stride=2),
            stage(2, 4 * width, 8 * width, blocks=2, stride=2),
        )

    def forward(self, slices: Tensor) -> Tensor:
        """Slices ``[n, channels, height, width]`` to the mean of the last map, ``[n, 8 *
        width]``.
        """
        last: Tensor = self.layers(slices)
        return last.mean(dim=(2, 3))  # not adaptive pooling, whose backward pass is not deterministic on CUDA


class Attention(nn.Module):
    """Multi-head self-attention over tokens ``[batch, tokens, embedding]``."""

    def __init__(self, embedding: int, heads: int, released: bool) -> None:
        super().__init__()
        self.heads = heads
        self.released = released
        self.query_key_value = nn.Linear(embedding, 3 * embedding)
        self.output = nn.Linear(embedding, embedding)

    def forward(self, tokens: Tensor) -> Tensor:
        """Softmax of scaled products (Vaswani et al. 2017); released: softmax of the unscaled
        products, divided afterwards.
        """
        batch, count, embedding = tokens.shape
        query, key, value = self.query_key_value(tokens).reshape(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.released:
            mixed = torch.softmax(query @ key.transpose(-2, -1), dim=-1) / embedding**0.5 @ value
        else:
            mixed = functional.scaled_dot_product_attention(query, key, value)
        attended: Tensor = self.output(mixed.transpose(1, 2).reshape(batch, count, embedding))
        return attended


class Layer(nn.Module):
    """A pre-norm transformer layer: attention and a GELU perceptron, each added to its input."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        width = options.embedding
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, options.heads, options.variant == "released")
        self.perceptron_norm = nn.LayerNorm(width)
        hidden = options.expansion * width
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """``[batch, tokens, embedding]`` to the same shape."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        added: Tensor = self.perceptron(self.perceptron_norm(tokens))
        return tokens + added


class M3T(Backbone):
    """3D block, slices, 2D ResNet-18, projection, transformer; the embedding is the class token."""

    def __init__(self, in_channels: int, shape: tuple[int, ...], options: Options) -> None:
        super().__init__()
        channels, width = options.channels, options.embedding
        self.squares = options.variant == "released"
        self.map_widths = (channels, width)
        self.embedding_width = width
        self.block = nn.Sequential(
            nn.Conv3d(in_channels, channels, 5, padding=2),
            nn.BatchNorm3d(channels),
            nn.ReLU(),
            nn.Conv3d(channels, channels, 5, padding=2),
            nn.BatchNorm3d(channels),
            nn.ReLU(),
        )
        self.slices = Slices2D(channels, options.cnn_width)
        self.projection = nn.Sequential(
            nn.Linear(8 * options.cnn_width, options.projection), nn.ReLU(), nn.Linear(options.projection, width)
        )
        self.class_token = nn.Parameter(torch.empty(1, width))
        self.separator = nn.Parameter(torch.empty(1, width))
        self.planes = nn.Parameter(torch.empty(len(PLANES), width))
        self.positions = nn.Parameter(torch.empty(sum(shape) + 1 + len(PLANES), width))
        self.transformer = nn.Sequential(*(Layer(options) for _ in range(options.depth)))
        kaiming_fan_out(self)
        for vectors in (self.class_token, self.separator, self.planes, self.positions):
            nn.init.normal_(vectors, std=0.02)

    def forward(self, image: Tensor) -> Features:
        """Maps: the 3D block's ``[batch, channels, *shape]`` and the transformer's tokens ``[batch,
        embedding, tokens]``.
        """
        volume = self.block(image)
        tokens = self.transformer(self._tokens(volume * volume if self.squares else volume))
        return Features([volume, tokens.transpose(1, 2)], tokens[:, 0])

    def _tokens(self, volume: Tensor) -> Tensor:
        """Token sequence: [class, coronal..., separator, sagittal..., separator, axial...,
        separator] plus plane and position vectors.
        """
        batch, counts = volume.shape[0], [volume.shape[axis] for axis in PLANES]
        side = max(counts)
        slices = torch.cat([_pad_square(volume.movedim(axis, 1), side) for axis in PLANES], dim=1)  # [batch, slices, channels, side, side]
        planes = self.projection(self.slices(slices.flatten(0, 1))).unflatten(0, (batch, -1)).split(counts, dim=1)
        separator = self.separator.expand(batch, 1, -1)
        segments = [torch.cat([plane, separator], dim=1) for plane in planes]
        segments[0] = torch.cat([self.class_token.expand(batch, 1, -1), segments[0]], dim=1)
        return torch.cat([segment + vector for segment, vector in zip(segments, self.planes, strict=True)], dim=1) + self.positions


def _pad_square(slices: Tensor, side: int) -> Tensor:
    """Pad ``[batch, slices, channels, height, width]`` with zeros, after the last row and column,
    to ``side`` x ``side``.
    """
    height, width = slices.shape[-2:]
    return functional.pad(slices, (0, side - width, 0, side - height))


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build an M3T with fresh weights for inputs of exactly ``shape`` (its table of positions has
    one row per slice).
    """
    return M3T(in_channels, shape, options)

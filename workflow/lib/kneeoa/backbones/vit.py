"""The vision transformer (Dosovitskiy et al. 2021, arXiv 2010.11929) in two or three dimensions.

Patches of the image become tokens; a class token and learned positions are added; the embedding is
the class token after the last norm. Initial values are those of the paper's code: linear layers
truncated normal (deviation 0.02), the class token with deviation 1e-6, positions with 0.02, patches
LeCun normal.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.vit import Options
from kneeoa.backbones.pretrained import LoadedWeights, Rename, load_into, renamer
from kneeoa.backbones.residual import CONVOLUTION
from kneeoa.backbones.transformer import TransformerLayer, resample_table, truncated_normal

EPSILON = 1e-6
"""Epsilon of the layer norms."""


class ViT(Backbone):
    """A transformer over patches; its maps are the patches' tokens after each of the last layers,
    all of the same size.
    """

    def __init__(self, in_channels: int, shape: tuple[int, ...], options: Options) -> None:
        super().__init__()
        width, depth = options.embedding, options.depth
        self.mapped = range(depth - options.maps, depth)
        self.sequences = False  # whether maps are whole token sequences
        self.map_widths = (width,) * options.maps
        self.embedding_width = width
        self.grid = tuple(size // options.patch for size in shape)
        self.patches = CONVOLUTION[len(shape)](in_channels, width, options.patch, stride=options.patch)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, 1 + math.prod(self.grid), width))
        rates = [options.drop_path * layer / max(1, depth - 1) for layer in range(depth)]
        self.layers = nn.ModuleList(TransformerLayer(width, options.heads, options.expansion * width, EPSILON, rate) for rate in rates)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        truncated_normal(self)
        nn.init.normal_(self.class_token, std=1e-6)
        nn.init.trunc_normal_(self.positions, std=0.02)
        nn.init.trunc_normal_(self.patches.weight, std=math.sqrt(1 / self.patches.weight[0].numel()))
        assert self.patches.bias is not None
        nn.init.zeros_(self.patches.bias)

    def forward(self, image: Tensor) -> Features:
        """Maps ``[batch, embedding, *grid]`` for ``image`` of shape ``[batch, channels, *shape]``,
        with the ``shape`` it was built for.
        """
        patches = self.patches(image).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(patches), -1, -1), patches], dim=1) + self.positions
        maps = []
        for number, layer in enumerate(self.layers):
            tokens = layer(tokens)
            if number in self.mapped:
                sequence = tokens.transpose(1, 2)
                maps.append(sequence if self.sequences else sequence[:, :, 1:].unflatten(2, self.grid))
        return Features(maps, self.norm(tokens[:, 0]))

    def use_public_maps(self) -> None:
        """Maps are token sequences ``[batch, embedding, 1 + patches]``, the class token first."""
        self.sequences = True

    def load_pretrained(self, path: str | Path) -> LoadedWeights:
        """Load weights as every backbone does, and from files with the names in
        :meth:`public_names`.
        """
        return load_into(self, path, self.public_names(), adapt=self.adapted)

    def public_names(self) -> Rename:
        """Renaming of timm's ``vit_*`` and torchvision's ``vit_*``; the classifier is left out."""
        names: dict[str, str | None] = {"patch_embed.proj": "patches", "cls_token": "class_token", "pos_embed": "positions", "head": None}
        names |= {"conv_proj": "patches", "encoder.pos_embedding": "positions", "encoder.ln": "norm", "heads.head": None}
        timm = {"norm1": "attention_norm", "norm2": "perceptron_norm", "attn.qkv": "attention.query_key_value"}
        timm |= {"attn.proj": "attention.output", "mlp.fc1": "perceptron.first", "mlp.fc2": "perceptron.second"}
        torchvision = {"ln_1": "attention_norm", "ln_2": "perceptron_norm", "self_attention.out_proj": "attention.output"}
        torchvision |= {f"self_attention.in_proj_{tensor}": f"attention.query_key_value.{tensor}" for tensor in ("weight", "bias")}
        for first, second in (("0", "3"), ("linear_1", "linear_2")):  # the newer and the older of its layouts
            torchvision |= {f"mlp.{first}": "perceptron.first", f"mlp.{second}": "perceptron.second"}
        for layer in range(len(self.layers)):
            names |= {f"blocks.{layer}.{public}": f"layers.{layer}.{ours}" for public, ours in timm.items()}
            place = f"encoder.layers.encoder_layer_{layer}"
            names |= {f"{place}.{public}": f"layers.{layer}.{ours}" for public, ours in torchvision.items()}
        return renamer(names)

    def adapted(self, name: str, tensor: Tensor) -> Tensor:
        """Adapt a file's ``tensor`` for our ``name``: positions of another square or cubic grid are
        interpolated to ours, as in the paper.
        """
        if name != "positions" or tensor.shape == self.positions.shape or tensor.dim() != 3 or tensor.shape[2] != self.positions.shape[2]:
            return tensor
        count = tensor.shape[1] - 1
        side = round(count ** (1 / len(self.grid)))
        if side ** len(self.grid) != count:
            return tensor
        table = tensor[0, 1:].reshape(*(side,) * len(self.grid), -1)
        return torch.cat([tensor[:, :1], resample_table(table, self.grid).flatten(0, -2).unsqueeze(0)], dim=1)


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build a ViT with fresh weights for images of exactly ``shape`` (its table of positions has
    one row per patch).
    """
    return ViT(in_channels, shape, options)

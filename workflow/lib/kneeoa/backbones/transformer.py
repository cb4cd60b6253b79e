"""Layers of image transformers (Dosovitskiy et al. 2021, arXiv 2010.11929): attention and
perceptron, each after a norm and added to its input; tables of positions on another grid.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.residual import StochasticDepth

MODES = {1: "linear", 2: "bicubic", 3: "trilinear"}
"""Interpolation by the number of axes; torch has no cubic interpolation over three."""


def resample_table(table: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Interpolate ``[*old grid, width]`` to ``[*grid, width]``; the outer edges of the outermost
    positions stay in place.
    """
    values = table.movedim(-1, 0).unsqueeze(0).float()
    resized = functional.interpolate(values, size=grid, mode=MODES[len(grid)], align_corners=False)
    return resized[0].movedim(0, -1).to(table.dtype)


class SelfAttention(nn.Module):
    """Multi-head self-attention over tokens ``[..., tokens, width]`` (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: Tensor, bias: Tensor | None = None) -> Tensor:
        """Attend within ``tokens``; the shape stays.

        Args:
            tokens: ``[..., tokens, width]``.
            bias: added to the scaled products; broadcast to ``[..., heads, tokens, tokens]``.
        """
        query, key, value = self.query_key_value(tokens).unflatten(-1, (3, self.heads, -1)).movedim(-3, 0).transpose(-3, -2)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        attended: Tensor = self.output(mixed.transpose(-3, -2).flatten(-2))
        return attended


class Perceptron(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, hidden)
        self.second = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """``[..., width]`` to the same shape."""
        answer: Tensor = self.second(functional.gelu(self.first(tokens)))
        return answer


class TransformerLayer(nn.Module):
    """A pre-norm layer; ``drop`` is the probability that a case skips a branch in training."""

    def __init__(self, width: int, heads: int, hidden: int, epsilon: float, drop: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=epsilon)
        self.attention = SelfAttention(width, heads)
        self.perceptron_norm = nn.LayerNorm(width, eps=epsilon)
        self.perceptron = Perceptron(width, hidden)
        self.attention_drop = StochasticDepth(drop)
        self.perceptron_drop = StochasticDepth(drop)

    def forward(self, tokens: Tensor) -> Tensor:
        """``[batch, tokens, width]`` to the same shape."""
        tokens = tokens + self.attention_drop(self.attention(self.attention_norm(tokens)))
        added: Tensor = self.perceptron_drop(self.perceptron(self.perceptron_norm(tokens)))
        return tokens + added


def truncated_normal(network: nn.Module) -> None:
    """Draw every linear layer's weights from a truncated normal distribution of deviation 0.02;
    biases are zero.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

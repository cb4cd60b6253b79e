"""The published plug-in module written down a second time, plainly: tensors in its own layout, an
image at a time, for tests and for the benchmark of selection.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

UPSAMPLING = {2: "bilinear", 3: "trilinear"}


def random_weights(maps: dict[str, Tensor], width: int, classes: int, select: list[int]) -> dict[str, Tensor]:
    """Weights of the published layout for these maps (``[batch, channels, *positions]``, or
    sequences ``[batch, locations, channels]``), drawn from torch's generator; running statistics
    too.
    """
    weights: dict[str, Tensor] = {}
    dimensions, joints, chosen = next(iter(maps.values())).dim() - 2, sum(select) // 32, sum(select)

    def layer(name: str, *shape: int) -> None:
        weights[f"{name}.weight"] = torch.randn(*shape) / shape[1] ** 0.5
        weights[f"{name}.bias"] = 0.1 * torch.randn(shape[0])

    def norm(name: str) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = 1 + 0.1 * torch.randn(width), 0.1 * torch.randn(width)
        weights[f"{name}.running_mean"], weights[f"{name}.running_var"] = 0.1 * torch.randn(width), 0.5 + torch.rand(width)
        weights[f"{name}.num_batches_tracked"] = torch.tensor(1)

    finer = None
    for name, values in maps.items():
        tokens = dimensions == 1
        channels, kernel = (values.shape[2], ()) if tokens else (values.shape[1], (1,) * dimensions)
        layer(f"fpn.Proj_{name}.0", channels, channels, *kernel)
        layer(f"fpn.Proj_{name}.2", width, channels, *kernel)
        if tokens and finer not in (None, values.shape[1]):
            layer(f"fpn.Up_{name}", finer, values.shape[1], 1)
        finer = values.shape[1]
        layer(f"fpn_classifier_{name}.0", width, width, 1)
        norm(f"fpn_classifier_{name}.1")
        layer(f"fpn_classifier_{name}.3", classes, width, 1)
    weights["combiner.adj1"], weights["combiner.alpha1"] = torch.randn(joints, joints), torch.tensor([0.3])
    layer("combiner.param_pool0", joints, chosen)
    layer("combiner.conv1", width, width, 1)
    norm("combiner.batch_norm1")
    layer("combiner.conv_q1", width // 4, width, 1)
    layer("combiner.conv_k1", width // 4, width, 1)
    layer("combiner.param_pool1", 1, joints)
    layer("combiner.classifier", classes, width)
    return weights


def _linear(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight = weights[f"{name}.weight"]
    return functional.linear(x, weight.reshape(weight.shape[:2]), weights[f"{name}.bias"])


def _norm(weights: dict[str, Tensor], name: str, x: Tensor, training: bool) -> Tensor:
    """``[batch, channels, positions]``."""
    mean, variance = weights[f"{name}.running_mean"].clone(), weights[f"{name}.running_var"].clone()
    return functional.batch_norm(x, mean, variance, weights[f"{name}.weight"], weights[f"{name}.bias"], training)


def pyramid(weights: dict[str, Tensor], maps: dict[str, Tensor]) -> dict[str, Tensor]:
    """Features ``[batch, locations, width]`` of each map."""
    features: dict[str, Tensor] = {}
    coarser, coarse_size = None, None
    for name, values in reversed(maps.items()):
        size = values.shape[1:2] if values.dim() == 3 else values.shape[2:]
        rows = values if values.dim() == 3 else values.flatten(2).transpose(1, 2)
        here = _linear(weights, f"fpn.Proj_{name}.2", _linear(weights, f"fpn.Proj_{name}.0", rows).relu())
        if coarser is not None and len(size) == 1:
            above = list(maps)[list(maps).index(name) + 1]
            spread = _linear(weights, f"fpn.Up_{above}", coarser.transpose(1, 2)).transpose(1, 2) if size != coarse_size else coarser
            here = here + spread
        elif coarser is not None:
            axes = coarser.transpose(1, 2).reshape(len(coarser), -1, *coarse_size)
            finer = (
                functional.interpolate(axes, tuple(size), mode=UPSAMPLING[len(size)], align_corners=False) if size != coarse_size else axes
            )
            here = here + finer.flatten(2).transpose(1, 2)
        features[name], coarser, coarse_size = here, here, size
    return {name: features[name] for name in maps}


def forward(weights: dict[str, Tensor], maps: dict[str, Tensor], select: list[int], training: bool) -> dict[str, Tensor]:
    """The published form's outputs by its names, without dropout: a loop over the images of a batch
    chooses locations.
    """
    features, outputs, kept = pyramid(weights, maps), {}, []
    for (name, rows), number in zip(features.items(), select, strict=True):
        hidden = _linear(weights, f"fpn_classifier_{name}.0", rows).transpose(1, 2)
        logits = _linear(
            weights, f"fpn_classifier_{name}.3", _norm(weights, f"fpn_classifier_{name}.1", hidden, training).relu().transpose(1, 2)
        )
        outputs[name] = logits
        chosen, taken, dropped = choose_by_image(logits, rows, number)
        outputs[f"select_{name}"], outputs[f"drop_{name}"] = taken, dropped
        kept.append(chosen)
    joints = _linear(weights, "combiner.param_pool0", torch.cat(kept, dim=1).transpose(1, 2))
    queries = _linear(weights, "combiner.conv_q1", joints.transpose(1, 2)).mean(dim=2)
    keys = _linear(weights, "combiner.conv_k1", joints.transpose(1, 2)).mean(dim=2)
    edges = weights["combiner.adj1"] + torch.tanh(queries.unsqueeze(-1) - keys.unsqueeze(1)) * weights["combiner.alpha1"]
    mixed = torch.matmul(_linear(weights, "combiner.conv1", joints.transpose(1, 2)).transpose(1, 2), edges)
    pooled = _linear(weights, "combiner.param_pool1", _norm(weights, "combiner.batch_norm1", mixed, training))
    outputs["comb_outs"] = _linear(weights, "combiner.classifier", pooled.flatten(1))
    return outputs


def choose_by_image(logits: Tensor, rows: Tensor, number: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features and logits of the chosen locations and logits of the others, an image at a time."""
    chosen, taken, dropped = [], [], []
    for image in range(len(logits)):
        scores = torch.softmax(logits[image], dim=-1).max(dim=-1).values
        _, ranks = torch.sort(scores, descending=True, stable=True)
        chosen.append(rows[image][ranks[:number]])
        taken.append(logits[image][ranks[:number]])
        dropped.append(logits[image][ranks[number:]])
    return torch.stack(chosen), torch.stack(taken), torch.stack(dropped)


def losses(outputs: dict[str, Tensor], names: list[str], labels: Tensor) -> dict[str, Tensor]:
    """The four terms of the loss by their names in a reference file."""
    entropy, squares = nn.CrossEntropyLoss(), nn.MSELoss()
    total: dict[str, Tensor] = {"loss_c": entropy(outputs["comb_outs"], labels)}
    total["loss_b"] = sum((entropy(outputs[name].mean(1), labels) for name in names), torch.zeros(()))
    total["loss_s"] = sum(
        (entropy(outputs[f"select_{name}"].flatten(0, 1), labels.repeat_interleave(outputs[f"select_{name}"].shape[1])) for name in names),
        torch.zeros(()),
    )
    dropped = [outputs[f"drop_{name}"].tanh() for name in names]
    total["loss_n"] = sum((squares(each, -torch.ones_like(each)) for each in dropped), torch.zeros(()))
    return total


def answer(outputs: dict[str, Tensor], names: list[str]) -> Tensor:
    """The mean of the softmaxes of the maps' mean logits and of the combiner."""
    parts = [*(outputs[name].mean(1) for name in names), outputs["comb_outs"]]
    return torch.stack([part.softmax(dim=1) for part in parts]).mean(dim=0)

"""Weights in the layout of the published plug-in module (github.com/chou141253/FGVC-PIM) into ours.

Its files hold a backbone and the module: pyramid (``fpn``), a head for each map
(``fpn_classifier_<map>``) and the combiner. They know one level of labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from kneeoa.atomic_io import sha256_file
from kneeoa.backbones.pretrained import PLUGIN, LoadedWeights, Rename, copy_tensors, read_tensors, renamer
from kneeoa.errors import KneeoaError
from kneeoa.plugins.interface import PluginHeads

MAPS = ("layer1", "layer2", "layer3", "layer4")
"""Its names of the maps, fine to coarse."""
_COMBINER = {
    "param_pool0": "gather", "adj1": "edges", "alpha1": "adaption", "conv_q1": "queries", "conv_k1": "keys",
    "conv1": "features", "batch_norm1": "norm", "param_pool1": "pool",
}  # fmt: skip


def load_public(module: PluginHeads, path: str | Path, maps: Sequence[str] = MAPS) -> LoadedWeights:
    """Load a file of the published layout into ``module``, in place: ``.pth`` or ``.pt`` with
    tensors alone, or ``.safetensors``. Every tensor must fit; the backbone's are left out.

    Args:
        module: of one level, with a logit for each of the file's classes.
        path: the file.
        maps: the file's names of the maps, fine to coarse.

    Raises:
        KneeoaError: the module is of several levels, or the file cannot be read or does not fit.
    """
    file, rename = Path(path), rename_from_public(module, maps)
    given = read_tensors(file)
    left_out = copy_tensors(module, file, given, rename, adapt=without_axes)
    return LoadedWeights(file.name, sha256_file(file), len(given) - len(left_out), left_out)


def rename_from_public(module: PluginHeads, maps: Sequence[str]) -> Rename:
    """Renaming of the published layout for ``module``; what is not the module's is left out.

    Raises:
        KneeoaError: the module is of several levels.
    """
    if len(module.levels) != 1:
        raise KneeoaError(
            f"a file of the published plug-in module has heads of one level, but the mode has {', '.join(module.levels)}; "
            "take a mode of one level, or leave the file out."
        )
    (level,) = module.levels
    names: dict[str, str | None] = {}
    for number, name in enumerate(maps):
        names |= {f"fpn.Proj_{name}.{layer}": f"pyramid.projections.{number}.{layer}" for layer in (0, 2)}
        if number:
            names[f"fpn.Up_{name}"] = f"pyramid.upsamplers.{number - 1}.linear"
        tower = f"selections.{level}.towers.{number}"
        names |= {f"fpn_classifier_{name}.{layer}": f"{tower}.{ours}" for layer, ours in ((0, "hidden"), (1, "norm"), (3, "last"))}
    names |= {f"combiner.{public}": f"selections.{level}.combiner.{ours}" for public, ours in _COMBINER.items()}
    names["combiner.classifier"] = f"selections.{level}.classifier"
    rename = renamer(names)
    return lambda key: rename(key) if key.startswith(PLUGIN) else None


def without_axes(name: str, tensor: Tensor) -> Tensor:
    """The kernel of a convolution of kernel 1 as a linear layer's weights."""
    return tensor.flatten(1) if tensor.dim() > 2 and tensor[0, 0].numel() == 1 else tensor

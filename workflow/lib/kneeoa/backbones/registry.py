"""Registry of backbones: their kinds, checks of options and input, and building. Imports torch only
to build.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kneeoa.config.validation_messages import validation_messages
from kneeoa.errors import KneeoaError

if TYPE_CHECKING:
    from kneeoa.backbones.interface import Backbone
    from kneeoa.backbones.options.base import BackboneOptions
    from kneeoa.backbones.step_cost import StepCost


def kinds() -> tuple[str, ...]:
    """Names of all kinds: one file of options each.

    They are read from the folder, not listed here: a list in this file would belong to the code of
    every run, and a new kind would retrain them all.
    """
    return tuple(sorted(path.stem for path in (Path(__file__).parent / "options").glob("*.py") if path.stem not in {"__init__", "base"}))


def code_modules(kind: str) -> tuple[str, ...]:
    """Dotted names of the modules whose code belongs to ``kind`` alone; their imports need not be
    listed.

    Raises:
        KneeoaError: there is no such kind.
    """
    _check_kind(kind)
    return f"kneeoa.backbones.{kind}", f"kneeoa.backbones.options.{kind}"


def check(kind: str, options: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """Check the options of ``kind``, fill in every default, and check that the network can take an
    input of ``shape`` (voxels along each axis). Imports no torch.

    Raises:
        KneeoaError: unknown kind or option, a value that is not allowed, or the shape does not fit.
    """
    return _checked_options(kind, options, shape).model_dump()


def map_sizes(kind: str, options: Mapping[str, Any], shape: tuple[int, ...], public: bool = False) -> tuple[tuple[int, ...], ...]:
    """Positions of every feature map along its axes, fine to coarse, for an input of ``shape``; a
    token sequence has one axis. Empty where the kind does not say.

    Args:
        kind: one of :func:`kinds`.
        options: the kind's options.
        shape: voxels of the image along each axis.
        public: of the layers that the published plug-in module takes, instead.

    Raises:
        KneeoaError: as :func:`check`, or the plug-in module was not published with this kind, or
        not
            for images like this.
    """
    checked = _checked_options(kind, options, shape)
    try:
        return checked.public_map_sizes(shape) if public else checked.map_sizes(shape)
    except ValueError as error:
        raise KneeoaError(str(error)) from error


def map_widths(kind: str, options: Mapping[str, Any], public: bool = False) -> tuple[int, ...]:
    """Channels of every feature map, fine to coarse; empty where the kind does not say.

    Args:
        kind: one of :func:`kinds`.
        options: the kind's options.
        public: of the layers that the published plug-in module takes, instead.

    Raises:
        KneeoaError: unknown kind or option, or a value that is not allowed.
    """
    return _parse_options(kind, options).map_widths(public)


def step_cost(kind: str, options: Mapping[str, Any], shape: tuple[int, ...]) -> StepCost | None:
    """Parameters, memory and arithmetic of a training step for a grey image of ``shape``; None
    where the kind does not say.

    Raises:
        KneeoaError: as :func:`check`.
    """
    return _checked_options(kind, options, shape).step_cost(shape)


def weights_file(kind: str, options: Mapping[str, Any]) -> Path | None:
    """The file of weights that training begins from, its variables expanded; None without one, or
    where it is part of a package.

    Raises:
        KneeoaError: unknown kind or option, or a value that is not allowed.
    """
    return _parse_options(kind, options).weights_file()


def build(kind: str, options: Mapping[str, Any], *, dimensions: int, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build a backbone with fresh weights drawn from torch's global generator (seed it first).

    Args:
        kind: one of :func:`kinds`.
        options: the kind's options; what is left out has its published value.
        dimensions: axes of the image, which must be the length of ``shape``.
        in_channels: channels of the image.
        shape: voxels of the image along each axis.

    Raises:
        KneeoaError: unknown kind or option, a value that is not allowed, or an input that does not
            fit.
    """
    if dimensions != len(shape):
        raise KneeoaError(f"an image of {dimensions} dimensions cannot have the shape {list(shape)}, which has {len(shape)} axes")
    if in_channels < 1:
        raise KneeoaError(f"an image needs at least one channel, not {in_channels}")
    checked = _checked_options(kind, options, shape)
    backbone: Backbone = importlib.import_module(code_modules(kind)[0]).build(checked, in_channels, shape)
    return backbone


def _check_kind(kind: str) -> None:
    if kind not in kinds():
        raise KneeoaError(f"'kind' is '{kind}', which is not a backbone; allowed are {', '.join(kinds())}")


def _parse_options(kind: str, options: Mapping[str, Any]) -> BackboneOptions:
    model = importlib.import_module(code_modules(kind)[1]).Options
    try:
        checked: BackboneOptions = model.model_validate(dict(options))
    except ValidationError as error:
        raise KneeoaError(f"options of backbone '{kind}': {'; '.join(validation_messages(error, model))}") from error
    return checked


def _checked_options(kind: str, options: Mapping[str, Any], shape: tuple[int, ...]) -> BackboneOptions:
    checked = _parse_options(kind, options)
    try:
        checked.check_shape(shape)
    except ValueError as error:
        raise KneeoaError(str(error)) from error
    return checked

"""Registry of plug-ins: their kinds, checks of their options and of what they are put on, and
building. Imports torch only to build.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kneeoa.backbones import registry as backbones
from kneeoa.config.hierarchy import Level
from kneeoa.config.validation_messages import validation_messages
from kneeoa.errors import KneeoaError
from kneeoa.heads import registry as modes

if TYPE_CHECKING:
    from torch import Tensor

    from kneeoa.backbones.interface import Backbone
    from kneeoa.config.modes import Mode
    from kneeoa.plugins.interface import PluginHeads
    from kneeoa.plugins.options.base import PluginOptions
    from kneeoa.plugins.selections.interface import MapSelection


def kinds() -> tuple[str, ...]:
    """Names of all kinds: one file of options each, read from the folder so that a new one belongs
    to no other's code.
    """
    return tuple(sorted(path.stem for path in (Path(__file__).parent / "options").glob("*.py") if path.stem not in {"__init__", "base"}))


def code_modules(kind: str) -> tuple[str, ...]:
    """Dotted names of the modules whose code belongs to ``kind`` alone.

    Raises:
        KneeoaError: there is no such kind.
    """
    if kind not in kinds():
        raise KneeoaError(f"'kind' is '{kind}', which is not a plug-in; allowed are {', '.join(kinds())}")
    return f"kneeoa.plugins.{kind}", f"kneeoa.plugins.options.{kind}"


def selects(kind: str) -> bool:
    """Whether a plug-in of ``kind`` chooses locations of the maps: there is a file of its own in
    ``selections/``.
    """
    return (Path(__file__).parent / "selections" / f"{kind}.py").is_file()


def selection_modules(kind: str) -> tuple[str, ...]:
    """Dotted names of the modules that say what a plug-in of ``kind`` chose; empty where it chooses
    nothing.
    """
    return (f"kneeoa.plugins.selections.{kind}",) if selects(kind) else ()


def select(kind: str, heads: PluginHeads, maps: Sequence[Tensor]) -> dict[str, list[MapSelection]]:
    """Locations that a plug-in chose of each map, fine to coarse, by the level that chooses.

    Args:
        kind: of the plug-in.
        heads: the plug-in, in evaluation mode.
        maps: the backbone's, ``[batch, channels, *positions]``.

    Raises:
        KneeoaError: a plug-in of this kind chooses nothing.
    """
    if not selects(kind):
        raise KneeoaError(f"a plug-in '{kind}' chooses no locations, so there is nothing to show of them")
    selections: dict[str, list[MapSelection]] = importlib.import_module(selection_modules(kind)[0]).select(heads, maps)
    return selections


def options_class(kind: str) -> type[PluginOptions]:
    """The typed options of ``kind``.

    Raises:
        KneeoaError: there is no such kind.
    """
    options: type[PluginOptions] = importlib.import_module(code_modules(kind)[1]).Options
    return options


def parse(plugin: Mapping[str, Any]) -> PluginOptions:
    """Check a plug-in as the configuration has it, ``kind`` and the kind's options.

    Raises:
        KneeoaError: unknown kind or option, or a value that is not allowed.
    """
    kind = str(plugin.get("kind"))
    model = options_class(kind)
    try:
        return model.model_validate(dict(plugin))
    except ValidationError as error:
        raise KneeoaError(f"options of plug-in '{kind}': {'; '.join(validation_messages(error, model))}") from error


def check(
    plugin: PluginOptions, mode: Mode, backbone: str, options: Mapping[str, Any], shape: tuple[int, ...]
) -> tuple[tuple[int, ...], ...]:
    """Check that a plug-in can be put on a backbone for images of ``shape``, in a mode; returns the
    sizes of the maps that it takes, fine to coarse.

    Raises:
        KneeoaError: with the numbers that do not fit.
    """
    chain = modes.chain(mode.kind)
    if chain is None:
        raise KneeoaError(f"a mode of kind '{mode.kind}' does not say how its heads sit on a plug-in (CHAIN of its file); choose another")
    if chain not in plugin.chains:
        taken = " or ".join(plugin.chains)
        raise KneeoaError(f"the heads of a mode of kind '{mode.kind}' are {chain}, but a plug-in '{plugin.kind}' takes {taken} ones")
    sizes = backbones.map_sizes(backbone, options, shape, plugin.public_maps)
    if not sizes:
        raise KneeoaError(
            f"backbone '{backbone}' does not say how large its maps are (map_sizes of its options); add that, or choose another"
        )
    try:
        plugin.check_maps(sizes)
        plugin.check_image(shape, sizes, len(mode.levels))
    except ValueError as error:
        raise KneeoaError(f"{error} (backbone '{backbone}', image {list(shape)})") from error
    return sizes


def build(
    plugin: Mapping[str, Any],
    mode: Mode,
    levels: Sequence[Level],
    backbone: Backbone,
    *,
    kind: str,
    options: Mapping[str, Any],
    shape: tuple[int, ...],
) -> PluginHeads:
    """Build the heads of a plug-in on ``backbone`` with fresh weights drawn from torch's global
    generator, and make the backbone give the maps that the plug-in takes.

    Args:
        plugin: its kind and options.
        mode: which levels supervise, and how their heads sit.
        levels: the study's levels.
        backbone: already built.
        kind: of the backbone.
        options: of the backbone.
        shape: voxels of the image along each axis.

    Raises:
        KneeoaError: as :func:`parse` and :func:`check`.
    """
    from kneeoa.plugins.interface import Maps

    parsed = parse(plugin)
    sizes = check(parsed, mode, kind, options, shape)
    if parsed.public_maps:
        backbone.use_public_maps()
    maps = Maps(tuple(backbone.map_widths), sizes)
    module = importlib.import_module(code_modules(parsed.kind)[0])
    heads: PluginHeads = module.build(parsed, modes.supervisions(mode, tuple(levels)), maps, len(shape), modes.chain(mode.kind))
    return heads

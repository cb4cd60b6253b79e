"""Refuse YAML files that have a key twice, of which YAML would keep the last without a warning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from kneeoa.errors import KneeoaError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it exists: a tenth of the time


def check_keys(path: Path) -> None:
    """Check that a configuration file has no key twice. A file that is no YAML passes, and fails
    where it is loaded.

    Raises:
        KneeoaError: a key is twice in one mapping.
    """
    try:
        root = yaml.compose(path.read_bytes(), Loader=_LOADER)
    except (OSError, yaml.YAMLError):
        return
    repeated = [
        f"{path}: the key '{key}' stands on line {first} and again on line {second}" for key, first, second in _repeated(root, "", set())
    ]
    if repeated:
        raise KneeoaError(f"{'; '.join(repeated)}. YAML keeps the last one in silence; remove one.")


def _repeated(node: yaml.Node | None, where: str, visited: set[int]) -> Iterator[tuple[str, int, int]]:
    """Yield (key with the keys above it, line, line of its repetition); what an alias repeats
    counts once.
    """
    if node is None or id(node) in visited:
        return
    visited.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for place, entry in enumerate(node.value):
            yield from _repeated(entry, f"{where}[{place}]", visited)
    if isinstance(node, yaml.MappingNode):
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            name = where
            if isinstance(key, yaml.ScalarNode):
                name, line = f"{where}.{key.value}".removeprefix("."), key.start_mark.line + 1
                if (key.tag, key.value) in lines:
                    yield name, lines[key.tag, key.value], line
                lines.setdefault((key.tag, key.value), line)
            yield from _repeated(value, name, visited)

"""Rename tensors of public weight files to this library's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Rename = Callable[[str], str | None]
"""Function from a public name to ours; None for a tensor that is not used here (a classifier, a
table that is computed anew).
"""


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

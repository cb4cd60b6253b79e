"""Names of the tensors in public weight files, and this library's names for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Rename = Callable[[str], str | None]
"""A public name to ours; None for a tensor that has no place here (a classifier, a table that is
computed anew).
"""


def renamer(names: Mapping[str, str | None]) -> Rename:
    """The renaming that ``names`` tells.

    Args:
        names: public name of a module or of a tensor -> ours, or None where it is left out. What
            lies directly in a module follows it: with ``{"bn1": "stem.norm"}``,
            ``bn1.running_mean`` becomes ``stem.norm.running_mean``.

    Returns:
        A function that gives names it does not know back as they are, so that whoever loads them
        sees that nothing here is so called.
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

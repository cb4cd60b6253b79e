"""Read the table of earlier names of moved or renamed definitions, which keeps their digests.

`workflow/renamed.json` holds ``{"new": "old"}``: of a definition as ``kneeoa.module:name``, or of a
module as ``kneeoa.module``, which then holds for all of its definitions and, for a package, for all
of its modules. An entry says that the old name is gone; a chain of entries is followed to its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from kneeoa.errors import KneeoaError


class Renames:
    """A table of earlier names."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = dict(table)
        self._answers: dict[str, str] = {}

    @classmethod
    def read(cls, file: Path) -> Renames:
        """The table in a file; empty where there is none.

        Raises:
            KneeoaError: the file is no such table, or its entries lead in a circle.
        """
        if not file.exists():
            return cls({})
        try:
            table = {str(new): str(old) for new, old in json.loads(file.read_text(encoding="utf-8")).items()}
        except (OSError, ValueError, AttributeError) as error:
            raise KneeoaError(f"{file}: is no table of renamed code ({error}); take the tracked file back (git checkout).") from error
        renames = cls(table)
        for new in table:
            try:
                renames.earliest(new)
            except RecursionError:
                raise KneeoaError(f"{file}: the entries lead in a circle at '{new}'; expected new names and the old ones.") from None
        return renames

    def earliest(self, identity: str) -> str:
        """Return the oldest name of a definition (``module:name``) or a module; itself where there
        is none.
        """
        if not self._table:
            return identity
        if identity not in self._answers:
            self._answers[identity] = self._earliest(identity, 0)
        return self._answers[identity]

    def _earliest(self, identity: str, steps: int) -> str:
        if steps > len(self._table):
            raise RecursionError(identity)
        if identity in self._table:
            return self._earliest(self._table[identity], steps + 1)
        module, colon, name = identity.partition(":")
        parts = module.split(".")
        for end in range(len(parts), 0, -1):
            above = ".".join(parts[:end])
            if above in self._table:
                renamed = ".".join([self._table[above], *parts[end:]])
                return self._earliest(f"{renamed}{colon}{name}", steps + 1)
        return identity

    @cached_property
    def newest_names(self) -> tuple[str, ...]:
        """Names to which the table gives an earlier one; each should exist."""
        olds = set(self._table.values())
        return tuple(new for new in self._table if new not in olds)

    def ambiguous(self, identities: Iterable[str]) -> list[str]:
        """Return the definitions whose earliest name another one of ``identities`` has as well."""
        first: dict[str, str] = {}
        return [identity for identity in identities if first.setdefault(self.earliest(identity), identity) != identity]

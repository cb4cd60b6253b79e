"""What a header claims of one property of its picture: the same may be said in several places, and
they may contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Claims:
    """The values that a header claims of one property.

    Attributes:
        near: claimed for the picture or its series.
        far: claimed by what may be of several pictures: the protocol, the study. Decides where
            nothing nearer does.
    """

    near: frozenset[str] = frozenset()
    far: frozenset[str] = frozenset()

    @classmethod
    def of(cls, near: Iterable[str | None], far: Iterable[str | None]) -> Self:
        """From values of which some are not given (None)."""
        return cls(*(frozenset(value for value in values if value is not None) for values in (near, far)))

    @property
    def value(self) -> str | None:
        """The value, where the nearest claims agree."""
        nearest = self.near or self.far
        return next(iter(nearest)) if len(nearest) == 1 else None

    def against(self, value: str) -> str | None:
        """A value that one of the nearest claims holds against ``value``."""
        return min((self.near or self.far) - {value}, default=None)

    def doubt(self, value: str) -> str | None:
        """A value that only a far claim holds against ``value``, which the near ones confirm."""
        return None if self.against(value) or not self.near else min(self.far - {value}, default=None)


NO_CLAIMS = Claims()
"""Of a file without a header that could claim anything."""

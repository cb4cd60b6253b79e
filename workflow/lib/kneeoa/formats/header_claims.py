"""Claims of a header about one property of its picture. Several elements may state the property,
and contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Claims:
    """The values of one property that a header claims.

    Attributes:
        near: claimed for the picture or its series.
        far: claimed by elements that may describe several pictures (the protocol, the study); they
            count where there is no nearer claim.
    """

    near: frozenset[str] = frozenset()
    far: frozenset[str] = frozenset()

    @classmethod
    def of(cls, near: Iterable[str | None], far: Iterable[str | None]) -> Self:
        """Make claims from values, some of which may be None (not given)."""
        return cls(*(frozenset(value for value in values if value is not None) for values in (near, far)))

    @property
    def value(self) -> str | None:
        """The value, where the nearest claims agree."""
        nearest = self.near or self.far
        return next(iter(nearest)) if len(nearest) == 1 else None

    def contradiction(self, value: str) -> str | None:
        """A value among the nearest claims that contradicts ``value``; None where there is none."""
        return min((self.near or self.far) - {value}, default=None)

    def far_contradiction(self, value: str) -> str | None:
        """A value among the far claims that contradicts ``value`` where the near ones confirm it;
        None where there is none.
        """
        return None if self.contradiction(value) or not self.near else min(self.far - {value}, default=None)


NO_CLAIMS = Claims()
"""The claims of a file without a header."""

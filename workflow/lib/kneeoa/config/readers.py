"""Noisy readers: how training and validation labels are read again, with stated errors or by chance
alone.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from kneeoa.config.section import Name, Section

REFERENCE = "none"
"""In a list of readers: the reference labels as they are."""


class NoisyReader(Section):
    """Somebody who reads one level's labels of training and validation cases again, with errors.
    Test labels stay the reference.
    """

    adjacent: float | None = Field(default=None, gt=0, le=1)
    """Probability that a grade is read one off: to either side alike, at an end of the scale to its
    only neighbour.
    """
    confusion: tuple[tuple[float, ...], ...] | None = None
    """Instead of `adjacent`. Row: the reference class; column: the probability of the class that is
    read, e.g. a measured agreement between readers.
    """
    permute: bool = False
    """Instead of either: every label is another subject's of the same split. There is nothing to
    learn from such labels, so what an arm of this reader finds is what chance finds.
    """
    level: Name | None = None
    """The level that is read; default: the finest one that is not multilabel. Coarser levels follow
    from what is read.
    """
    seed: int = Field(default=0, ge=0)
    """Seed of the errors. Readers of one seed stumble over the same cases: what a careful one
    misreads, a careless one misreads too.
    """

    @model_validator(mode="after")
    def _stated(self) -> Self:
        if (self.adjacent is not None) + (self.confusion is not None) + self.permute != 1:
            raise ValueError("a reader needs either 'adjacent' (a probability), 'confusion' (a matrix) or 'permute: true', and only one")
        for number, row in enumerate(self.confusion or ()):
            if len(row) != len(self.confusion or ()):
                raise ValueError(f"row {number} of 'confusion' has {len(row)} entries, but there are {len(self.confusion or ())} rows")
            if min(row) < 0 or abs(sum(row) - 1) > 1e-6:
                raise ValueError(f"row {number} of 'confusion' must hold probabilities that add up to 1, not {list(row)}")
        return self

    def matrix(self, classes: int) -> tuple[tuple[float, ...], ...] | None:
        """The confusion of a level with so many classes: row the reference class, column the
        probability of what is read.

        None for a reader who permutes.

        Raises:
            ValueError: a stated confusion has another size.
        """
        if self.permute:
            return None
        if self.confusion is not None:
            if len(self.confusion) != classes:
                raise ValueError(f"'confusion' has {len(self.confusion)} rows, but the level has {classes} classes")
            return self.confusion
        share = self.adjacent or 0.0
        rows = []
        for grade in range(classes):
            neighbours = [other for other in (grade - 1, grade + 1) if 0 <= other < classes]
            rows.append(tuple(1 - share if other == grade else share / len(neighbours) * (other in neighbours) for other in range(classes)))
        return tuple(rows)

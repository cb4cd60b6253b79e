"""Section of noisy raters: training and validation labels are read again, with configured errors
or by chance alone.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from kneeoa.config.section import Name, Section

REFERENCE = "none"
"""The reference labels, in a list of raters."""


class NoisyRater(Section):
    """A simulated rater that reads one level's labels of training and validation cases again, with
    errors. Test labels stay the reference.
    """

    adjacent: float | None = Field(default=None, gt=0, le=1)
    """Probability that a grade is read as a neighbouring one. Both neighbours are equally likely;
    at an end of the scale there is only one.
    """
    confusion: tuple[tuple[float, ...], ...] | None = None
    """Instead of `adjacent`: probabilities of the class that is read. Rows are reference classes,
    columns are read classes, e.g. from a measured agreement between raters.
    """
    permute: bool = False
    """Instead of both: every label is that of another subject of the same split. Nothing can be
    learned from such labels, so an arm of this rater shows the results of chance.
    """
    level: Name | None = None
    """The level that is read. Default: the finest one that is not multilabel. Coarser levels are
    derived from what is read.
    """
    seed: int = Field(default=0, ge=0)
    """Seed of the errors. Raters with the same seed err in the same cases: a less careful rater
    misreads all cases that a more careful one misreads.
    """

    @model_validator(mode="after")
    def _stated(self) -> Self:
        if (self.adjacent is not None) + (self.confusion is not None) + self.permute != 1:
            raise ValueError("a rater needs either 'adjacent' (a probability), 'confusion' (a matrix) or 'permute: true', and only one")
        for number, row in enumerate(self.confusion or ()):
            if len(row) != len(self.confusion or ()):
                raise ValueError(f"row {number} of 'confusion' has {len(row)} entries, but there are {len(self.confusion or ())} rows")
            if min(row) < 0 or abs(sum(row) - 1) > 1e-6:
                raise ValueError(f"row {number} of 'confusion' must hold probabilities that add up to 1, not {list(row)}")
        return self

    def matrix(self, classes: int) -> tuple[tuple[float, ...], ...] | None:
        """Confusion matrix of a level with ``classes`` classes: probabilities of the class that is
        read, rows by reference class.

        None for a rater that permutes.

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

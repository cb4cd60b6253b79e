"""Are there enough subjects for a test that rests on the normal distribution?

What counts is not the number of subjects but how many the difference comes from: with three cases
of a grade, an average over grades is a matter of three subjects, whatever their total. The
effective number (sum g^2)^2 / sum g^4 of the subjects' parts g of a difference is the number of
subjects where all have an equal part, and near the number of those that dominate where few do
(Kish 1965, Survey Sampling, for weights).
"""

from __future__ import annotations

from kneeoa.statistics.inputs import Floats

LEAST: dict[str, float] = {"delong": 6.0, "delta": 15.0, "bootstrap": 15.0, "mcnemar": 15.0, "seeds": 6.0}
"""Test -> the effective number below which it is not used. Below, the normal and bootstrap tests do
not hold their level: at 5 % they reject up to 27 % (balanced accuracy, three cases of a class);
above, about 5 % (docs/benchmarks.md). DeLong's does with fewer, as a case's placement is no
yes or no.
"""


def effective_number(sums: Floats) -> float:
    """The effective number of subjects behind a difference, from their parts ``[K]``; 0 where all
    are zero.
    """
    squares = sums**2
    fourth = float(squares @ squares)
    return float(squares.sum()) ** 2 / fourth if fourth > 0.0 else 0.0

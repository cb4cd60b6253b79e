"""Permute class labels between subjects: as many of each class as before, and nothing left to
learn.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def permute_between_subjects(
    labels: NDArray[np.int64], cohorts: Sequence[str], subjects: Sequence[str], case_ids: Sequence[str], seed: int
) -> NDArray[np.int64]:
    """Labels of other subjects for every case.

    Subjects stand in a random circle, each with their cases side by side, and every label moves on
    by as many cases as the subject with most of them has. So no case keeps a label of its own
    subject (from twice as many cases on), both knees of one subject mostly go to one subject, and
    classes keep their counts. The circle is a pure function of the seed and of who is there.

    Args:
        labels: ``[n]``, of the cases of one split.
        cohorts: of each case.
        subjects: of each case, unique within a cohort.
        case_ids: of each case, unique within a cohort.
        seed: of the circle.

    Returns:
        int64 ``[n]``, in the order of the cases given.
    """
    people = list(zip(cohorts, subjects, strict=True))
    place = {person: hashlib.sha256(f"{seed}/{'/'.join(person)}".encode()).digest() for person in people}
    circle = np.array(sorted(range(len(labels)), key=lambda case: (place[people[case]], case_ids[case])), dtype=np.int64)
    dealt = np.empty_like(labels)
    dealt[np.roll(circle, -max(Counter(people).values(), default=0))] = labels[circle]
    return dealt

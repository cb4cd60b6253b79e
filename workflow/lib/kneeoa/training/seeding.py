"""Independent random streams of one run, each a pure function of the run's seed, the purpose and
the epoch.

Nothing carries a state from one epoch to the next, so a resumed run needs no saved generators to
equal an uninterrupted one, and a mode with more heads (or a backbone with dropout) cannot shift the
order of the data of another.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from kneeoa.errors import KneeoaError


class Purpose(IntEnum):
    """Purpose of a random stream. Results depend on the numbers: never reuse or reorder them."""

    WEIGHTS = 0
    ORDER = 1
    AUGMENTATION = 2
    NOISE = 3
    DROPOUT = 4
    DROPOUT_MASKS = 5


def _sequence(seed: int, purpose: Purpose, place: tuple[int, ...]) -> np.random.SeedSequence:
    if seed < 0:
        raise KneeoaError(f"A run's seed must be zero or more, not {seed}.")
    return np.random.SeedSequence(entropy=seed, spawn_key=(int(purpose), *place))


def generator(seed: int, purpose: Purpose, *place: int) -> np.random.Generator:
    """An independent NumPy generator for this seed, purpose and place (epoch, step): a spawned
    child of ``SeedSequence(seed)``.

    Raises:
        KneeoaError: the seed is negative.
    """
    return np.random.default_rng(_sequence(seed, purpose, place))


def derive_seed(seed: int, purpose: Purpose, *place: int) -> int:
    """Derive a 63-bit seed for ``torch.manual_seed``, from the same tree of seeds as
    :func:`generator`.

    Raises:
        KneeoaError: the seed is negative.
    """
    return int(_sequence(seed, purpose, place).generate_state(1, np.uint64)[0] >> np.uint64(1))

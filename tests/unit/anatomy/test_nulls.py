import numpy as np
import pytest

from kneeoa.anatomy.nulls import against_null, random_shifts, shifted_hits
from kneeoa.errors import KneeoaError


@pytest.mark.parametrize("shape", [(4, 5, 6), (3, 3, 3), (7, 8)])
def test_the_transform_equals_moving_the_map_by_hand(shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    maps, tissues = generator.uniform(size=(2, *shape)), generator.uniform(size=(3, *shape))
    found = shifted_hits(maps, tissues)
    axes = tuple(range(len(shape)))
    for shift in np.ndindex(shape):
        for j, one in enumerate(maps):
            moved = np.roll(one, shift, axis=axes)
            for t, tissue in enumerate(tissues):
                assert found[(t, j, *shift)] == pytest.approx((moved * tissue).sum(), abs=1e-10)


def test_shifts_differ_and_never_stand_still() -> None:
    drawn = random_shifts((4, 5), 19, np.random.default_rng(0))
    assert sorted(drawn) == list(range(1, 20))
    assert sorted(random_shifts((4, 5), 1000, np.random.default_rng(0))) == list(range(1, 20))
    few = random_shifts((40, 50), 30, np.random.default_rng(0))
    assert len(set(few)) == 30
    assert few.min() > 0
    with pytest.raises(KneeoaError, match="one cell"):
        random_shifts((1, 1), 5, np.random.default_rng(0))


def test_p_counts_ties_against_the_map() -> None:
    assert against_null(0.5, np.array([0.1, 0.2, 0.5 - 1e-14, 0.9])) == (pytest.approx(0.425), 3 / 5)
    assert against_null(0.5, np.full(9, 0.1)) == (pytest.approx(0.1), 1 / 10)
    assert against_null(0.5, np.full(9, 0.5))[1] == 1


def test_the_null_of_all_shifts_averages_to_chance() -> None:
    saliency, tissue = np.random.default_rng(1).uniform(size=(2, 1, 6, 6))
    every = shifted_hits(saliency / saliency.sum(), tissue)
    assert every.mean() == pytest.approx(tissue.mean(), abs=1e-12)

import numpy as np
import pytest

from kneeoa.anatomy.nulls import (
    SINGLE,
    OtherSubjects,
    choose_other_subjects,
    compare_with_null,
    fourier_transform,
    random_shifts,
    shifted_hits,
)
from kneeoa.errors import KneeoaError


@pytest.mark.parametrize("shape", [(4, 5, 6), (3, 3, 3), (7, 8)])
def test_the_transform_equals_moving_the_map_by_hand(shape: tuple[int, ...]) -> None:
    saliency, tissue = np.random.default_rng(0).uniform(size=(2, *shape))
    hits = shifted_hits(fourier_transform(saliency), fourier_transform(tissue), shape)
    for shift in np.ndindex(shape):
        by_hand = (np.roll(saliency, shift, axis=tuple(range(len(shape)))) * tissue).sum()
        assert hits[shift] == pytest.approx(by_hand, abs=1e-10)


def test_shifts_differ_and_never_stand_still() -> None:
    drawn = random_shifts((4, 5), 19, np.random.default_rng(0))
    assert sorted(drawn) == list(range(1, 20))
    assert sorted(random_shifts((4, 5), 1000, np.random.default_rng(0))) == list(range(1, 20))
    few = random_shifts((40, 50), 30, np.random.default_rng(0))
    assert len(set(few)) == 30
    assert few.min() > 0
    with pytest.raises(KneeoaError, match="one cell"):
        random_shifts((1, 1), 5, np.random.default_rng(0))


def test_p_counts_ties_against_the_map_and_z_points_at_the_tissue() -> None:
    sample = np.array([0.1, 0.2, 0.5 - 1e-14, 0.9])
    comparison = compare_with_null(0.5, sample)
    assert (comparison.mean, comparison.p) == (pytest.approx(0.425), 3 / 5)
    assert comparison.z == pytest.approx(0.075 / sample.std(ddof=1))
    assert compare_with_null(0.5, np.full(9, 0.1)).p == 1 / 10
    assert np.isnan(compare_with_null(0.5, np.full(9, 0.1)).z)
    assert compare_with_null(0.5, np.full(9, 0.5)).p == 1


def test_of_a_distance_less_is_closer() -> None:
    comparison = compare_with_null(2.0, np.array([1.0, 3, 4]), less_is_closer=True)
    assert comparison.p == 2 / 4
    assert comparison.z > 0


def test_a_null_without_members_is_undefined() -> None:
    assert np.isnan(compare_with_null(0.5, np.array([np.nan])).p)
    assert compare_with_null(0.5, np.array([np.nan, 0.1])).p == 1 / 2


def test_the_null_of_all_shifts_averages_to_chance() -> None:
    saliency, tissue = np.random.default_rng(1).uniform(size=(2, 6, 6))
    every = shifted_hits(fourier_transform(saliency / saliency.sum()), fourier_transform(tissue), (6, 6))
    assert every.mean() == pytest.approx(tissue.mean(), abs=1e-12)


def test_the_pool_holds_everybody_else() -> None:
    maps = np.random.default_rng(0).uniform(size=(3, 4, 5))
    maps /= maps.sum(axis=(1, 2), keepdims=True)
    members = [("a", {"mass": maps[0], "peak": maps[1]}), ("b", {"mass": maps[1], "peak": maps[2]}), ("c", {})]
    tissue = np.random.default_rng(1).uniform(size=(4, 5))
    hits = OtherSubjects(members, ["mass", "peak"]).hits("a", {"t": tissue})
    np.testing.assert_allclose(hits["mass", "t"], [(maps[1] * tissue).sum(), np.nan], rtol=SINGLE)
    np.testing.assert_allclose(hits["peak", "t"], [(maps[2] * tissue).sum(), np.nan], rtol=SINGLE)
    assert OtherSubjects([members[0]], ["mass"]).hits("a", {"t": tissue}) == {}
    assert OtherSubjects([("c", {})], ["mass"]).hits("a", {"t": tissue}) == {}


def test_one_map_a_subject_is_pooled_the_same_for_every_run() -> None:
    subjects = {f"{name}-{side}": name for name in "abcdefgh" for side in "LR"}
    chosen = choose_other_subjects(subjects, 5, 7, "made")
    assert len(chosen) == 5
    assert all(case == f"{subject}-L" for subject, case in chosen.items())
    assert chosen == choose_other_subjects(dict(reversed(subjects.items())), 5, 7, "made")
    assert chosen != choose_other_subjects(subjects, 5, 8, "made")
    assert set(chosen) < set(choose_other_subjects(subjects, 6, 7, "made"))

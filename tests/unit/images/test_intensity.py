"""Clip, z-score, padding, N4."""

import numpy as np
import pytest

from kneeoa.config.volumes import Intensity, View
from kneeoa.errors import UnusableImage
from kneeoa.images.canonical import Canonical, to_canonical
from kneeoa.images.intensity import scale
from kneeoa.images.volume import Volume
from tests.unit.images.made import grid


def canonical(array: np.ndarray, shape: tuple[int, int, int] | None = None) -> Canonical:
    return to_canonical(Volume(array, grid("RIP", (1, 1, 1))), View(shape=shape or array.shape, spacing=(1, 1, 1)), "R")


def test_the_image_is_clipped_and_has_mean_zero_and_deviation_one() -> None:
    array = np.random.default_rng(0).gamma(2, 100, (20, 30, 40)).astype(np.float32)
    found = scale(canonical(array), Intensity(clip=(1, 99)))
    low, high = np.percentile(array, (1, 99))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.mean == pytest.approx(np.clip(array, low, high).mean(), rel=1e-5)
    assert found.array.dtype == np.float16
    values = found.array.astype(np.float64)
    assert values.mean() == pytest.approx(0, abs=1e-3)
    assert values.std() == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(values * found.sd + found.mean, np.clip(array, low, high), atol=0.002 * high)


def test_padding_takes_no_part_and_looks_like_air() -> None:
    array = np.random.default_rng(0).gamma(2, 100, (10, 10, 10)).astype(np.float32)
    padded, plain = (scale(canonical(array, shape), Intensity()) for shape in ((20, 10, 10), (10, 10, 10)))
    assert (padded.mean, padded.sd) == (plain.mean, plain.sd)
    np.testing.assert_array_equal(padded.array[5:15], plain.array)
    assert (padded.array[:5] == plain.array.min()).all()


def test_without_a_zscore_values_are_the_clipped_ones() -> None:
    array = np.arange(1000, dtype=np.float32).reshape(10, 10, 10)
    found = scale(canonical(array), Intensity(zscore=False, clip=(0, 100)))
    np.testing.assert_array_equal(found.array, array.astype(np.float16))


@pytest.mark.parametrize(("array", "intensity", "reason"), [
    (np.full((5, 5, 5), 7, np.int16), Intensity(), "constant-image"),
    (np.linspace(0, 1e6, 1000).reshape(10, 10, 10).astype(np.float32), Intensity(zscore=False), "intensity-range"),
])  # fmt: skip
def test_what_cannot_be_scaled_is_unusable(array: np.ndarray, intensity: Intensity, reason: str) -> None:
    with pytest.raises(UnusableImage) as caught:
        scale(canonical(array), intensity)
    assert caught.value.reason == reason


def test_n4_takes_out_a_bias_field_and_gives_the_same_bytes_again() -> None:
    rng = np.random.default_rng(3)
    i, j, k = np.indices((16, 32, 32)) / 32
    tissue = np.where((i - 0.25) ** 2 + (j - 0.5) ** 2 + (k - 0.5) ** 2 < 0.15, 400.0, 5.0)
    bias = 1 + 0.6 * (j - 0.5)
    image = canonical((tissue * bias + rng.normal(0, 4, tissue.shape)).astype(np.float32))
    ball = tissue > 100

    def unevenness(array: np.ndarray) -> float:
        values = array[ball].astype(np.float64)
        return float(values.std() / values.mean())

    plain, corrected, again = (scale(image, Intensity(n4=n4, zscore=False)) for n4 in (False, True, True))
    assert unevenness(corrected.array) < 0.4 * unevenness(plain.array)
    np.testing.assert_array_equal(corrected.array, again.array)

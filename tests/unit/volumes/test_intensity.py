"""Clip, z-score, padding, N4, percentiles, foreground; odd images; paper A's preprocessing."""

from typing import Any

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as made

from kneeoa.config.volumes import N4, Intensity, View
from kneeoa.errors import UnusableImage
from kneeoa.formats.volume import Volume
from kneeoa.volumes.canonical import Canonical, to_canonical
from kneeoa.volumes.foreground import foreground_centre, otsu_threshold
from kneeoa.volumes.intensity import scale_intensities
from kneeoa.volumes.percentiles import percentile
from tests.unit.formats.made import grid


def canonical(array: np.ndarray, shape: tuple[int, int, int] | None = None) -> Canonical:
    return to_canonical(Volume(array, grid("RIP", (1, 1, 1))), View(shape=shape or array.shape, spacing=(1, 1, 1)), "R")


def test_the_image_is_clipped_and_has_mean_zero_and_deviation_one() -> None:
    array = np.random.default_rng(0).gamma(2, 100, (20, 30, 40)).astype(np.float32)
    result = scale_intensities(canonical(array), Intensity(clip=(1, 99)))
    low, high = np.percentile(array, (1, 99))
    assert (result.low, result.high) == (pytest.approx(low), pytest.approx(high))
    assert result.mean == pytest.approx(np.clip(array, low, high).mean(), rel=1e-5)
    assert result.array.dtype == np.float16
    values = result.array.astype(np.float64)
    assert values.mean() == pytest.approx(0, abs=1e-3)
    assert values.std() == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(values * result.sd + result.mean, np.clip(array, low, high), atol=0.002 * high)


def test_padding_takes_no_part_and_looks_like_air() -> None:
    array = np.random.default_rng(0).gamma(2, 100, (10, 10, 10)).astype(np.float32)
    padded, plain = (scale_intensities(canonical(array, shape), Intensity()) for shape in ((20, 10, 10), (10, 10, 10)))
    assert (padded.mean, padded.sd) == (plain.mean, plain.sd)
    np.testing.assert_array_equal(padded.array[5:15], plain.array)
    assert (padded.array[:5] == plain.array.min()).all()


def test_without_a_zscore_values_are_the_clipped_ones() -> None:
    array = np.arange(1000, dtype=np.float32).reshape(10, 10, 10)
    result = scale_intensities(canonical(array), Intensity(zscore=False, clip=(0, 100)))
    np.testing.assert_array_equal(result.array, array.astype(np.float16))


@pytest.mark.parametrize(("array", "intensity", "reason"), [
    (np.full((5, 5, 5), 7, np.int16), Intensity(), "constant-image"),
    (np.linspace(0, 1e6, 1000).reshape(10, 10, 10).astype(np.float32), Intensity(zscore=False), "intensity-range"),
])  # fmt: skip
def test_what_cannot_be_scaled_is_unusable(array: np.ndarray, intensity: Intensity, reason: str) -> None:
    with pytest.raises(UnusableImage) as caught:
        scale_intensities(canonical(array), intensity)
    assert caught.value.reason == reason


@pytest.mark.parametrize("over", ["image", "foreground", "centre"])
@pytest.mark.parametrize("clip", [(0.5, 99.5), None])
@pytest.mark.parametrize("level", [1, 7, 100, -1024, 30000, 1e-3, 1e6, 0.1])
def test_a_constant_at_any_level_is_no_image_after_resampling(level: float, clip: Any, over: Any) -> None:
    array = np.full((40, 61, 67), level, dtype=np.float32)
    view = View(shape=(11, 17, 19), spacing=(3.3, 3.7, 3.1))
    intensity = Intensity(clip=clip, over=over)
    hot = array.copy()
    hot[20, 30, 33] = 40 * level
    for each in (array,) if clip is None else (array, hot):
        with pytest.raises(UnusableImage) as caught:
            scale_intensities(to_canonical(Volume(each, grid("RIP", (0.7, 0.9, 0.8))), view, "R"), intensity)
        assert caught.value.reason == "constant-image"


@pytest.mark.parametrize("level", [0, 100, 1e4, -1e4])
def test_a_faint_image_at_a_level_is_one(level: float) -> None:
    faint = (np.random.default_rng(4).integers(0, 12, (20, 21, 22)) + level).astype(np.float32)
    assert scale_intensities(canonical(faint), Intensity()).sd == pytest.approx(faint.std(), rel=1e-3)


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

    plain, corrected, again = (scale_intensities(image, Intensity(n4=n4, zscore=False)) for n4 in (False, True, True))
    assert unevenness(corrected.array) < 0.4 * unevenness(plain.array)
    np.testing.assert_array_equal(corrected.array, again.array)


@settings(max_examples=80, deadline=None)
@given(
    image=made.arrays(np.float32, made.array_shapes(min_dims=3, max_dims=3, max_side=9), elements=st.floats(-1e4, 1e4, width=32)),
    rank=st.floats(0, 100),
)
def test_a_percentile_is_numpys(image: np.ndarray, rank: float) -> None:
    assert percentile(image, rank) == pytest.approx(float(np.percentile(image.astype(np.float64), rank)), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("rank", [0, 0.5, 25, 50, 75, 99.5, 100])
@pytest.mark.parametrize("kind", ["gamma", "mostly zero", "two values", "sorted", "striped"])
def test_a_percentile_of_many_voxels_is_exact_whatever_the_sample_says(kind: str, rank: float) -> None:
    image = np.random.default_rng(5).gamma(2, 100, (30, 40, 50)).astype(np.float32)
    if kind == "mostly zero":
        image[image < 500] = 0
    elif kind == "two values":
        image = (image > 150).astype(np.float32)
    elif kind == "sorted":
        image = np.sort(image, axis=None).reshape(image.shape)
    elif kind == "striped":
        image[::3, ::5, ::5] = -1e6  # all that the sample sees
    assert percentile(image, rank) == pytest.approx(float(np.percentile(image.astype(np.float64), rank)), rel=1e-6)


def test_otsus_threshold_parts_two_classes_and_its_centre_is_that_of_the_bright_one() -> None:
    rng = np.random.default_rng(6)
    image = rng.normal(50, 8, (40, 50, 60)).astype(np.float32)
    image[10:20, 20:40, 5:35] += 150
    assert 70 < otsu_threshold(image.ravel()) < 175
    theirs = SimpleITK.OtsuThresholdImageFilter()
    theirs.SetNumberOfHistogramBins(256)
    theirs.Execute(SimpleITK.GetImageFromArray(image))
    assert otsu_threshold(image.ravel()) == pytest.approx(theirs.GetThreshold(), abs=2 * float(np.ptp(image)) / 256)
    np.testing.assert_allclose(foreground_centre(image), (14.5, 29.5, 19.5), atol=0.1)
    flat = np.full((5, 6, 7), 3, np.int16)
    assert otsu_threshold(flat.ravel().astype(np.float32)) == 3
    np.testing.assert_array_equal(foreground_centre(flat), (2, 2.5, 3))


def test_without_a_clip_the_extremes_stay() -> None:
    array = np.random.default_rng(0).gamma(2, 100, (10, 11, 12)).astype(np.float32)
    result = scale_intensities(canonical(array), Intensity(clip=None))
    assert (result.low, result.high) == (array.min(), array.max())
    np.testing.assert_allclose(result.array.astype(np.float64), (array - array.mean()) / array.std(), atol=2e-3, rtol=1e-3)


def test_the_zscore_is_taken_over_the_voxels_that_are_asked_for() -> None:
    rng = np.random.default_rng(7)
    array = rng.normal(20, 2, (20, 24, 28)).astype(np.float32)
    array[4:16, 4:20, 4:24] += 200
    array[6:14, 7:17, 8:20] += 40
    low, high = (np.float32(value) for value in np.percentile(array, (0.5, 99.5)))
    clipped = np.clip(array, low, high).astype(np.float64)
    chosen = {"image": clipped, "foreground": clipped[clipped > 120], "centre": clipped[5:15, 6:18, 7:21]}
    for over, values in chosen.items():
        result = scale_intensities(canonical(array), Intensity.model_validate({"over": over}))
        assert (result.mean, result.sd) == (pytest.approx(values.mean(), rel=1e-5), pytest.approx(values.std(), rel=1e-5))
        np.testing.assert_allclose(result.array.astype(np.float64) * result.sd + result.mean, clipped, atol=0.3)


def test_padding_takes_no_part_in_the_centre_either() -> None:
    array = np.random.default_rng(8).gamma(2, 100, (12, 12, 12)).astype(np.float32)
    result = scale_intensities(canonical(array, (20, 12, 12)), Intensity(over="centre", clip=None))
    # The middle half of the grid is 5:15 along axis 0; the image lies at 4:16.
    assert result.mean == pytest.approx(array[1:11, 3:9, 3:9].mean(), rel=1e-6)


def odd(kind: str) -> np.ndarray:
    rng = np.random.default_rng(9)
    array = rng.gamma(2, 100, (12, 14, 16)).astype(np.float32)
    if kind == "negative":
        return array - 1000
    if kind == "zeros":
        array[:, :, 2:] = 0
        return array
    if kind == "bright":
        return array * 1e6
    if kind == "one slice":
        return array[:1]
    if kind == "far from zero":
        return (array + 1e5).astype(np.float32)
    return array.clip(0, 250).astype(kind)


@pytest.mark.parametrize("over", ["image", "foreground", "centre"])
@pytest.mark.parametrize("clip", [(0.5, 99.5), None])
@pytest.mark.parametrize(
    "kind", ["negative", "zeros", "bright", "one slice", "far from zero", "uint8", "int32", "uint16", "float32", "float64"]
)
def test_odd_images_come_to_one_scale(kind: str, clip: Any, over: Any) -> None:
    array = odd(kind)
    image = canonical(array, (max(array.shape[0], 3), 14, 20))
    if kind == "zeros" and over == "centre":
        with pytest.raises(UnusableImage) as caught:
            scale_intensities(image, Intensity(clip=clip, over=over))
        assert caught.value.reason == "constant-image"
        return
    result = scale_intensities(image, Intensity(clip=clip, over=over))
    inside = result.array[image.inside].astype(np.float64)
    assert np.isfinite(result.array).all()
    assert (result.array.min(), result.array.max()) == (inside.min(), inside.max())
    assert result.low <= result.mean <= result.high
    if over == "image":
        assert inside.mean() == pytest.approx(0, abs=2e-3)
        assert inside.std() == pytest.approx(1, abs=2e-3)
    low, high = (0, 100) if clip is None else clip
    assert (result.low, result.high) == tuple(
        pytest.approx(float(np.percentile(array.astype(np.float64), rank)), rel=1e-6) for rank in (low, high)
    )


def test_voxels_that_are_not_numbers_never_pass() -> None:
    array = odd("float32")
    array[3:5, 3:5, 3:5] = np.nan
    with pytest.raises(UnusableImage):
        scale_intensities(canonical(array), Intensity())


@pytest.mark.parametrize(
    "fit",
    [N4(shrink=1, iterations=(3, 3, 3)), N4(iterations=(9, 9, 9)), N4(iterations=(3, 3, 3, 3)), N4(iterations=(3, 3, 3), convergence=0.5)],
    ids=str,
)
def test_n4_does_what_its_parameters_say(fit: N4) -> None:
    array = np.random.default_rng(11).gamma(2, 100, (32, 32, 32)) * (1 + np.linspace(-0.5, 0.5, 32)[:, None])
    image = canonical(array.astype(np.float32))
    usual, other = (
        scale_intensities(image, Intensity(n4=True, n4_fit=one, zscore=False, clip=None)).array for one in (N4(iterations=(3, 3, 3)), fit)
    )
    assert not np.array_equal(usual, other)


@pytest.mark.parametrize(("bright", "reason"), [((), "constant-image"), ((0, 0, 0), "n4-failed")])
def test_an_image_without_a_foreground_to_fit_is_unusable(bright: tuple[int, ...], reason: str) -> None:
    array = np.zeros((32, 32, 32), np.float32)
    if bright:
        array[bright] = 100  # falls between the voxels that N4 takes
    with pytest.raises(UnusableImage) as caught:
        scale_intensities(canonical(array), Intensity(n4=True, clip=None))
    assert caught.value.reason == reason


@pytest.mark.parametrize("shape", [(20, 32, 32), pytest.param((160, 256, 256), marks=pytest.mark.slow)])
def test_paper_a_s_preprocessing(shape: tuple[int, int, int]) -> None:
    """The whole extent resized to a fixed shape, N4, z-score, no clip; its loader's second z-score
    and resize then change nothing.
    """
    size = (24, 48, 44)
    affine = grid("RIP", (0.7, 0.36, 0.4), (5, 6, 7), tilt=8)
    i, j, k = np.indices(size) / np.array(size)[:, None, None, None]
    tissue = np.where((i - 0.5) ** 2 + (j - 0.4) ** 2 + (k - 0.5) ** 2 < 0.12, 400.0, 30.0) * (1 + 0.5 * (j - 0.5))
    array = (tissue + np.random.default_rng(10).normal(0, 5, size)).astype(np.int16)
    view = View(shape=shape, fit="extent", antialias=False, intensity=Intensity(n4=True, clip=None))
    result = to_canonical(Volume(array, affine), view, "R")
    ours = scale_intensities(result, view.intensity).array.astype(np.float64)

    # The same with SimpleITK alone: a grid over the same extent, trilinear, edges repeated.
    picture = SimpleITK.GetImageFromArray(array.astype(np.float32))
    picture.SetSpacing((0.4, 0.36, 0.7))
    spacing = [size_mm * old / new for size_mm, old, new in zip((0.4, 0.36, 0.7), size[::-1], shape[::-1], strict=True)]
    origin = [(new - old) / 2 for new, old in zip(spacing, (0.4, 0.36, 0.7), strict=True)]
    resampler = SimpleITK.ResampleImageFilter()
    resampler.SetSize(shape[::-1])
    resampler.SetOutputSpacing(spacing)
    resampler.SetOutputOrigin(origin)
    resampler.UseNearestNeighborExtrapolatorOn()
    resampled = resampler.Execute(picture)
    inner = tuple(slice(int(np.ceil(new / old)), -int(np.ceil(new / old))) for new, old in zip(shape, size, strict=True))
    np.testing.assert_allclose(result.array[inner], SimpleITK.GetArrayFromImage(resampled)[inner], atol=0.1)
    same = SimpleITK.GetImageFromArray(result.array)
    same.CopyInformation(resampled)
    n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)
    shrink = [max(1, min(4, side // 16)) for side in shape[::-1]]
    mask = SimpleITK.OtsuThreshold(same, 0, 1)
    n4.Execute(SimpleITK.Shrink(same, shrink), SimpleITK.Shrink(mask, shrink))
    even = SimpleITK.GetArrayFromImage(same / SimpleITK.Exp(SimpleITK.Cast(n4.GetLogBiasFieldAsImage(same), SimpleITK.sitkFloat32)))
    theirs = (even.astype(np.float64) - even.mean(dtype=np.float64)) / even.std(dtype=np.float64)
    theirs = (theirs - theirs.mean()) / theirs.std()
    np.testing.assert_allclose(ours, theirs, atol=4e-3)

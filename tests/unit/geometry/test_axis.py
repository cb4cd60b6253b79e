import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from kneeoa.geometry.axis import UndefinedAxis, fit_axis, fit_scaler


@pytest.fixture
def graded() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    grade = generator.integers(0, 5, size=80).astype(float)
    return np.outer(grade, [-2.0, 1, 0, 0.5]) + generator.normal(size=(80, 4)), grade


def test_pc1_is_sklearns_first_component_signed_by_the_grades(graded: tuple[np.ndarray, np.ndarray]) -> None:
    values, grade = graded
    scaled = fit_scaler(values).apply(values)
    axis = fit_axis("pc1", scaled, grade, 4)
    reference = PCA(2).fit_transform(StandardScaler().fit_transform(values))
    sign = np.sign(np.corrcoef(reference[:, 0], grade)[0, 1])
    np.testing.assert_allclose(axis.positions(scaled), sign * reference[:, 0] / reference[:, 0].std(), atol=1e-10)
    np.testing.assert_allclose(np.abs(axis.across(scaled)), np.abs(reference[:, 1] / reference[:, 1].std()), atol=1e-10)
    mirrored = fit_axis("pc1", -scaled, grade, 4)
    np.testing.assert_allclose(mirrored.positions(-scaled), axis.positions(scaled), atol=1e-10)


def test_the_centroid_axis_points_from_grade_zero_to_the_top(graded: tuple[np.ndarray, np.ndarray]) -> None:
    values, grade = graded
    scaled = fit_scaler(values).apply(values)
    axis = fit_axis("centroid", scaled, grade, 4)
    step = scaled[grade == 4].mean(axis=0) - scaled[grade == 0].mean(axis=0)
    np.testing.assert_allclose(axis.direction, step / np.linalg.norm(step))
    assert axis.positions(scaled).std() == pytest.approx(1)
    assert abs(axis.direction @ axis.next_direction) < 1e-10


def test_components_that_do_not_vary_in_training_are_dropped(graded: tuple[np.ndarray, np.ndarray]) -> None:
    values, _ = graded
    dead = np.c_[values[:, :2], np.full(80, 0.1), np.zeros(80)]
    dead[3, 2] = np.nextafter(0.1, 1)  # rounding is not variation
    scaler = fit_scaler(dead)
    assert scaler.kept.tolist() == [True, True, False, False]
    assert np.isfinite(scaler.apply(dead + 5)).all()


def test_what_an_axis_lacks_is_said(graded: tuple[np.ndarray, np.ndarray]) -> None:
    values, grade = graded
    scaled = fit_scaler(values).apply(values)
    with pytest.raises(UndefinedAxis, match="all training embeddings are equal"):
        fit_scaler(np.ones((5, 3)))
    with pytest.raises(UndefinedAxis, match="fewer than two training cases"):
        fit_scaler(values[:1])
    with pytest.raises(UndefinedAxis, match="no training case of grade 4"):
        fit_axis("centroid", scaled, np.where(grade == 4, np.nan, grade), 4)
    with pytest.raises(UndefinedAxis, match="which way is up"):
        fit_axis("pc1", scaled, np.full(80, 2.0), 4)
    with pytest.raises(UndefinedAxis, match="which way is up"):
        fit_axis("pc1", scaled, np.full(80, np.nan), 4)


def test_cases_on_one_line_have_nothing_across() -> None:
    scaled = fit_scaler(np.arange(10.0)[:, None]).apply(np.arange(10.0)[:, None])
    axis = fit_axis("pc1", scaled, np.arange(10) // 2 * 1.0, 4)
    assert axis.across(scaled).tolist() == [0.0] * 10

from dataclasses import replace

import numpy as np
import pytest

from kneeoa.phantom.anatomy import layers, leg, render
from kneeoa.phantom.anatomy.knee import make_knee
from kneeoa.phantom.anatomy.layers import Label, Part, Tissue
from kneeoa.phantom.anatomy.render import coordinates, plane_wave
from kneeoa.phantom.anatomy.solids import Box, Points, ellipsoid
from kneeoa.phantom.findings import Findings, draw_findings
from kneeoa.phantom.grid import Grid, rotation

NO_FINDINGS = Findings(0, 0, 0, 0, 0, 0, 0, 0, 0)
BRIGHTNESS = {tissue: float(tissue) for tissue in Tissue}


def knee_of(signs, side="R", variation=0.0, seed=3):
    return make_knee(signs, side, 1.0, variation, np.random.default_rng(seed))


def middle(knee):
    return np.linalg.inv(knee.to_frame)[:3, 3]


def grid_of(knee, spacing=2.0, axes="RIP", tilt=None):
    counts = tuple(int(size / spacing) for size in (112, 150, 150))
    return Grid.centred(middle(knee) + np.array([0, 0, 8]), counts, [spacing] * 3, axes, tilt)


def volumes(knee, spacing=1.25):
    labels = render.label_map(knee, grid_of(knee, spacing))
    return np.bincount(labels.ravel(), minlength=18) * spacing**3


def test_a_healthy_knee_has_the_proportions_of_a_knee():
    # Ranges of manual segmentations of adult knees: cartilage and patella in mm3.
    sizes = volumes(knee_of(NO_FINDINGS))
    assert 10_000 < sizes[Label.FEMORAL_CARTILAGE] < 19_000
    assert 3_000 < sizes[Label.TIBIAL_CARTILAGE] < 7_000
    assert 2_000 < sizes[Label.PATELLAR_CARTILAGE] < 6_000
    assert 13_000 < sizes[Label.PATELLA] < 30_000
    assert sizes[Label.FEMUR] > sizes[Label.TIBIA] > 80_000


def test_severity_thins_medial_cartilage_first_and_narrows_its_space():
    healthy, worn = knee_of(NO_FINDINGS), knee_of(replace(NO_FINDINGS, medial_narrowing=0.7))
    assert worn.medial_space < 0.55 * healthy.medial_space
    assert worn.lateral_space == healthy.lateral_space
    per_side = []
    for knee in (healthy, worn):
        grid = grid_of(knee, 1.25)
        labels = render.label_map(knee, grid)
        lateral = coordinates(knee, grid).x > 0
        cartilage = (labels == Label.FEMORAL_CARTILAGE) | (labels == Label.TIBIAL_CARTILAGE)
        per_side.append([np.sum(cartilage & ~lateral), np.sum(cartilage & lateral)])
    (medial_before, lateral_before), (medial_after, lateral_after) = per_side
    assert medial_after < 0.65 * medial_before
    assert lateral_after > 0.9 * lateral_before


def test_the_gap_between_the_bones_is_the_joint_space():
    for narrowing in (0.0, 0.8):
        knee = knee_of(replace(NO_FINDINGS, medial_narrowing=narrowing))
        x, y = np.meshgrid([-24.0, -22.0, -20.0], np.linspace(-8, 6, 15), indexing="ij")
        z = np.linspace(-6, 12, 181)
        points = [np.broadcast_to(axis, (3, 15, 181)).astype(np.float32) for axis in (x[..., None], y[..., None], z)]
        labels = np.zeros((3, 15, 181))
        for part in (layers.femur, layers.tibia):
            for layer in part(knee, Points(*points)):
                if layer.label in (Label.FEMUR, Label.TIBIA):
                    labels[layer.distance < 0] = 1
        gap = (labels == 0).sum(axis=2).min() * 0.1
        assert gap == pytest.approx(knee.medial_space, abs=1.3)


def test_osteophytes_lesions_and_effusion_appear_with_their_findings():
    plain = np.bincount(render.label_map(knee_of(NO_FINDINGS), grid_of(knee_of(NO_FINDINGS)), whole=True).ravel(), minlength=18)
    sick = knee_of(draw_findings(1.0, 1.0, 1.0, np.random.default_rng(0)))
    voxels = np.bincount(render.label_map(sick, grid_of(sick), whole=True).ravel(), minlength=18)
    assert plain[Label.OSTEOPHYTE] == plain[Label.MARROW_LESION] == 0
    assert voxels[Label.OSTEOPHYTE] > 50
    assert voxels[Label.MARROW_LESION] > 100
    assert voxels[Label.FLUID] > 4 * plain[Label.FLUID]
    assert {Label.MENISCUS, Label.TENDON, Label.MUSCLE, Label.VESSEL, Label.FIBULA, Label.SKIN} <= set(np.flatnonzero(plain))
    assert set(np.unique(render.label_map(sick, grid_of(sick)))) == {0, 1, 2, 3, 4, 5, 6}


def test_a_left_knee_is_a_mirrored_right_knee():
    right, left = (knee_of(draw_findings(0.8, 1, 1, np.random.default_rng(1)), side, variation=0.0) for side in "RL")
    a = render.label_map(right, grid_of(right, axes="RIP"), whole=True)
    b = render.label_map(left, grid_of(left, axes="LIP"), whole=True)
    assert np.mean(a != b) < 1e-4
    assert middle(right)[0] > 50
    assert middle(left)[0] < -50


def test_a_permuted_grid_gives_the_permuted_knee():
    knee = knee_of(draw_findings(0.6, 1, 1, np.random.default_rng(1)), variation=1.0)
    straight, other = grid_of(knee, 2.5, "RIP"), grid_of(knee, 2.5, "RIP")
    turned = Grid((other.shape[2], other.shape[0], other.shape[1]), other.affine[:, [2, 0, 1, 3]])
    a = render.signal(knee, straight, BRIGHTNESS)
    b = render.signal(knee, turned, BRIGHTNESS)
    np.testing.assert_allclose(np.transpose(b, (1, 2, 0)), a, atol=2e-3)


def test_an_oblique_grid_sees_the_same_knee():
    knee = knee_of(NO_FINDINGS, variation=1.0)
    straight = np.bincount(render.label_map(knee, grid_of(knee, 1.6)).ravel(), minlength=7)[[2, 4, 5, 6]]
    tilted = np.bincount(render.label_map(knee, grid_of(knee, 1.6, tilt=rotation(4, -5, 6))).ravel(), minlength=7)[[2, 4, 5, 6]]
    np.testing.assert_allclose(straight, tilted, rtol=0.05)


def test_slabs_do_not_show(monkeypatch):
    knee = knee_of(draw_findings(0.6, 1, 1, np.random.default_rng(1)), variation=1.0)
    grid = grid_of(knee, 3.0)
    labels, signal = render.label_map(knee, grid), render.signal(knee, grid, BRIGHTNESS)
    monkeypatch.setattr(render, "_SLAB", 5 * grid.shape[1] * grid.shape[2])
    np.testing.assert_array_equal(render.label_map(knee, grid), labels)
    np.testing.assert_allclose(render.signal(knee, grid, BRIGHTNESS), signal, atol=1e-3)


def test_boxes_cut_nothing_off(monkeypatch):
    everywhere = Box((-300, -300, -300), (300, 300, 300))
    for seed in (1, 2):
        knee = knee_of(
            replace(draw_findings(1.0, 1, 1.0, np.random.default_rng(seed)), effusion=1.0, marrow_lesion=1.0), variation=1.0, seed=seed
        )
        grid = grid_of(knee, 2.5)
        boxed, signal = render.label_map(knee, grid, whole=True), render.signal(knee, grid, BRIGHTNESS)
        with monkeypatch.context() as patched:
            patched.setattr(render, "LEG", tuple(Part(everywhere, part.layers) for part in leg.LEG))
            np.testing.assert_array_equal(boxed, render.label_map(knee, grid, whole=True))
            np.testing.assert_array_equal(signal, render.signal(knee, grid, BRIGHTNESS))


def test_partial_volume_is_the_share_that_a_body_fills():
    knee = knee_of(NO_FINDINGS)
    coarse = grid_of(knee, 3.0)
    only = {tissue: float(tissue in (Tissue.CORTEX, Tissue.MARROW, Tissue.CARTILAGE)) for tissue in Tissue}
    joint = render.signal(knee, coarse, only).sum() * 27
    whole = render.label_map(knee, grid_of(knee, 1.0), whole=True)
    exact = np.isin(whole, [1, 2, 3, 4, 5, 6, Label.FIBULA]).sum()
    assert joint == pytest.approx(exact, rel=0.03)


def test_plane_wave_equals_its_definition():
    grid = Grid.centred([30, -4, 9], (5, 6, 7), [3, 2, 1], "PSR", rotation(3, 4, 5))
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    points = index @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    vector = np.array([0.05, -0.08, 0.03])
    np.testing.assert_allclose(plane_wave(grid, vector, 0.7), np.sin(points @ vector + 0.7), atol=1e-5)


def test_ellipsoid_distance_is_right_to_first_order():
    on = np.array([12.0, 0.0, 0.0]) * 0.99
    points = Points(*(np.float32([value]) for value in on))
    assert float(ellipsoid(points, (0, 0, 0), (12, 20, 7))[0]) == pytest.approx(-0.12, rel=0.03)


def test_variation_changes_shape_and_nothing_else_does():
    a, b = (volumes(knee_of(NO_FINDINGS, variation=1.0, seed=seed), 2.0) for seed in (1, 2))
    assert abs(a[Label.FEMUR] - b[Label.FEMUR]) > 0.005 * a[Label.FEMUR]
    np.testing.assert_array_equal(volumes(knee_of(NO_FINDINGS, variation=0.0, seed=1), 2.0), volumes(knee_of(NO_FINDINGS, seed=2), 2.0))

from __future__ import annotations

import numpy as np
import pytest
import torch

from kneeoa.config.training import Augmentation
from kneeoa.training.augmentation import affine, apply_gamma, draw_augmentation, shift_voxels

SHAPE = (8, 10, 20)


def test_none_changes_nothing():
    images = torch.randn(3, 1, *SHAPE)
    assert torch.equal(draw_augmentation(Augmentation(), 3, SHAPE, seed=1, epoch=1)(images, np.arange(3)), images)


def test_a_shift_moves_content_and_repeats_the_edge():
    image = torch.arange(5.0).reshape(1, 5, 1).repeat(1, 1, 2)
    assert shift_voxels(image, np.array([2, 0]))[0, :, 0].tolist() == [0, 0, 0, 1, 2]
    assert shift_voxels(image, np.array([-1, 1]))[0, :, 1].tolist() == [1, 2, 3, 4, 4]


def test_shifts_stay_within_their_share_of_each_axis_and_reach_it():
    drawn = draw_augmentation(Augmentation(shift=0.1), 500, SHAPE, seed=1, epoch=1).shifts
    assert drawn.min(axis=0).tolist() == [0, -1, -2]
    assert drawn.max(axis=0).tolist() == [0, 1, 2]


def test_draws_follow_the_case_and_not_its_place_in_the_batch():
    augment = draw_augmentation(Augmentation(shift=0.2, scale=0.3), 4, SHAPE, seed=1, epoch=1)
    images = torch.randn(4, 1, *SHAPE)
    forwards, backwards = augment(images, np.arange(4)), augment(images.flip(0), np.arange(4)[::-1].copy())
    assert torch.equal(forwards, backwards.flip(0))
    assert not torch.equal(forwards[0] / images[0], forwards[1] / images[1])


def test_noise_has_the_asked_share_of_each_images_spread():
    images = torch.randn(2, 1, 20, 40, 40) * torch.tensor([1.0, 10.0]).reshape(2, 1, 1, 1, 1)
    added = draw_augmentation(Augmentation(noise=0.1), 2, SHAPE, seed=1, epoch=1)(images, np.arange(2)) - images
    assert added.flatten(1).std(dim=1).tolist() == pytest.approx([0.1, 1.0], rel=0.05)


EVERYTHING = Augmentation(shift=0.2, scale=0.2, noise=0.2, rotation=10, zoom=0.1, gamma=0.3)


@pytest.mark.parametrize("shape", [SHAPE, (30, 40)])
def test_draws_follow_the_case_and_not_its_company(shape):
    augment = draw_augmentation(EVERYTHING, 4, shape, seed=1, epoch=1)
    images = torch.randn(4, 1, *shape)
    together = augment(images, np.arange(4))
    for row in range(4):
        assert torch.allclose(augment(images[row][None], np.array([row]))[0], together[row], atol=1e-5)
    assert together.dtype == torch.float32


def test_epochs_cases_and_seeds_differ_and_repeat():
    images = torch.ones(2, 1, *SHAPE) * torch.arange(20)

    def changed(seed, epoch, rows):
        return draw_augmentation(Augmentation(noise=0.1), 4, SHAPE, seed, epoch)(images, np.array(rows))

    assert torch.equal(changed(1, 1, [0, 1]), changed(1, 1, [0, 1]))
    for other in ((1, 1, [2, 3]), (1, 2, [0, 1]), (2, 1, [0, 1])):
        assert not torch.equal(changed(1, 1, [0, 1]), changed(*other))


def test_one_kind_does_not_change_the_draws_of_another():
    alone, beside = draw_augmentation(Augmentation(shift=0.2), 9, SHAPE, 1, 1), draw_augmentation(EVERYTHING, 9, SHAPE, 1, 1)
    assert np.array_equal(alone.shifts, beside.shifts)
    assert alone.turns is alone.zooms is alone.gammas is alone.scales is None


def test_draws_stay_within_what_was_asked():
    drawn = draw_augmentation(EVERYTHING, 2000, SHAPE, seed=1, epoch=1)
    assert drawn.turns.shape == (2000, 3)
    assert np.rad2deg(np.abs(drawn.turns)).max() == pytest.approx(10, rel=0.01)
    assert [drawn.zooms.min(), drawn.zooms.max()] == pytest.approx([1 / 1.1, 1.1], rel=0.01)
    assert [drawn.gammas.min(), drawn.gammas.max()] == pytest.approx([1 / 1.3, 1.3], rel=0.01)
    assert draw_augmentation(EVERYTHING, 5, (8, 9), seed=1, epoch=1).turns.shape == (5, 1)


def test_gamma_bends_the_range_and_keeps_mean_and_spread():
    images = torch.randn(2, 1, 12, 12, 12) * 3 + 5
    bent = apply_gamma(images, torch.tensor([1.0, 1.5]).reshape(2, 1, 1, 1, 1))
    assert torch.allclose(bent[0], images[0], atol=1e-4)
    assert float((bent[1] - images[1]).abs().max()) > 0.1
    assert bent.flatten(1).mean(dim=1).tolist() == pytest.approx(images.flatten(1).mean(dim=1).tolist(), abs=1e-4)
    assert bent.flatten(1).std(dim=1).tolist() == pytest.approx(images.flatten(1).std(dim=1).tolist(), rel=1e-4)
    order = images[1].flatten().argsort()
    assert bool((bent[1].flatten()[order].diff() >= -1e-5).all())


def test_an_empty_image_stays_finite():
    assert bool(torch.isfinite(draw_augmentation(EVERYTHING, 2, SHAPE, 1, 1)(torch.zeros(2, 1, *SHAPE), np.arange(2))).all())


def test_an_affine_map_of_a_shift_is_the_shift():
    images = torch.randn(2, 1, *SHAPE)
    moves = np.array([[1, -2, 3], [0, 4, -1]])
    moved = affine(images, np.zeros((2, 3)), np.ones(2), moves)
    for image, result, move in zip(images, moved, moves, strict=True):
        assert torch.allclose(result, shift_voxels(image, move), atol=1e-4)


@pytest.mark.parametrize("plane", [0, 1, 2])
def test_a_quarter_turn_is_exact_on_a_cube(plane):
    images = torch.randn(1, 1, 6, 6, 6)
    turns = np.zeros((1, 3))
    turns[0, plane] = np.pi / 2
    first, second = [(0, 1), (0, 2), (1, 2)][plane]
    expected = torch.rot90(images, 1, (2 + first, 2 + second))  # from the first axis towards the second
    assert torch.allclose(affine(images, turns, np.ones(1), np.zeros((1, 3), dtype=int)), expected, atol=1e-4)


def test_a_turn_keeps_distances_on_a_grid_of_unequal_sides():
    """A point at a known offset from the centre goes where trigonometry says, in voxels."""
    image = torch.zeros(1, 1, 41, 81)
    image[0, 0, 20, 40 + 15] = 1
    turned = affine(image, np.array([[np.deg2rad(30)]]), np.ones(1), np.zeros((1, 2), dtype=int))[0, 0]
    down, across = np.meshgrid(np.arange(41) - 20, np.arange(81) - 40, indexing="ij")
    weight = turned.numpy()
    centre = np.array([(weight * down).sum(), (weight * across).sum()]) / weight.sum()
    assert centre == pytest.approx([-15 * np.sin(np.deg2rad(30)), 15 * np.cos(np.deg2rad(30))], abs=0.1)


def test_a_zoom_enlarges_about_the_centre():
    image = torch.zeros(1, 1, 40, 40)
    image[0, 0, 15:25, 15:25] = 1
    zoomed = affine(image, np.zeros((1, 1)), np.array([1.4]), np.zeros((1, 2), dtype=int))
    assert float(zoomed.sum()) == pytest.approx(100 * 1.4**2, rel=0.02)
    assert torch.allclose(zoomed, zoomed.flip(2, 3), atol=1e-4)


def test_one_resampling_turns_then_moves():
    images = torch.randn(1, 1, 6, 6, 6)
    turns = np.array([[np.pi / 2, 0, 0]])
    moves = np.array([[1, 0, 2]])
    together = affine(images, turns, np.ones(1), moves)
    expected = shift_voxels(torch.rot90(images, 1, (2, 3))[0], moves[0])
    inner = (0, slice(2, 5), slice(2, 5), slice(3, 5))
    assert torch.allclose(together[0][inner], expected[inner], atol=1e-4)

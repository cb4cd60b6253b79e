from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance
from torch.nn import functional

from kneeoa.config.training import Augmentation
from kneeoa.training.augmentation import affine, apply_gamma, blur, draw_augmentation, sharpen, shift_voxels

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
@pytest.mark.parametrize("published", [False, True])
def test_draws_follow_the_case_and_not_its_company(shape, published):
    settings, cut = (PUBLISHED, {"crop": (*shape[:-1], 7), "mirror": (0.5, 0)}) if published else (EVERYTHING, {})
    augment = draw_augmentation(settings, 4, shape, seed=1, epoch=1, **cut)
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


CUT = {"crop": (4, 5, 12), "mirror": (0.5, 0)}
PUBLISHED = Augmentation(blur=0.5, sharpness=0.5)


def test_crops_mirrors_blurs_and_sharpening_change_no_draw_of_another_kind():
    whole, cut = draw_augmentation(EVERYTHING, 9, SHAPE, 1, 1), draw_augmentation(EVERYTHING, 9, SHAPE, 1, 1, **CUT)
    both = draw_augmentation(EVERYTHING.model_copy(update=PUBLISHED.model_dump(include={"blur", "sharpness"})), 9, SHAPE, 1, 1, **CUT)
    for name in ("shifts", "turns", "zooms", "gammas", "scales"):
        assert np.array_equal(getattr(whole, name), getattr(cut, name))
        assert np.array_equal(getattr(whole, name), getattr(both, name))
    assert whole.crops is whole.mirrors is whole.blurs is whole.sharpened is None
    assert np.array_equal(cut.crops.starts, both.crops.starts)
    assert np.array_equal(cut.mirrors.chosen, both.mirrors.chosen)


@pytest.mark.parametrize(("shape", "crop"), [(SHAPE, (4, 5, 12)), ((30, 41), (24, 24)), ((6, 6), (6, 6))])
def test_a_crop_is_a_part_of_the_image_and_reaches_every_place(shape, crop):
    augment = draw_augmentation(Augmentation(), 500, shape, 1, 1, crop=crop)
    room = [whole - part for whole, part in zip(shape, crop, strict=True)]
    assert augment.crops.starts.min(axis=0).tolist() == [0] * len(shape)
    assert augment.crops.starts.max(axis=0).tolist() == room
    image = torch.randn(1, 1, *shape)
    row = 3
    start = augment.crops.starts[row]
    part = tuple(slice(first, first + length) for first, length in zip(start, crop, strict=True))
    assert torch.equal(augment(image, np.array([row]))[0, 0], image[0, 0][part])


def test_an_image_is_mirrored_along_the_axis_that_is_named_with_the_probability_asked_for():
    augment = draw_augmentation(Augmentation(), 1000, SHAPE, 1, 1, mirror=(0.3, 1))
    assert augment.mirrors.chosen.mean() == pytest.approx(0.3, abs=0.05)
    images = torch.randn(2, 1, *SHAPE)
    row, other = int(np.flatnonzero(augment.mirrors.chosen)[0]), int(np.flatnonzero(~augment.mirrors.chosen)[0])
    changed = augment(images, np.array([row, other]))
    assert torch.equal(changed[0], images[0].flip(2))
    assert torch.equal(changed[1], images[1])


@pytest.mark.parametrize(("shape", "spread"), [((9, 12), 0.1), ((9, 12), 1.3), ((7, 9, 8), 5.0), ((2, 3), 2.0)])
def test_a_blur_is_a_gaussian_of_five_voxels_over_a_reflected_edge(shape, spread):
    image = torch.randn(1, *shape, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (torch.arange(-2, 3, dtype=torch.float64) / spread) ** 2)
    kernel /= kernel.sum()
    blurred = blur(image, spread)
    if min(shape) > 2:  # what is reflected must be there
        axes = len(shape)
        padded = (
            functional.pad(image, [2] * (2 * axes), mode="reflect")
            if axes == 2
            else functional.pad(image[None], [2] * 6, mode="reflect")[0]
        )
        weights = kernel
        for _ in range(axes - 1):
            weights = weights[..., None] * kernel
        convolve = functional.conv2d if axes == 2 else functional.conv3d
        torch.testing.assert_close(blurred, convolve(padded[None], weights[None, None])[0])
    assert torch.isfinite(blurred).all()
    assert torch.allclose(blur(torch.ones(1, *shape), spread), torch.ones(1, *shape))


def test_sharpening_is_pillows():
    grey = np.random.default_rng(0).integers(40, 200, (12, 15)).astype(np.uint8)
    grey[0, 0], grey[0, 1] = 0, 255  # the range that values are cut to
    theirs = np.asarray(ImageEnhance.Sharpness(Image.fromarray(grey)).enhance(1.5), dtype=np.float64)
    ours = sharpen(torch.from_numpy(grey.astype(np.float32))[None])[0].numpy()
    assert np.abs(ours - theirs).max() <= 1.0  # whole numbers there


def test_sharpening_keeps_the_range_the_edge_and_flat_parts_of_a_volume():
    image = torch.randn(1, 6, 7, 8)
    sharp = sharpen(image)
    assert float(sharp.min()) >= float(image.min())
    assert float(sharp.max()) <= float(image.max())
    assert torch.equal(sharp[:, 0], image[:, 0])
    assert torch.equal(sharp[..., -1], image[..., -1])
    assert float((sharp - image).abs().max()) > 0.1
    assert torch.allclose(sharpen(torch.full((1, 5, 5, 5), 3.0)), torch.full((1, 5, 5, 5), 3.0))


def test_the_published_kinds_are_drawn_for_each_case():
    augment = draw_augmentation(Augmentation(blur=0.1, sharpness=0.1), 5000, (8, 8), 1, 1)
    assert (augment.blurs > 0).mean() == pytest.approx(0.1, abs=0.02)
    assert augment.sharpened.mean() == pytest.approx(0.1, abs=0.02)
    assert [augment.blurs[augment.blurs > 0].min(), augment.blurs.max()] == pytest.approx([0.1, 5.0], abs=0.1)
    images = torch.randn(3, 1, 8, 8)
    blurred, sharpened = (
        int(np.flatnonzero((augment.blurs > 0) & ~augment.sharpened)[0]),
        int(np.flatnonzero((augment.blurs == 0) & augment.sharpened)[0]),
    )
    neither = int(np.flatnonzero((augment.blurs == 0) & ~augment.sharpened)[0])
    changed = augment(images, np.array([blurred, sharpened, neither]))
    assert torch.equal(changed[0], blur(images[0], float(augment.blurs[blurred])))
    assert torch.equal(changed[1], sharpen(images[1]))
    assert torch.equal(changed[2], images[2])


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

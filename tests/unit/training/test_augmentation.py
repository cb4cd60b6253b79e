from __future__ import annotations

import numpy as np
import pytest
import torch

from kneeoa.config.training import Augmentation
from kneeoa.training.augmentation import augmenter, shifted

SHAPE = (8, 10, 20)


def test_none_changes_nothing():
    images = torch.randn(3, 1, *SHAPE)
    assert torch.equal(augmenter(Augmentation(), 3, SHAPE, seed=1, epoch=1)(images, np.arange(3), 0), images)


def test_a_shift_moves_content_and_repeats_the_edge():
    image = torch.arange(5.0).reshape(1, 5, 1).repeat(1, 1, 2)
    assert shifted(image, np.array([2, 0]))[0, :, 0].tolist() == [0, 0, 0, 1, 2]
    assert shifted(image, np.array([-1, 1]))[0, :, 1].tolist() == [1, 2, 3, 4, 4]


def test_shifts_stay_within_their_share_of_each_axis_and_reach_it():
    drawn = augmenter(Augmentation(shift=0.1), 500, SHAPE, seed=1, epoch=1).shifts
    assert drawn.min(axis=0).tolist() == [0, -1, -2]
    assert drawn.max(axis=0).tolist() == [0, 1, 2]


def test_draws_follow_the_case_and_not_its_place_in_the_batch():
    augment = augmenter(Augmentation(shift=0.2, scale=0.3), 4, SHAPE, seed=1, epoch=1)
    images = torch.randn(4, 1, *SHAPE)
    forwards, backwards = augment(images, np.arange(4), 0), augment(images.flip(0), np.arange(4)[::-1].copy(), 0)
    assert torch.equal(forwards, backwards.flip(0))
    assert not torch.equal(forwards[0] / images[0], forwards[1] / images[1])


def test_noise_has_the_asked_share_of_each_images_spread():
    images = torch.randn(2, 1, 20, 40, 40) * torch.tensor([1.0, 10.0]).reshape(2, 1, 1, 1, 1)
    added = augmenter(Augmentation(noise=0.1), 2, SHAPE, seed=1, epoch=1)(images, np.arange(2), 0) - images
    assert added.flatten(1).std(dim=1).tolist() == pytest.approx([0.1, 1.0], rel=0.05)


def test_epochs_steps_and_seeds_differ_and_repeat():
    images = torch.ones(2, 1, *SHAPE) * torch.arange(20)

    def changed(seed, epoch, step):
        return augmenter(Augmentation(noise=0.1), 2, SHAPE, seed, epoch)(images, np.arange(2), step)

    assert torch.equal(changed(1, 1, 0), changed(1, 1, 0))
    for other in ((1, 1, 1), (1, 2, 0), (2, 1, 0)):
        assert not torch.equal(changed(1, 1, 0), changed(*other))

"""Random changes of a batch of training images: translation, intensity scale, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.config.training import Augmentation
from kneeoa.training.seeding import Purpose, generator, number


@dataclass(frozen=True)
class Augmenter:
    """The draws of one epoch, made for every case beforehand so that they follow the case and not its batch."""

    shifts: NDArray[np.int64] | None
    """``[cases, axes]``, whole voxels."""
    scales: NDArray[np.float32] | None
    """``[cases]``, factors around 1."""
    noise: float
    """Standard deviation, in standard deviations of the image."""
    seed: int
    epoch: int

    def __call__(self, images: torch.Tensor, rows: NDArray[np.int64], step: int) -> torch.Tensor:
        """Changed copies of ``images`` (``[batch, 1, *shape]``) of the cases at ``rows``; ``step`` is the batch's number in its epoch."""
        if self.shifts is not None:
            images = torch.stack([shifted(image, self.shifts[row]) for image, row in zip(images, rows, strict=True)])
        if self.scales is not None:
            factors = torch.from_numpy(self.scales[rows]).to(images.device)
            images = images * factors.reshape(-1, *[1] * (images.ndim - 1))
        if self.noise:
            stream = torch.Generator(images.device).manual_seed(number(self.seed, Purpose.NOISE, self.epoch, step))
            flat = images.flatten(1)
            spread = torch.linalg.vector_norm(flat - flat.mean(dim=1, keepdim=True), dim=1) / flat.shape[1] ** 0.5
            drawn = torch.randn(images.shape, generator=stream, device=images.device)
            images = images + drawn * (self.noise * spread).reshape(-1, *[1] * (images.ndim - 1))
        return images


def augmenter(settings: Augmentation, cases: int, shape: tuple[int, ...], seed: int, epoch: int) -> Augmenter:
    """Draw the changes of one epoch for ``cases`` images of ``shape``."""
    draws = generator(seed, Purpose.AUGMENTATION, epoch)
    limits = np.floor(settings.shift * np.asarray(shape)).astype(np.int64)
    shifts = draws.integers(-limits, limits + 1, size=(cases, len(shape)))
    scales = draws.uniform(1.0 - settings.scale, 1.0 + settings.scale, size=cases).astype(np.float32)
    return Augmenter(shifts if limits.any() else None, scales if settings.scale else None, settings.noise, seed, epoch)


def shifted(image: torch.Tensor, voxels: NDArray[np.int64]) -> torch.Tensor:
    """``image`` (``[channels, *shape]``) moved by whole ``voxels`` per axis; what moves in repeats the edge."""
    for axis, distance in enumerate(voxels, start=1):
        if distance:
            size = image.shape[axis]
            source = (torch.arange(size, device=image.device) - int(distance)).clamp_(0, size - 1)
            image = image.index_select(axis, source)
    return image

"""Random changes of training images, made on the device for a whole micro-batch at once.

In this order: rotation, zoom and translation (one resampling), gamma, intensity scale, noise. There
are no mirror images: knees are stored canonically, and neither a knee turned inside out nor one
upside down occurs. Each kind has a stream of its own, so switching one on changes no draw of
another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.config.training import Augmentation
from kneeoa.network.keyed_random import normal
from kneeoa.training.resampling import affine, shifted
from kneeoa.training.seeding import Purpose, generator, number


@dataclass(frozen=True)
class Augmenter:
    """The draws of one epoch, made for every case beforehand so that they follow the case and not
    its batch.
    """

    shifts: NDArray[np.int64] | None
    """``[cases, axes]``, whole voxels."""
    turns: NDArray[np.float64] | None
    """``[cases, planes]``, radians: in 3D about each axis, in 2D one angle."""
    zooms: NDArray[np.float64] | None
    """``[cases]``, factors around 1."""
    gammas: NDArray[np.float32] | None
    """``[cases]``, exponents around 1."""
    scales: NDArray[np.float32] | None
    """``[cases]``, factors around 1."""
    noise: float
    """Standard deviation, in standard deviations of the image."""
    seed: int
    epoch: int

    def __call__(self, images: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        """Changed float32 copies of ``images`` (``[batch, 1, *shape]``) of the cases at
        ``rows``.
        """
        images = self._moved(images.float(), rows)
        if self.gammas is not None:
            images = with_gamma(images, self._each(self.gammas, rows, images))
        if self.scales is not None:
            images = images * self._each(self.scales, rows, images)
        if self.noise:
            keys = torch.tensor([number(self.seed, Purpose.NOISE, self.epoch, int(row)) for row in rows], device=images.device)
            drawn = normal(keys, images[0].numel()).reshape(images.shape)
            images = images + drawn * (self.noise * _spread(images))
        return images

    def _moved(self, images: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        shape = images.shape[2:]
        shifts = np.zeros((len(rows), len(shape)), dtype=np.int64) if self.shifts is None else self.shifts[rows]
        if self.turns is None and self.zooms is None:
            return torch.stack([shifted(image, shift) for image, shift in zip(images, shifts, strict=True)]) if shifts.any() else images
        turns = np.zeros((len(rows), planes(len(shape)))) if self.turns is None else self.turns[rows]
        return affine(images, turns, np.ones(len(rows)) if self.zooms is None else self.zooms[rows], shifts)

    @staticmethod
    def _each(values: NDArray[np.float32], rows: NDArray[np.int64], images: torch.Tensor) -> torch.Tensor:
        """One number of each case, shaped to go with its image."""
        return torch.from_numpy(values[rows]).to(images.device).reshape(-1, *[1] * (images.ndim - 1))


def augmenter(settings: Augmentation, cases: int, shape: tuple[int, ...], seed: int, epoch: int) -> Augmenter:
    """Draw the changes of one epoch for ``cases`` images of ``shape``."""
    streams = [generator(seed, Purpose.AUGMENTATION, epoch, kind) for kind in range(5)]
    limits = np.floor(settings.shift * np.asarray(shape)).astype(np.int64)
    shifts = streams[0].integers(-limits, limits + 1, size=(cases, len(shape)))
    scales = streams[1].uniform(1.0 - settings.scale, 1.0 + settings.scale, size=cases).astype(np.float32)
    turn = np.deg2rad(settings.rotation)
    turns = streams[2].uniform(-turn, turn, size=(cases, planes(len(shape))))
    zooms = np.exp(streams[3].uniform(-1.0, 1.0, size=cases) * np.log1p(settings.zoom))
    gammas = np.exp(streams[4].uniform(-1.0, 1.0, size=cases) * np.log1p(settings.gamma)).astype(np.float32)
    return Augmenter(
        shifts=shifts if limits.any() else None,
        turns=turns if settings.rotation else None,
        zooms=zooms if settings.zoom else None,
        gammas=gammas if settings.gamma else None,
        scales=scales if settings.scale else None,
        noise=settings.noise,
        seed=seed,
        epoch=epoch,
    )


def planes(axes: int) -> int:
    """In how many coordinate planes an image of ``axes`` axes can turn."""
    return axes * (axes - 1) // 2


def with_gamma(images: torch.Tensor, exponents: torch.Tensor) -> torch.Tensor:
    """Each image's range raised to its exponent between its own extremes, then brought back to its
    own mean and spread.

    The mean and spread are kept (as nnU-Net does) since intensity scale is another change, and
    volumes are z-scored.
    """
    voxels = tuple(range(1, images.ndim))
    low, high = images.amin(dim=voxels, keepdim=True), images.amax(dim=voxels, keepdim=True)
    span = (high - low).clamp(min=torch.finfo(images.dtype).tiny)
    bent = low + span * ((images - low) / span).clamp(0.0, 1.0) ** exponents
    factor = _spread(images) / _spread(bent).clamp(min=torch.finfo(images.dtype).tiny)
    return (bent - _mean(bent)) * factor + _mean(images)


def _mean(images: torch.Tensor) -> torch.Tensor:
    """Of each image."""
    return images.mean(dim=tuple(range(1, images.ndim)), keepdim=True)


def _spread(images: torch.Tensor) -> torch.Tensor:
    """Standard deviation of each image."""
    away = (images - _mean(images)).flatten(1)
    spread: torch.Tensor = torch.linalg.vector_norm(away, dim=1) / away.shape[1] ** 0.5
    return spread.reshape(-1, *[1] * (images.ndim - 1))

"""Augmentation of training images, on the device and for a whole micro-batch at once.

In this order: rotation, zoom and translation (one resampling), mirroring, crop, blur, sharpening,
gamma, intensity scale, noise. Images are mirrored only where a study asks for it: knees are stored
canonically, and mirrored or upside-down knees do not occur. Each kind has a random stream of its
own, so switching one on changes no draw of another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from kneeoa.config.training import Augmentation
from kneeoa.network.keyed_random import normal
from kneeoa.training.seeding import Purpose, derive_seed, generator

BLUR_REACH = 2
"""Voxels on either side of one that its blurred value is made of."""
BLUR_SPREADS = (0.1, 5.0)
"""Least and largest standard deviation of a blur, in voxels."""
SHARPENING = 0.5
"""Share of the difference from the smoothed image that sharpening adds."""
CENTRE = 5
"""Weight of a voxel in the smoothed image; each neighbour has the weight 1."""


def shift_voxels(image: torch.Tensor, voxels: NDArray[np.int64]) -> torch.Tensor:
    """Shift ``image`` (``[channels, *shape]``) by whole ``voxels`` per axis; the edge is
    repeated.
    """
    for axis, distance in enumerate(voxels, start=1):
        if distance:
            size = image.shape[axis]
            source = (torch.arange(size, device=image.device) - int(distance)).clamp_(0, size - 1)
            image = image.index_select(axis, source)
    return image


def affine(images: torch.Tensor, turns: NDArray[np.float64], zooms: NDArray[np.float64], shifts: NDArray[np.int64]) -> torch.Tensor:
    """Rotate and zoom ``images`` about their centres, then translate them.

    Angles are in the voxel grid: where voxels are not cubes, a rotation also shears a little.

    Args:
        images: ``[batch, channels, *shape]``, two or three axes.
        turns: ``[batch, planes]`` radians, one per pair of axes in the order (0, 1), (0, 2), (1,
            2): from the first towards the second.
        zooms: ``[batch]``; above 1 enlarges.
        shifts: ``[batch, axes]`` voxels.
    """
    shape = np.asarray(images.shape[2:], dtype=np.float64)
    maps = [_source(turn, zoom, shift, shape) for turn, zoom, shift in zip(turns, zooms, shifts, strict=True)]
    grid = functional.affine_grid(torch.tensor(np.stack(maps), dtype=images.dtype, device=images.device), list(images.shape), False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _source(turns: NDArray[np.float64], zoom: float, shift: NDArray[np.int64], shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrix from points of the result to points of the source, for affine_grid: coordinates of -1
    to 1 per axis, the last axis first.
    """
    axes = len(shape)
    turned = np.eye(axes)
    for angle, (first, second) in zip(turns, combinations(range(axes), 2), strict=True):
        step = np.eye(axes)
        step[first, first] = step[second, second] = np.cos(angle)
        step[second, first], step[first, second] = np.sin(angle), -np.sin(angle)
        turned = step @ turned
    back = turned.T / zoom  # in voxels
    half = shape / 2
    scaled = back * half[None, :] / half[:, None]
    moved = -(back @ shift) / half
    result: NDArray[np.float64] = np.concatenate([scaled, moved[:, None]], axis=1)
    result[:, :axes] = result[:, :axes][:, ::-1]
    return result[::-1].copy()


@dataclass(frozen=True)
class Crops:
    """Parts of the images, one a case."""

    size: tuple[int, ...]
    """Voxels along each axis."""
    starts: NDArray[np.int64]
    """First voxel of each case's along each axis, ``[cases, axes]``."""


@dataclass(frozen=True)
class Mirrors:
    """Mirror images of some cases."""

    axis: int
    """The axis of an image from left to right."""
    chosen: NDArray[np.bool_]
    """``[cases]``."""


@dataclass(frozen=True)
class Augmenter:
    """The augmentation of one epoch, drawn for every case beforehand so that it depends on the case
    and not on its batch.
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
    mirrors: Mirrors | None
    crops: Crops | None
    blurs: NDArray[np.float64] | None
    """``[cases]``, standard deviations in voxels; 0: not blurred."""
    sharpened: NDArray[np.bool_] | None
    """``[cases]``."""
    noise: float
    """Standard deviation, in standard deviations of the image."""
    seed: int
    epoch: int

    def __call__(self, images: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        """Augment ``images`` (``[batch, 1, *shape]``) of the cases at ``rows``; float32 copies, of
        the size of the crop where there is one.
        """
        images = self._resample(images.float(), rows)
        if self.mirrors is not None:
            axis = self.mirrors.axis + 1
            images = _change_some(images, self.mirrors.chosen[rows], lambda image, _: image.flip(axis))
        if self.crops is not None:
            starts, size = self.crops.starts[rows], self.crops.size
            images = torch.stack([crop_voxels(image, start, size) for image, start in zip(images, starts, strict=True)])
        if self.blurs is not None:
            images = _change_some(images, self.blurs[rows], blur)
        if self.sharpened is not None:
            images = _change_some(images, self.sharpened[rows], lambda image, _: sharpen(image))
        if self.gammas is not None:
            images = apply_gamma(images, self._per_case(self.gammas, rows, images))
        if self.scales is not None:
            images = images * self._per_case(self.scales, rows, images)
        if self.noise:
            keys = torch.tensor([derive_seed(self.seed, Purpose.NOISE, self.epoch, int(row)) for row in rows], device=images.device)
            drawn = normal(keys, images[0].numel()).reshape(images.shape)
            images = images + drawn * (self.noise * _spread(images))
        return images

    def _resample(self, images: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        shape = images.shape[2:]
        shifts = np.zeros((len(rows), len(shape)), dtype=np.int64) if self.shifts is None else self.shifts[rows]
        if self.turns is None and self.zooms is None:
            return (
                torch.stack([shift_voxels(image, shift) for image, shift in zip(images, shifts, strict=True)]) if shifts.any() else images
            )
        turns = np.zeros((len(rows), rotation_planes(len(shape)))) if self.turns is None else self.turns[rows]
        return affine(images, turns, np.ones(len(rows)) if self.zooms is None else self.zooms[rows], shifts)

    @staticmethod
    def _per_case(values: NDArray[np.float32], rows: NDArray[np.int64], images: torch.Tensor) -> torch.Tensor:
        """The values of the cases at ``rows``, shaped to multiply their images."""
        return torch.from_numpy(values[rows]).to(images.device).reshape(-1, *[1] * (images.ndim - 1))


def draw_augmentation(
    settings: Augmentation,
    cases: int,
    shape: tuple[int, ...],
    seed: int,
    epoch: int,
    *,
    crop: tuple[int, ...] | None = None,
    mirror: tuple[float, int] | None = None,
) -> Augmenter:
    """Draw the augmentation of one epoch.

    Args:
        settings: kinds and strengths.
        cases: number of images.
        shape: of an image.
        seed: of the run.
        epoch: from 1.
        crop: voxels along each axis of a random part of each image; None: the whole.
        mirror: probability of a mirror image, and the axis from left to right; None: no image is
            mirrored.
    """
    streams = [generator(seed, Purpose.AUGMENTATION, epoch, kind) for kind in range(9)]
    limits = np.floor(settings.shift * np.asarray(shape)).astype(np.int64)
    shifts = streams[0].integers(-limits, limits + 1, size=(cases, len(shape)))
    scales = streams[1].uniform(1.0 - settings.scale, 1.0 + settings.scale, size=cases).astype(np.float32)
    turn = np.deg2rad(settings.rotation)
    turns = streams[2].uniform(-turn, turn, size=(cases, rotation_planes(len(shape))))
    zooms = np.exp(streams[3].uniform(-1.0, 1.0, size=cases) * np.log1p(settings.zoom))
    gammas = np.exp(streams[4].uniform(-1.0, 1.0, size=cases) * np.log1p(settings.gamma)).astype(np.float32)
    room = np.asarray(shape) - np.asarray(shape if crop is None else crop)
    starts = streams[5].integers(0, room + 1, size=(cases, len(shape)))
    blurred, spreads = streams[7].random(cases) < settings.blur, streams[7].uniform(*BLUR_SPREADS, size=cases)
    return Augmenter(
        shifts=shifts if limits.any() else None,
        turns=turns if settings.rotation else None,
        zooms=zooms if settings.zoom else None,
        gammas=gammas if settings.gamma else None,
        scales=scales if settings.scale else None,
        mirrors=None if mirror is None else Mirrors(mirror[1], streams[6].random(cases) < mirror[0]),
        crops=None if crop is None else Crops(crop, starts),
        blurs=np.where(blurred, spreads, 0.0) if settings.blur else None,
        sharpened=streams[8].random(cases) < settings.sharpness if settings.sharpness else None,
        noise=settings.noise,
        seed=seed,
        epoch=epoch,
    )


def crop_voxels(image: torch.Tensor, start: NDArray[np.int64], size: Sequence[int]) -> torch.Tensor:
    """The ``size`` voxels of ``image`` (``[channels, *shape]``) that begin at ``start``."""
    for axis, (first, length) in enumerate(zip(start, size, strict=True), start=1):
        image = image.narrow(axis, int(first), length)
    return image


def blur(image: torch.Tensor, spread: float) -> torch.Tensor:
    """``image`` (``[channels, *shape]``) under a Gaussian of standard deviation ``spread`` (voxels)
    that is cut at two voxels on either side; beyond the edge the image is reflected.
    """
    reach = range(-BLUR_REACH, BLUR_REACH + 1)
    weights = np.exp(-0.5 * (np.asarray(reach) / spread) ** 2)
    for axis in range(1, image.ndim):
        image = sum(
            (_moved(image, axis, step) * float(weight) for step, weight in zip(reach, weights / weights.sum(), strict=True)), 0.0 * image
        )
    return image


def sharpen(image: torch.Tensor) -> torch.Tensor:
    """``image`` (``[channels, *shape]``) and half of its difference from a smoothed copy, cut to
    its range; voxels at the edge stay as they are.

    The smoothed copy is the mean over a voxel, five times, and its neighbours, diagonal ones too:
    Pillow's filter SMOOTH, in any number of dimensions.
    """
    total = image
    for axis in range(1, image.ndim):
        total = _moved(total, axis, -1) + total + _moved(total, axis, 1)
    smooth = (total + (CENTRE - 1) * image) / (3 ** (image.ndim - 1) + CENTRE - 1)
    sharp = (image + SHARPENING * (image - smooth)).clamp(image.min(), image.max())
    result, inner = image.clone(), (slice(None), *[slice(1, -1)] * (image.ndim - 1))
    result[inner] = sharp[inner]
    return result


def _moved(image: torch.Tensor, axis: int, step: int) -> torch.Tensor:
    """The voxels ``step`` places further along ``axis``, reflected at the edge."""
    last = image.shape[axis] - 1
    source = (torch.arange(last + 1, device=image.device) + step).abs()
    return image.index_select(axis, torch.where(source > last, 2 * last - source, source).clamp_(0, last))


def _change_some(images: torch.Tensor, values: NDArray[Any], change: Callable[[torch.Tensor, float], torch.Tensor]) -> torch.Tensor:
    """``images`` of which those with a value that is not zero are changed by it."""
    if not values.any():
        return images
    return torch.stack([change(image, float(value)) if value else image for image, value in zip(images, values, strict=True)])


def rotation_planes(axes: int) -> int:
    """Number of coordinate planes in which an image of ``axes`` axes can turn."""
    return axes * (axes - 1) // 2


def apply_gamma(images: torch.Tensor, exponents: torch.Tensor) -> torch.Tensor:
    """Apply gamma to each image between its own extremes, then restore its mean and standard
    deviation.

    Both are restored (as nnU-Net does) since intensity scale is another augmentation, and volumes
    are z-scored.
    """
    voxels = tuple(range(1, images.ndim))
    low, high = images.amin(dim=voxels, keepdim=True), images.amax(dim=voxels, keepdim=True)
    span = (high - low).clamp(min=torch.finfo(images.dtype).tiny)
    bent = low + span * ((images - low) / span).clamp(0.0, 1.0) ** exponents
    factor = _spread(images) / _spread(bent).clamp(min=torch.finfo(images.dtype).tiny)
    return (bent - _mean(bent)) * factor + _mean(images)


def _mean(images: torch.Tensor) -> torch.Tensor:
    """Mean of each image."""
    return images.mean(dim=tuple(range(1, images.ndim)), keepdim=True)


def _spread(images: torch.Tensor) -> torch.Tensor:
    """Standard deviation of each image."""
    away = (images - _mean(images)).flatten(1)
    spread: torch.Tensor = torch.linalg.vector_norm(away, dim=1) / away.shape[1] ** 0.5
    return spread.reshape(-1, *[1] * (images.ndim - 1))

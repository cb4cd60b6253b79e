"""Signed distance functions: negative inside, positive outside, about 1 mm per millimetre near the
surface.

The ellipsoid's first-order distance, the capsule and the smooth minimum follow I. Quilez, "Distance
functions" and "Smooth minimum". All arrays broadcast; float32 in, float32 out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Triple = tuple[float, float, float]


class Points(NamedTuple):
    """Coordinates in the knee's frame (mm): lateral, anterior, superior; three arrays of the same
    shape.
    """

    x: Field
    y: Field
    z: Field


class Box(NamedTuple):
    """An axis-aligned box in the knee's frame (mm) outside which a part has no effect."""

    low: Triple
    high: Triple


def ellipsoid(p: Points, centre: Triple, radii: Triple) -> Field:
    """Distance to an ellipsoid, exact to first order at its surface: k0 (k0 - 1) / k1."""
    inverse = tuple(np.float32(1 / radius) for radius in radii)
    u = tuple((axis - np.float32(middle)) * scale for axis, middle, scale in zip(p, centre, inverse, strict=True))
    k0 = np.sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2])
    v = tuple(part * scale for part, scale in zip(u, inverse, strict=True))
    k1 = np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
    distance: Field = k0 * (k0 - np.float32(1)) / np.maximum(k1, np.float32(1e-6))
    return distance


def capsule(p: Points, start: Triple, end: Triple, radius: float, flat: Triple = (1.0, 1.0, 1.0)) -> Field:
    """Distance to a rod with round ends; ``flat`` stretches it along an axis (2 means half as thick
    there).
    """
    axis = [second - first for first, second in zip(start, end, strict=True)]
    length = sum(component * component for component in axis)
    q = [values - np.float32(first) for values, first in zip(p, start, strict=True)]
    along = np.clip(sum(values * np.float32(component / length) for values, component in zip(q, axis, strict=True)), 0, 1)
    squares = sum(
        np.square((values - along * np.float32(component)) * np.float32(stretch))
        for values, component, stretch in zip(q, axis, flat, strict=True)
    )
    distance: Field = np.sqrt(squares) - np.float32(radius)
    return distance


def union(a: Field, b: Field, blend: float = 0.0) -> Field:
    """Distance to the union of two solids; ``blend`` mm rounds the seam (polynomial smooth
    minimum).
    """
    if blend == 0:
        return np.minimum(a, b)
    gap = np.maximum(np.float32(blend) - np.abs(a - b), np.float32(0))
    distance: Field = np.minimum(a, b) - gap * gap * np.float32(0.25 / blend)
    return distance


def intersection(a: Field, b: Field, blend: float = 0.0) -> Field:
    """Distance to the intersection of two solids; ``blend`` as for :func:`union`."""
    return -union(-a, -b, blend)


def ramp(values: Field) -> Field:
    """Smoothstep: 0 below 0, 1 above 1, with flat ends."""
    t = np.clip(values, np.float32(0), np.float32(1))
    eased: Field = t * t * (np.float32(3) - np.float32(2) * t)
    return eased


def bump(values: Field, middle: float, width: float) -> Field:
    """A Gaussian hill of height 1."""
    u = (values - np.float32(middle)) * np.float32(1 / width)
    hill: Field = np.exp(-u * u)
    return hill

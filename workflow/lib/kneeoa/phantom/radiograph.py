"""Simulate bilateral radiographs of phantom knees: two legs, X-rays, exposure, collimation and a
side marker.

The picture is in the standard display convention: the patient's right is on the picture's left,
bone is bright.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.phantom.radiograph_knee import KneeShape, bone_thickness, knee_of_severity, leg_thickness, metal_thickness

Floats = NDArray[np.float64]

# Attenuation per millimetre of soft tissue, compact bone beyond it, and metal, at some 60 keV.
_SOFT, _BONE, _METAL = 0.021, 0.09, 0.6
_TRABECULAE = 0.12
"""Relative variation of a bone's density from place to place."""
# Side markers, seven rows of five.
_LETTERS = {
    "R": ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),
    "L": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
}


@dataclass(frozen=True)
class Exposure:
    """Settings of an exposure.

    Attributes:
        quanta: photons a pixel without a body; fewer give more noise.
        scatter: share of the primary beam that is added as smooth scatter.
        heel: relative change of the beam from one side of the picture to the other.
        window: grey level 0 and 1 as quantiles of the picture's attenuation; narrower than (0, 1)
            saturates.
        gamma: power of the display curve.
        collimation: border (mm) that the beam does not reach: top, right, bottom, left.
        tilt: degrees by which the collimator is turned.
        border: grey level where the beam does not reach (0 or 1).
        marker: letter beside the knee of that side (``R``, ``L``), or empty.
    """

    quanta: float = 20_000.0
    scatter: float = 0.1
    heel: float = 0.1
    window: tuple[float, float] = (0.02, 0.998)
    gamma: float = 1.0
    collimation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    tilt: float = 0.0
    border: float = 0.0
    marker: str = "R"


@dataclass(frozen=True)
class Scene:
    """Two knees in front of a detector.

    Attributes:
        shape: pixels, (rows, columns).
        spacing: mm of a pixel.
        centres: for each side the joint's centre in mm from the middle of the picture (down,
            right), before the patient is turned.
        knees: for each side the knee.
        angles: for each side the leg's tilt in degrees.
        turn: degrees by which the patient is turned in the picture.
        exposure: settings of the exposure.
    """

    shape: tuple[int, int] = (350, 430)
    spacing: float = 1.0
    centres: Mapping[str, tuple[float, float]] = field(default_factory=lambda: {"R": (0.0, -100.0), "L": (0.0, 100.0)})
    knees: Mapping[str, KneeShape] = field(default_factory=lambda: {"R": KneeShape(), "L": KneeShape()})
    angles: Mapping[str, float] = field(default_factory=lambda: {"R": 0.0, "L": 0.0})
    turn: float = 0.0
    exposure: Exposure = Exposure()


@dataclass(frozen=True)
class Drawn:
    """A picture in [0, 1], float32 ``[rows, columns]``, and the true joint centres (row, column) of
    the sides, in pixels.
    """

    picture: NDArray[np.float32]
    centres: dict[str, tuple[float, float]]


def render(scene: Scene, rng: np.random.Generator) -> Drawn:
    """Simulate a radiograph; ``rng`` draws only the bones' texture and the quantum noise."""
    rows, columns = (np.arange(size) - (size - 1) / 2 for size in scene.shape)
    down, right = np.meshgrid(rows * scene.spacing, columns * scene.spacing, indexing="ij")
    path = np.zeros(scene.shape)
    web = 1.0 + _TRABECULAE * _texture(scene, rng)
    centres: dict[str, tuple[float, float]] = {}
    for side, (joint_y, joint_x) in scene.centres.items():
        y0, x0 = _rotate(np.asarray(joint_y), np.asarray(joint_x), scene.turn)
        y, x = _rotate(down - y0, right - x0, -(scene.turn + scene.angles[side]))
        x = x if side == "R" else -x
        knee = scene.knees[side]
        path += (
            _SOFT * leg_thickness(x, y, knee)
            + _BONE * web * bone_thickness(x, y, knee, scene.spacing)
            + _METAL * metal_thickness(x, y, knee)
        )
        centres[side] = (float(y0) / scene.spacing + (scene.shape[0] - 1) / 2, float(x0) / scene.spacing + (scene.shape[1] - 1) / 2)
    return Drawn(_expose(path, scene, down, right, centres, rng), centres)


def random_scene(
    rng: np.random.Generator, shape: tuple[int, int] = (350, 430), spacing: float = 1.0, severity: float | None = None
) -> Scene:
    """Draw a scene as in clinical practice: turned by up to 5 degrees, off centre, collimated,
    over- or underexposed; one knee in twenty is replaced.

    ``severity`` is that of both knees; without it each knee's is drawn.
    """
    height, width = shape[0] * spacing, shape[1] * spacing
    plateau = rng.uniform(66.0, 90.0)
    half = rng.uniform(max(62.0, 0.75 * plateau), max(70.0, width / 2 - 0.75 * plateau))
    y0, x0 = rng.uniform(-0.12, 0.12) * height, rng.uniform(-0.04, 0.04) * width
    sides = {"R": -1.0, "L": 1.0}
    bare = rng.random() < 0.4
    edges = np.zeros(4) if bare else rng.uniform(0.0, 0.08, 4) * [height, width, height, width]
    # The collimator never cuts a knee off: such a film would be discarded.
    room = (half + abs(x0)) + 0.62 * plateau
    edges[[1, 3]] = np.minimum(edges[[1, 3]], max(0.0, width / 2 - room))
    exposure = Exposure(
        quanta=float(10 ** rng.uniform(3.0, 4.7)),
        scatter=float(rng.uniform(0.02, 0.3)),
        heel=float(rng.uniform(-0.3, 0.3)),
        window=(float(rng.uniform(0.0, 0.1)), float(rng.uniform(0.95, 1.0))),
        gamma=float(rng.uniform(0.6, 1.7)),
        collimation=(float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3])),
        tilt=float(rng.uniform(-2.0, 2.0)),
        border=float(rng.integers(0, 2)),
        marker=str(rng.choice(["R", "L", ""])),
    )
    return Scene(
        shape,
        spacing,
        {side: (y0 + float(rng.normal(0.0, 4.0)), x0 + sign * half) for side, sign in sides.items()},
        {
            side: knee_of_severity(
                plateau * float(rng.uniform(0.97, 1.03)),
                float(rng.random()) if severity is None else severity,
                float(rng.uniform(22.0, 40.0)),
                bool(rng.random() < 0.05),
            )
            for side in sides
        },
        {side: float(rng.normal(0.0, 2.0)) for side in sides},
        float(rng.uniform(-5.0, 5.0)),
        exposure,
    )


def _texture(scene: Scene, rng: np.random.Generator) -> Floats:
    """Trabeculae: noise of millimetre grain, longer along the legs than across; unit variance."""
    grain = ndimage.gaussian_filter(rng.standard_normal(scene.shape), (1.2 / scene.spacing, 0.6 / scene.spacing))
    return np.asarray(grain / grain.std())


def _rotate(y: Floats, x: Floats, degrees: float) -> tuple[Floats, Floats]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return c * y + s * x, c * x - s * y


def _expose(
    path: Floats, scene: Scene, down: Floats, right: Floats, centres: Mapping[str, tuple[float, float]], rng: np.random.Generator
) -> NDArray[np.float32]:
    exposure = scene.exposure
    beam = 1.0 + exposure.heel * right / (scene.shape[1] * scene.spacing)
    primary = np.exp(-path) * beam
    light = primary + exposure.scatter * ndimage.gaussian_filter(primary, 25.0 / scene.spacing)
    light = np.maximum(light + np.sqrt(light / exposure.quanta) * rng.standard_normal(light.shape), 1.0 / exposure.quanta)
    signal = -np.log(light)
    lit = _in_beam(scene, down, right)
    black, white = np.quantile(signal[lit], exposure.window)
    picture = np.clip((signal - black) / (white - black), 0.0, 1.0) ** exposure.gamma
    if exposure.marker in centres:
        _stamp(picture, exposure.marker, scene, centres)
    return np.where(lit, picture, exposure.border).astype(np.float32)


def _in_beam(scene: Scene, down: Floats, right: Floats) -> NDArray[np.bool_]:
    """Pixels that the beam reaches."""
    top, rightmost, bottom, left = scene.exposure.collimation
    if not any(scene.exposure.collimation):
        return np.ones(scene.shape, dtype=np.bool_)
    y, x = _rotate(down, right, scene.exposure.tilt)
    height, width = (size * scene.spacing / 2 for size in scene.shape)
    inside: NDArray[np.bool_] = (y > top - height) & (y < height - bottom) & (x > left - width) & (x < width - rightmost)
    return inside


def _stamp(picture: Floats, letter: str, scene: Scene, centres: Mapping[str, tuple[float, float]]) -> None:
    """Draw a lead letter of 12 mm beside a knee, 45 mm above the joint, towards the picture's outer
    side.
    """
    dots = np.array([[dot == "1" for dot in line] for line in _LETTERS[letter]])
    size = max(1, round(12.0 / scene.spacing / len(dots)))
    glyph = np.kron(dots, np.ones((size, size), dtype=bool))
    row, column = centres[letter]
    outwards = -1 if letter == "R" else 1
    r0 = int(row - 45.0 / scene.spacing)
    c0 = int(column + outwards * 72.0 / scene.spacing - glyph.shape[1] / 2)
    r0, c0 = (int(np.clip(start, 0, size - length)) for start, size, length in zip((r0, c0), picture.shape, glyph.shape, strict=True))
    picture[r0 : r0 + glyph.shape[0], c0 : c0 + glyph.shape[1]][glyph] = 1.0

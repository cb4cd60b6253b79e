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

from kneeoa.phantom.radiograph_knee import KneeShape, bone_thickness, knee_labels, knee_of_severity, leg_thickness, metal_thickness

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# Attenuation per millimetre of soft tissue, compact bone beyond it, and metal, at some 60 keV.
_SOFT, _BONE, _METAL = 0.021, 0.09, 0.6
_TRABECULAE = 0.12
"""Relative variation of a bone's density from place to place."""
_SCATTER_MM = 25.0
"""Standard deviation of the scattered light."""
_FINEST_MM = 0.34
"""Anatomy is drawn on pixels of this size at least, quantum noise on those of the film."""
_LEG_MM, _BONES_MM = 76.0, 50.0
"""Half widths of a leg and of its bones, at the usual size."""
_MOST_PIXELS = 25.0
"""Standard deviation in pixels above which scatter is computed on a coarser grid."""
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
        gain: contrast of the display curve; above 1 both ends saturate.
        blur: standard deviation (mm) of the focal spot's and the detector's blur.
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
    gain: float = 1.0
    blur: float = 0.0
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

    def place(self, side: str) -> tuple[float, float]:
        """The joint's centre in pixels of the film (row, column)."""
        y, x = _rotate(np.asarray(self.centres[side][0]), np.asarray(self.centres[side][1]), self.turn)
        return float(y) / self.spacing + (self.shape[0] - 1) / 2, float(x) / self.spacing + (self.shape[1] - 1) / 2


@dataclass(frozen=True)
class Drawn:
    """A picture in [0, 1], float32 ``[rows, columns]``, and the true joint centres (row, column) of
    the sides, in pixels.
    """

    picture: NDArray[np.float32]
    centres: dict[str, tuple[float, float]]


def render(scene: Scene, rng: np.random.Generator) -> Drawn:
    """Simulate a radiograph; ``rng`` draws only the bones' texture and the quantum noise.

    A film of 2048 x 2494 pixels of 0.17 mm takes less than a second on one core, and 200 MB.
    """
    step = max(1, int(_FINEST_MM / scene.spacing + 1e-6))
    light = _light(_attenuation(scene, step, rng), scene, step)
    return Drawn(_expose(_refined(light, step, scene.shape), scene, rng), {side: scene.place(side) for side in scene.centres})


def label_knee(scene: Scene, side: str) -> NDArray[np.uint8]:
    """The label map of one knee of a scene, of the film's pixels (labels:
    :mod:`kneeoa.phantom.radiograph_knee`).
    """
    down, right = _grid(scene, 1)
    window, x, y = _knee_window(scene, side, down.astype(np.float32), right.astype(np.float32), _BONES_MM)
    labels = np.zeros(scene.shape, dtype=np.uint8)
    labels[window] = knee_labels(x, y, scene.knees[side])
    return labels


def _grid(scene: Scene, step: int) -> tuple[Floats, Floats]:
    """Millimetres from the film's middle, down ``[rows, 1]`` and right ``[1, columns]``, of pixels
    ``step`` times as large as the film's.
    """
    places = []
    for size in scene.shape:
        index = np.arange(-(-size // step)) * step + (step - 1) / 2
        places.append(np.asarray((index - (size - 1) / 2) * scene.spacing, dtype=np.float64))
    return places[0][:, None], places[1][None, :]


def _knee_window(scene: Scene, side: str, down: Floats, right: Floats, half: float) -> tuple[tuple[slice, slice], Floats, Floats]:
    """The columns that a part of a leg can reach, ``half`` millimetres wide on either side at the
    usual size; and the knee's coordinates x and y of its pixels.
    """
    y0, x0 = _rotate(np.asarray(scene.centres[side][0]), np.asarray(scene.centres[side][1]), scene.turn)
    angle = scene.turn + scene.angles[side]
    reach = half * scene.knees[side].scale + abs(np.sin(np.radians(angle))) * float(np.abs(down - y0).max())
    columns = np.flatnonzero(np.abs(right[0] - x0) <= reach)
    window = (slice(None), slice(int(columns[0]), int(columns[-1]) + 1) if columns.size else slice(0, 0))
    y, x = _rotate(down - down.dtype.type(y0), right[:, window[1]] - right.dtype.type(x0), -angle)
    return window, x if side == "R" else -x, y


def _attenuation(scene: Scene, step: int, rng: np.random.Generator) -> Floats:
    """Attenuation along the beam, on pixels ``step`` times as large as the film's."""
    down, right = _grid(scene, step)
    pixel = scene.spacing * step
    path = np.zeros((down.size, right.size))
    web = 1.0 + _TRABECULAE * _texture(path.shape, pixel, rng)
    for side in scene.centres:
        knee = scene.knees[side]
        window, x, y = _knee_window(scene, side, down, right, _LEG_MM)
        path[window] += _SOFT * leg_thickness(x, y, knee)
        window, x, y = _knee_window(scene, side, down, right, _BONES_MM)
        path[window] += _BONE * web[window] * bone_thickness(x, y, knee, pixel)
        if knee.implant:
            path[window] += _METAL * metal_thickness(x, y, knee)
    return path


def _light(path: Floats, scene: Scene, step: int) -> Singles:
    """Light on the detector, primary and scattered."""
    exposure, pixel = scene.exposure, scene.spacing * step
    _, right = _grid(scene, step)
    primary = np.exp(-path) * (1.0 + exposure.heel * right / (scene.shape[1] * scene.spacing))
    if exposure.blur > 0:
        primary = ndimage.gaussian_filter(primary, exposure.blur / pixel, truncate=3)
    coarser = max(1, int(_SCATTER_MM / pixel / _MOST_PIXELS))
    small = _means(primary, coarser)
    scattered = ndimage.gaussian_filter(small, _SCATTER_MM / (pixel * coarser))
    return np.asarray(primary + exposure.scatter * _refined(scattered, coarser, primary.shape), dtype=np.float32)


def _means(picture: Floats, step: int) -> Floats:
    """Means of blocks of ``step`` pixels along each axis; the last ones are of fewer."""
    if step == 1:
        return picture
    for axis in (0, 1):
        starts = np.arange(0, picture.shape[axis], step)
        counts = np.diff([*starts, picture.shape[axis]])
        picture = np.add.reduceat(picture, starts, axis=axis) / (counts[:, None] if axis == 0 else counts)
    return picture


def _refined(picture: NDArray[np.floating], step: int, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """The picture on pixels ``step`` times as small, linear between them."""
    if step == 1:
        return picture
    for axis, size in enumerate(shape):
        last = picture.shape[axis] - 1
        place = np.clip((np.arange(size) - (step - 1) / 2) / step, 0, last)
        low = np.minimum(place.astype(np.intp), max(last - 1, 0))
        weight = (place - low).astype(picture.dtype)
        weight = weight[:, None] if axis == 0 else weight
        before, after = picture.take(low, axis=axis), picture.take(np.minimum(low + 1, last), axis=axis)
        after -= before
        after *= weight
        picture = np.add(before, after, out=before)
    return picture


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


def _texture(shape: tuple[int, ...], pixel: float, rng: np.random.Generator) -> Floats:
    """Trabeculae: noise of millimetre grain, longer along the legs than across; unit variance."""
    grain = ndimage.gaussian_filter(rng.standard_normal(shape), (1.2 / pixel, 0.6 / pixel))
    return np.asarray(grain / grain.std())


def _rotate(y: Floats, x: Floats, degrees: float) -> tuple[Floats, Floats]:
    """Coordinates turned by an angle; broadcast, and of the type that they have."""
    c, s = (y.dtype.type(value) for value in (np.cos(np.radians(degrees)), np.sin(np.radians(degrees))))
    return c * y + s * x, c * x - s * y


def _expose(light: NDArray[np.floating], scene: Scene, rng: np.random.Generator) -> Singles:
    """The picture that a detector makes of light, in [0, 1]."""
    exposure = scene.exposure
    noise = rng.standard_normal(light.shape).astype(np.float32)
    noise *= np.sqrt(light / np.float32(exposure.quanta))
    noise += light
    np.maximum(noise, np.float32(max(1.0 / exposure.quanta, 1e-9)), out=noise)
    signal = np.log(noise, out=noise)
    lit = _in_beam(scene)
    # Every second pixel of a large film is enough for a quantile.
    every = 1 if light.size < 1_000_000 else 3
    white, black = np.quantile(signal[::every, ::every][lit[::every, ::every]], [1 - level for level in reversed(exposure.window)])
    middle, half = (black + white) / 2, (black - white) / 2 / exposure.gain
    signal -= np.float32(middle + half)
    signal *= np.float32(-0.5 / half)
    picture = np.clip(signal, 0.0, 1.0, out=signal)
    if exposure.gamma != 1.0:
        np.power(picture, np.float32(exposure.gamma), out=picture)
    if exposure.marker in scene.centres:
        _stamp(picture, exposure.marker, scene, scene.place(exposure.marker))
    picture[~lit] = exposure.border
    return picture


def _in_beam(scene: Scene) -> NDArray[np.bool_]:
    """Pixels that the beam reaches."""
    top, rightmost, bottom, left = scene.exposure.collimation
    if not any(scene.exposure.collimation):
        return np.ones(scene.shape, dtype=np.bool_)
    down, right = _grid(scene, 1)
    y, x = _rotate(down.astype(np.float32), right.astype(np.float32), scene.exposure.tilt)
    height, width = (size * scene.spacing / 2 for size in scene.shape)
    inside: NDArray[np.bool_] = (y > top - height) & (y < height - bottom) & (x > left - width) & (x < width - rightmost)
    return inside


def _stamp(picture: Singles, letter: str, scene: Scene, centre: tuple[float, float]) -> None:
    """Draw a lead letter of 12 mm beside a knee, 45 mm above the joint, towards the picture's outer
    side.
    """
    dots = np.array([[dot == "1" for dot in line] for line in _LETTERS[letter]])
    size = max(1, round(12.0 / scene.spacing / len(dots)))
    glyph = np.kron(dots, np.ones((size, size), dtype=bool))
    row, column = centre
    outwards = -1 if letter == "R" else 1
    r0 = int(row - 45.0 / scene.spacing)
    c0 = int(column + outwards * 72.0 / scene.spacing - glyph.shape[1] / 2)
    r0, c0 = (int(np.clip(start, 0, size - length)) for start, size, length in zip((r0, c0), picture.shape, glyph.shape, strict=True))
    picture[r0 : r0 + glyph.shape[0], c0 : c0 + glyph.shape[1]][glyph] = 1.0

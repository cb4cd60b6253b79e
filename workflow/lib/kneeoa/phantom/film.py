"""Make and write the radiographs of one planned person: both knees on a film, or a picture of each;
their label maps; faults included.
"""

from __future__ import annotations

import gzip
import io
import math
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.dicom import INSTITUTION, PHYSICIAN, uid
from kneeoa.phantom.film_plan import SERIES, SIDES, PlannedFilm
from kneeoa.phantom.plan import PlannedKnee, seed_of
from kneeoa.phantom.radiograph import Drawn, Exposure, Scene, label_knee, render
from kneeoa.phantom.radiograph_files import write_label_png, write_png, write_radiograph
from kneeoa.phantom.radiograph_knee import KneeShape

_SHAPE, _SCENE, _PICTURE, _CUT = 6, 7, 8, 9
"""Purposes of a knee's generators (1 to 5 are those of volumes)."""
_WIDTH_MM, _MEDIAL_MM, _LATERAL_MM, _LEAST_MM, _SPUR_MM = 76.0, 4.8, 5.2, 0.3, 6.0
"""Width of the plateau, joint spaces of the reference adult and what wear leaves of them, and
radius of a full osteophyte.
"""
_WEAR = 0.85
"""Share of the joint space that full narrowing takes, as in volumes."""
_QUANTA, _QUANTA_MM = 20_000.0, 0.17
_BORDER = 0.08
"""Most of a side that the collimator covers."""


@dataclass(frozen=True)
class Detector:
    """One scanner's detector, and how it writes its headers.

    Attributes:
        name: station name.
        gain, noise, blur: as in the configuration, with this scanner's own deviation.
        inverted: MONOCHROME1.
        mirrored: columns are stored from the patient's left, and PatientOrientation says so.
        bare: the header has no orientation, view or laterality.
    """

    name: str
    gain: float
    noise: float
    blur: float
    inverted: bool
    mirrored: bool
    bare: bool


def detector(phantom: Phantom, number: int) -> Detector:
    """The detector of scanner ``number``; the same for a seed, whatever else is configured."""
    rng = np.random.default_rng(np.random.SeedSequence([seed_of(phantom), 0xF117, number]))
    gain, noise, blur = 1 + 0.06 * rng.uniform(-1, 1), rng.uniform(0.85, 1.15), rng.uniform(0.9, 1.1)
    film, style = phantom.film, number % 3
    return Detector(f"PHANTOM{number + 1}", film.gain * gain, film.noise * noise, film.blur * blur, style == 1, style == 2, style == 1)


def knee_shape(knee: PlannedKnee, phantom: Phantom) -> tuple[KneeShape, float]:
    """The planned knee's shape on a radiograph, and the tilt of its leg in degrees."""
    normal = phantom.variation * np.clip(knee.generator(phantom, _SHAPE).standard_normal(4), -2.5, 2.5)
    findings, size = knee.findings, knee.size * (1 + 0.02 * float(normal[0]))
    thick = 1 + 0.08 * float(normal[1])
    narrowing = (findings.medial_narrowing, findings.lateral_narrowing)
    medial, lateral = (
        thick * full * (1 - _WEAR * worn) + _LEAST_MM for full, worn in zip((_MEDIAL_MM, _LATERAL_MM), narrowing, strict=True)
    )
    spurs = (
        findings.osteophyte_femur_medial,
        findings.osteophyte_femur_lateral,
        findings.osteophyte_tibia_medial,
        findings.osteophyte_tibia_lateral,
    )
    first, second, third, fourth = (_SPUR_MM * size * strength for strength in spurs)
    shape = KneeShape(
        width=_WIDTH_MM * size,
        gaps=(medial, lateral),
        osteophytes=(first, second, third, fourth),
        sclerosis=findings.medial_narrowing,
        patella=30.0 + 4.0 * float(normal[2]),
    )
    return shape, 2.0 * float(normal[3])


def film_scene(film: PlannedFilm, phantom: Phantom) -> Scene:
    """The planned person before the detector: where the knees lie, and the exposure."""
    rng = film.right.generator(phantom, _SCENE)
    settings, machine = phantom.film, detector(phantom, film.right.scanner)
    height, width = (pixels * settings.spacing for pixels in settings.shape)
    shapes = {side: knee_shape(knee, phantom) for side, knee in film.knees.items()}
    plateau = max(shape.width for shape, _ in shapes.values())
    apart = rng.uniform(max(68.0, 0.85 * plateau), min(110.0, width / 2 - 0.85 * plateau))
    y0, x0 = rng.uniform(-0.08, 0.08) * height, rng.uniform(-0.03, 0.03) * width
    heights = rng.normal(0.0, 3.0, 2)
    turn = phantom.variation * float(np.clip(rng.normal(0.0, 1.5), -4, 4))
    edges = rng.uniform(0.01, _BORDER, 4) * [height, width, height, width]
    # The collimator never cuts a knee off: such a film would be taken again.
    edges[[1, 3]] = np.minimum(edges[[1, 3]], max(0.0, width / 2 - apart - abs(x0) - 0.7 * plateau))
    edges[[0, 2]] = np.minimum(edges[[0, 2]], max(0.0, height / 2 - abs(y0) - 0.9 * plateau))
    if rng.random() >= settings.collimation:
        edges[:] = 0.0
    exposure = Exposure(
        quanta=_QUANTA * (settings.spacing / _QUANTA_MM) ** 2 / machine.noise**2 if machine.noise > 0 else math.inf,
        scatter=float(rng.uniform(0.05, 0.2)),
        heel=float(rng.uniform(-0.2, 0.2)),
        gamma=settings.gamma,
        gain=machine.gain,
        blur=machine.blur,
        collimation=(float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3])),
        tilt=float(rng.uniform(-1.5, 1.5)),
        border=0.0,
        marker=str(rng.choice(["R", "L", ""])),
    )
    sides = {"R": -1.0, "L": 1.0}
    return Scene(
        settings.shape,
        settings.spacing,
        {side: (y0 + float(up), x0 + sign * apart) for (side, sign), up in zip(sides.items(), heights, strict=True)},
        {side: shape for side, (shape, _) in shapes.items()},
        {side: angle for side, (_, angle) in shapes.items()},
        turn,
        exposure,
    )


def draw_film(film: PlannedFilm, phantom: Phantom) -> tuple[Drawn, Scene]:
    """The film's picture as it is displayed, with the planned fault, and its scene."""
    scene = film_scene(film, phantom)
    shown = replace(scene, centres={}, knees={}, angles={}) if film.fault == "blank-film" else scene
    drawn = render(shown, film.right.generator(phantom, _PICTURE))
    return (replace(drawn, picture=1 - drawn.picture) if film.fault == "negative-film" else drawn), scene


def write_film(film: PlannedFilm, phantom: Phantom, cohort: str, paths: dict[str, Path], masks: dict[str, Path]) -> None:
    """Write a person's pictures and label maps.

    Args:
        film: the plan.
        phantom: the configuration.
        cohort: part of the identifiers, so that two cohorts never share one.
        paths: the picture of each side (one file for both, where the form is a film).
        masks: the label map of each side.
    """
    drawn, scene = draw_film(film, phantom)
    labels = {side: label_knee(scene, side) for side in SIDES}
    if film.form == "knees":
        pieces = {side: _piece(film, scene, side, phantom) for side in SIDES}
        pictures = {side: drawn.picture[piece] for side, piece in pieces.items()}
        labels = {side: values[pieces[side]] for side, values in labels.items()}
        for side, path in paths.items():
            if film.fault != "missing-film":
                write_png(path, pictures[side])
                _break(path, film.fault)
    elif film.fault != "missing-film":
        machine = detector(phantom, film.right.scanner)
        if machine.mirrored:
            labels = {side: values[:, ::-1] for side, values in labels.items()}
        _write_dicom(film, phantom, cohort, paths["R"], drawn.picture[:, ::-1] if machine.mirrored else drawn.picture, machine)
    if film.fault == "foreign-mask":
        labels = {"R": labels["L"], "L": labels["R"]}
    for side, path in masks.items():
        if film.fault != "missing-mask":
            drawn_labels = labels[side][::-1] if film.fault == "flipped-mask" else labels[side]
            write_label_png(path, np.ascontiguousarray(drawn_labels))


def _piece(film: PlannedFilm, scene: Scene, side: str, phantom: Phantom) -> tuple[slice, slice]:
    """Rows and columns of a picture of one knee: a square about its joint, never quite centred."""
    rng = film.knees[side].generator(phantom, _CUT)
    row, column = scene.place(side)
    size = round(phantom.film.knee_mm / scene.spacing)
    parts = []
    for centre, length in zip((row, column), scene.shape, strict=True):
        start = round(centre + float(rng.uniform(-5, 5)) / scene.spacing - size / 2)
        start = min(max(start, 0), max(length - size, 0))
        parts.append(slice(start, start + size))
    return parts[0], parts[1]


def _write_dicom(film: PlannedFilm, phantom: Phantom, cohort: str, path: Path, picture: NDArray[np.float32], machine: Detector) -> None:
    file = path.with_name("001") if film.form == "archives" else path
    knee = film.right
    tags: dict[str, object] = {
        "PatientID": knee.subject,
        "StudyDate": knee.date,
        "StudyInstanceUID": uid(cohort, knee.subject, knee.date),
        "SeriesInstanceUID": uid(cohort, knee.subject, film.barcode),
        "StudyDescription": "OAI^XR^ENROLLMENT^BILATERAL",
        "SeriesDescription": SERIES,
        "Manufacturer": "PHANTOM",
        "StationName": machine.name,
        "InstitutionName": INSTITUTION,
        "ReferringPhysicianName": PHYSICIAN,
    }
    if machine.bare:
        tags |= dict.fromkeys(("PatientOrientation", "ViewPosition", "ImageLaterality"))
    if machine.mirrored:
        tags["PatientOrientation"] = ["R", "F"]
    if film.fault == "lateral-film":
        tags["ViewPosition"] = "LATERAL"
    identity = "/".join((cohort, knee.subject, film.barcode))
    write_radiograph(file, picture, phantom.film.spacing, bits=phantom.film.bits, inverted=machine.inverted, identity=identity, **tags)
    _break(file, film.fault)
    if film.form == "archives":
        _pack(path, file, f"{film.barcode}/{file.name}")
        file.unlink()


def _break(path: Path, fault: str | None) -> None:
    """Damage a file as the fault says."""
    if fault == "truncated-film":
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])
    elif fault == "empty-film":
        path.write_bytes(b"")


def _pack(archive: Path, file: Path, name: str) -> None:
    """Write a ``.tar.gz`` of one file, without times and owners: equal files give equal bytes."""
    entry = tarfile.TarInfo(name)
    entry.size = file.stat().st_size
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar, file.open("rb") as stream:
        tar.addfile(entry, stream)
    archive.write_bytes(gzip.compress(packed.getbuffer(), compresslevel=1, mtime=0))

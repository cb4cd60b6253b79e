"""Findings of osteoarthritis in one knee, drawn from the latent severity, each with its own
variation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# (severity at which a finding begins, severity at which it is full, standard deviation of its own
# variation). Medial before lateral.
_COURSE = {
    "medial_narrowing": (0.15, 1.0, 0.10),
    "lateral_narrowing": (0.55, 1.25, 0.08),
    "osteophyte_femur_medial": (0.12, 0.95, 0.14),
    "osteophyte_femur_lateral": (0.25, 1.10, 0.14),
    "osteophyte_tibia_medial": (0.15, 0.95, 0.14),
    "osteophyte_tibia_lateral": (0.30, 1.15, 0.14),
    "patellar_thinning": (0.25, 1.20, 0.12),
    "marrow_lesion": (0.30, 1.0, 0.20),
    "effusion": (0.20, 1.0, 0.22),
}


@dataclass(frozen=True, slots=True)
class Findings:
    """Strength of each finding in [0, 1] (lesions and effusion may exceed 1 where the configuration
    asks for more).
    """

    medial_narrowing: float
    lateral_narrowing: float
    osteophyte_femur_medial: float
    osteophyte_femur_lateral: float
    osteophyte_tibia_medial: float
    osteophyte_tibia_lateral: float
    patellar_thinning: float
    marrow_lesion: float
    effusion: float


def draw_findings(severity: float, effect: float, lesions: float, rng: np.random.Generator) -> Findings:
    """Draw the findings of a knee with latent ``severity`` in [0, 1].

    Finding f is ``clip(effect * ramp_f(severity) + sigma_f * N(0, 1), 0, 1)`` with ``ramp_f``
    linear from 0 at its beginning to 1 where it is full; marrow lesions and effusion are then
    multiplied by ``lesions``.
    """
    noise = rng.standard_normal(len(_COURSE))
    values = {}
    for deviate, (name, (begin, full, deviation)) in zip(noise, _COURSE.items(), strict=True):
        ramp = min(max((severity - begin) / (full - begin), 0.0), 1.0)
        values[name] = min(max(effect * ramp + deviation * float(deviate), 0.0), 1.0)
    values["marrow_lesion"] *= lesions
    values["effusion"] *= lesions
    return Findings(**values)

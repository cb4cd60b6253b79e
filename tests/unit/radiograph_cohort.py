"""A small cohort of bilateral phantom radiographs on disk: DICOM files and the table of
``tests/small_radiographs.yaml``.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from kneeoa.phantom.radiograph import Exposure, Scene, render
from kneeoa.phantom.radiograph_files import write_radiograph
from kneeoa.phantom.radiograph_knee import knee_of_severity

SHAPE, SPACING = (150, 200), 1.8
SUBJECTS = 20
BLANK, NEGATIVE = "P003", "P005"
"""A subject whose picture shows noise, and one whose picture is a negative in spite of its
header.
"""


def write(root: Path) -> Path:
    """Write the cohort below ``root`` and return the table's path; the grades of both knees cycle
    through 0 to 4.
    """
    rows = []
    for number in range(SUBJECTS):
        subject, rng = f"P{number:03d}", np.random.default_rng(number)
        grades = {"R": number % 5, "L": (number + number // 5) % 5}
        width = rng.uniform(70.0, 86.0)
        scene = Scene(
            SHAPE,
            SPACING,
            {"R": (rng.normal(0, 8), -92.0), "L": (rng.normal(0, 8), 92.0)},
            {side: knee_of_severity(width, (grade + 0.5) / 5) for side, grade in grades.items()},
            turn=float(rng.uniform(-3, 3)),
            exposure=Exposure(gamma=float(rng.uniform(0.8, 1.3))),
        )
        picture = render(scene, rng).picture
        if subject == BLANK:
            picture = rng.random(SHAPE)
        if subject == NEGATIVE:
            picture = 1 - picture
        name = f"files/{subject}.dcm"
        write_radiograph(root / name, picture, SPACING, bits=(10, 12, 14, 16)[number % 4], inverted=bool(number % 2))
        rows.append({"subject": subject, "file": name, "kl_right": grades["R"], "kl_left": grades["L"]})
    with open(root / "knees.csv", "w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return root / "knees.csv"

"""Plan the radiographs of a phantom cohort and their files. As cheap as the plan of its people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.plan import VISIT, PlannedKnee, plan_cohort

SIDES = ("R", "L")
SERIES = "Bilateral PA Fixed Flexion Knee"
"""OAI's description of the series."""


@dataclass(frozen=True, slots=True)
class PlannedFilm:
    """The radiograph of one person: both knees, and their files. Paths are relative to the cohort's
    root.
    """

    right: PlannedKnee
    left: PlannedKnee
    form: str

    @property
    def knees(self) -> dict[str, PlannedKnee]:
        """The knees by side."""
        return {"R": self.right, "L": self.left}

    @property
    def release(self) -> str:
        """The release folder."""
        return self.right.release

    @property
    def fault(self) -> str | None:
        """The fault of both knees, if any."""
        return self.right.fault

    @property
    def barcode(self) -> str:
        """The series' barcode, which is no volume's."""
        return f"{self.right.barcode[:-1]}9"

    @property
    def folder(self) -> str:
        """The series folder as ``contents.csv`` names it:
        ``<release>/<participant>/<date>/<barcode>``.
        """
        return f"{self.release}/{self.right.subject}/{self.right.date}/{self.barcode}"

    @property
    def images(self) -> dict[str, str]:
        """The picture of each side: a DICOM file or an archive of both knees, or a PNG of each."""
        if self.form == "knees":
            return {side: f"{VISIT}/{self.release}/{self.right.subject}{side}.png" for side in SIDES}
        place = f"{VISIT}/{self.folder}.tar.gz" if self.form == "archives" else f"{VISIT}/{self.folder}/001"
        return dict.fromkeys(SIDES, place)

    @property
    def masks(self) -> dict[str, str]:
        """The label map of each side, of the pixels of its picture."""
        return {side: f"masks/{self.release}/{self.right.subject}_{side}_V00.png" for side in SIDES}


@lru_cache(maxsize=8)
def plan_films(phantom: Phantom, cohort: str) -> tuple[PlannedFilm, ...]:
    """The radiographs of a phantom cohort, by subject. Arguments are those of
    :func:`~kneeoa.phantom.plan.plan_cohort`.
    """
    return tuple(_pairs(phantom, cohort))


def _pairs(phantom: Phantom, cohort: str) -> Iterator[PlannedFilm]:
    knees = plan_cohort(phantom, cohort)
    for right, left in zip(knees[::2], knees[1::2], strict=True):
        yield PlannedFilm(right, left, phantom.form)

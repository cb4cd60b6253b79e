"""Read centres of joints in radiographs from a CSV: where one picture shows both knees, or a crop
should be centred. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kneeoa.cohorts import cells
from kneeoa.cohorts.manifest_rows import table_path
from kneeoa.cohorts.source import Reason, Source
from kneeoa.cohorts.text_tables import read_text
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError


@dataclass(frozen=True)
class Landmark:
    """The joint's centre in pixels of an image file, row 0 and column 0 at the upper left pixel's
    centre.
    """

    line: int
    subject: str
    side: str | None
    visit: str | None
    view: str | None
    row: float
    column: float


def read_landmarks(root: Path, cohort: Cohort) -> Iterator[Landmark]:
    """Every line of the cohort's landmarks; nothing where it has none.

    Raises:
        KneeoaError: the file is missing or malformed, or a line names no knee or no place.
    """
    if cohort.landmarks is None:
        return
    path = table_path(root, cohort.landmarks)
    table = read_text(path)
    optional = [name for name in ("visit", "view") if table.has(name)]
    for line, (subject, side, row, column, *rest) in table.select(("subject", "side", "row", "column", *optional)):
        where = f"{path}: line {line}"
        optional_cells = dict(zip(optional, rest, strict=True))
        try:
            name = cells.identifier(subject)
        except ValueError as error:
            raise KneeoaError(f"{where}: {error}.") from error
        if name is None or (cells.side(side) is None and side):
            raise KneeoaError(f"{where}: subject '{subject}' and side '{side}' name no knee; expected a subject, and L or R.")
        place = cells.number(row, f"{where}: 'row'"), cells.number(column, f"{where}: 'column'")
        if place[0] is None or place[1] is None:
            raise KneeoaError(f"{where}: has no row or no column; leave the line out where the joint was not found.")
        yield Landmark(
            line, name, cells.side(side), optional_cells.get("visit") or None, optional_cells.get("view") or None, place[0], place[1]
        )


def add_landmarks(source: Source, cohort: Cohort, root: Path) -> None:
    """Give the images of each landmark's knee their centre: of its visit and view where the line
    names them, of any where not.

    A line that no image takes is a loose reason, ``unused-landmark``.

    Raises:
        KneeoaError: as :func:`landmarks`, or two lines place one image's joint.
    """
    placed: dict[tuple[str, str], int] = {}
    for mark in read_landmarks(root, cohort):
        used = False
        for visit in (mark.visit,) if mark.visit else cohort.visits:
            knee = source.knees.get(f"{mark.subject}-{mark.side or 'X'}-{visit}")
            for place, file in enumerate(knee.files if knee else ()):
                if knee is None or file.role != "image" or mark.view not in (None, file.view):
                    continue
                earlier = placed.setdefault((knee.case_id, file.view), mark.line)
                if earlier != mark.line:
                    raise KneeoaError(f"{cohort.landmarks}: lines {earlier} and {mark.line} both place {knee.case_id}, view '{file.view}'.")
                knee.files[place] = replace(file, centre=(mark.row, mark.column))
                used = True
        if not used:
            detail = f"{cohort.landmarks}, line {mark.line}: {mark.subject}, side {mark.side}, has no image that the line could be about."
            source.loose.append(Reason("unused-landmark", detail))


def landmark_rows(root: Path, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """(subject, line) of every landmark, for the digest of its shard.

    Raises:
        KneeoaError: as :func:`landmarks`.
    """
    for mark in read_landmarks(root, cohort):
        yield mark.subject, f"{mark.side}\t{mark.visit}\t{mark.view}\t{mark.row!r}\t{mark.column!r}"

"""Read the rows of a manifest as cases and files, by its column map. Standard library only, as the
index is made at parse too.
"""

from __future__ import annotations

import difflib
import itertools
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kneeoa.cohorts import cells
from kneeoa.cohorts.text_tables import Table
from kneeoa.config.cohorts import Cohort
from kneeoa.config.manifest import Manifest
from kneeoa.errors import KneeoaError

IMAGE_KEYS = ("subject", "side", "visit", "view", "path", "mask", "row", "column")
"""Keys of a row that decide which file belongs to whom; the others may change without another
decoding.
"""
_ROW_KEYS = (*IMAGE_KEYS, "split", "site", "sex", "age", "project")


@dataclass(frozen=True)
class Entry:
    """A case, visit and view that a row describes.

    ``cells`` has the text of every mapped key, and ``labels`` those of each level's columns, in the
    order of its column map.
    """

    line: int
    subject: str | None
    side: str | None
    visit: str | None
    view: str | None
    """None where the row's text is no view."""
    path: str | None
    """Relative to the root, normalised; None where the cell is empty. A path that leaves the root
    begins with ``..``, ``/`` or a drive.
    """
    mask: str | None
    cells: dict[str, str]
    labels: dict[str, list[str]]
    problem: str | None = None
    """The reason why the row names no knee."""
    unmatched: str | None = None
    """The code that is not understood, where that is the trouble."""


SkippedRows = dict[tuple[str, str], set[int]]
"""Lines of the rows that were skipped, by kind (``visit`` or ``view``) and by the text that nothing
names.
"""


def table_path(root: Path, name: str) -> Path:
    """A table's file: below the root, or absolute; ``$VARIABLES`` are expanded."""
    return root / os.path.expandvars(name)


def entries(
    table: Table, cohort: Cohort, manifest: Manifest, root: Path, *, labels: bool = True, passed: SkippedRows | None = None
) -> Iterator[Entry]:
    """Every case, visit and view of every row: several of a row whose columns are given for each
    side, visit or view.

    Rows of other visits and views than the cohort's are left out; those that neither the cohort nor
    ``values`` names are added to ``passed``.

    Raises:
        KneeoaError: a column is missing.
    """
    plans = [
        (side, visit, view, _columns(table, cohort, manifest, (side, visit, view), labels))
        for side, visit, view in itertools.product(
            manifest.sides or (None,), [v for v in manifest.visits if v in cohort.visits] or (None,), _views(cohort, manifest)
        )
    ]
    subjects = {places["subject"] for *_, (places, _) in plans}
    lost = {place for place in subjects if cells.lost_digits(row[place] for _, row in table.rows)}
    for line, row in table.rows:
        for side, visit, view, (places, level_places) in plans:
            texts = {key: row[place] for key, place in places.items()}
            which = side, visit or (None if manifest.visit else cohort.visits[0]), view
            entry = _entry(line, texts, cohort, manifest, root, which, lost=places["subject"] in lost)
            other = "visit" if entry.visit not in (None, *cohort.visits) else "view" if entry.view not in (None, *cohort.views) else None
            if other is None:
                label_texts = {level: [row[place] for place in columns] for level, columns in level_places.items()}
                yield Entry(**{**entry.__dict__, "labels": label_texts})
            elif passed is not None and _mapped(manifest, other, texts[other]) is None:
                passed.setdefault((other, texts[other]), set()).add(line)


def _views(cohort: Cohort, manifest: Manifest) -> tuple[str | None, ...]:
    return (None,) if manifest.view is not None else tuple(view for view in manifest.views if view in cohort.views) or cohort.views


def _columns(
    table: Table, cohort: Cohort, manifest: Manifest, which: tuple[str | None, str | None, str | None], labels: bool
) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Places of the columns for one side, visit and view, where column names depend on them."""
    maps: tuple[Mapping[str, str], ...] = (manifest.sides, manifest.visits, manifest.views)  # type: ignore[assignment]
    texts = {key: names.get(chosen or "", "") for key, chosen, names in zip(("side", "visit", "view"), which, maps, strict=True)}

    def place(name: str) -> int:
        filled = _filled(name, texts)
        if filled != name and not table.has(filled):
            raise KneeoaError(_no_such_column(table, name, texts, maps))
        return table.column(filled)

    wanted = {key: place(name) for key, name in manifest.columns.items() if key in _ROW_KEYS}
    return wanted, {level: [place(name) for name in columns.names] for level, columns in cohort.labels.items()} if labels else {}


def _filled(name: str, texts: Mapping[str, str]) -> str:
    return re.sub(r"\{(side|visit|view)\}", lambda match: texts[match[1]], name)


def _no_such_column(table: Table, name: str, texts: Mapping[str, str], maps: tuple[Mapping[str, str], ...]) -> str:
    """The error message for a missing column with placeholders: it suggests no column of one side
    or visit alone, as that would give a knee the other's label.
    """
    filled = _filled(name, texts)
    near = difflib.get_close_matches(filled, table.header, n=4)
    every = [dict(zip(texts, chosen, strict=True)) for chosen in itertools.product(*(each.values() or ("",) for each in maps))]
    for column in near:
        templates = [column]
        for key in texts:
            if f"{{{key}}}" in name and texts[key]:
                places = [(template, match.span()) for template in templates for match in re.finditer(re.escape(texts[key]), template)]
                templates = [f"{template[:start]}{{{key}}}{template[end:]}" for template, (start, end) in places]
        fitting = next((template for template in templates if all(table.has(_filled(template, each)) for each in every)), None)
        if fitting:
            return f"{table.path}: lacks the column '{filled}' of '{name}'; did you mean '{fitting}'?"
    closest = f"the closest are {near}; keep the placeholders, without one all would take the same column" if near else "none is close"
    return f"{table.path}: lacks the column '{filled}' of '{name}': {closest}. Its first line has {table.header[:12]}."


def _entry(
    line: int,
    texts: dict[str, str],
    cohort: Cohort,
    manifest: Manifest,
    root: Path,
    which: tuple[str | None, str | None, str | None],
    *,
    lost: bool,
) -> Entry:
    side, visit, view = which
    subject, trouble, unmatched = None, None, None
    try:
        subject = cells.identifier(texts["subject"], lost=lost)
        trouble = None if subject else "the subject is empty"
    except ValueError as error:
        trouble = str(error)
    if manifest.side is not None:
        side = meaning(manifest, "side", texts["side"])
        if side is None and trouble is None:
            trouble = f"the side is '{texts['side']}'; expected L, R or a text of 'manifest.values.side'"
            unmatched = texts["side"] or None
    if manifest.visit is not None:
        visit = _cohort_name(meaning(manifest, "visit", texts["visit"]), cohort.visits)
        if visit is None:
            trouble = trouble or "the visit is empty"
    if manifest.view is not None:
        view = _cohort_name(meaning(manifest, "view", texts["view"]), cohort.views)
    path, mask = (_path(texts.get(key), manifest.folder, root) for key in ("path", "mask"))
    return Entry(line, subject, side, visit, view, path, mask, texts, {}, trouble, unmatched)


def meaning(manifest: Manifest, key: str, cell: str) -> str | None:
    """The meaning of a cell: by ``values``, else by common words; None where it is empty or
    unknown.
    """
    mapped = _mapped(manifest, key, cell)
    if mapped is not None:
        return mapped
    if cells.is_missing(cell):
        return None
    words = {"side": cells.side, "sex": cells.sex, "split": cells.split}
    return words[key](cell) if key in words else cells.plain(cell)


def _mapped(manifest: Manifest, key: str, cell: str) -> str | None:
    """The meaning of a cell by ``values``; None where they do not have it."""
    meanings: dict[str, str] = manifest.values.get(key, {})  # type: ignore[call-overload]
    try:
        return cells.look_up_cell(cell, meanings)
    except KeyError:
        return None


def _cohort_name(text: str | None, names: tuple[str, ...]) -> str | None:
    """The cohort's own name of a visit or view, where it has one for the text."""
    if text is None:
        return None
    try:
        return cells.look_up_cell(text, dict(zip(names, names, strict=True)))
    except KeyError:
        return text


def _path(cell: str | None, folder: str, root: Path) -> str | None:
    if cell is None or cells.is_missing(cell):
        return None
    place = cell.replace("\\", "/")
    if not is_absolute(place):
        return posixpath.normpath(posixpath.join(folder, place))
    place = posixpath.normpath(place)
    for base in (os.path.abspath(root), os.path.realpath(root)):
        if place.startswith(f"{base}/"):
            return place[len(base) + 1 :]
    return place


def is_absolute(path: str) -> bool:
    """Whether a path begins at a disk's root, or at a drive of Windows."""
    return re.match(r"/|[A-Za-z]:/", path) is not None

"""The rows of a manifest as cases and files, by its column map. Standard library only, as the index
is made at parse too.
"""

from __future__ import annotations

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

IMAGE_KEYS = ("subject", "side", "visit", "view", "path", "mask", "row", "column")
"""What of a row decides which file is whose; the rest may change without another decoding."""
_KEYS = (*IMAGE_KEYS, "split", "site", "sex", "age", "project")


@dataclass(frozen=True)
class Entry:
    """One case, visit and view that a row tells of.

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
    begins with ``..`` or ``/``.
    """
    mask: str | None
    cells: dict[str, str]
    labels: dict[str, list[str]]
    trouble: str | None = None
    """What keeps the row from naming a knee."""


def table_path(root: Path, name: str) -> Path:
    """A table's file: below the root, or absolute; ``$VARIABLES`` are expanded."""
    return root / os.path.expandvars(name)


def entries(table: Table, cohort: Cohort, manifest: Manifest, *, labels: bool = True) -> Iterator[Entry]:
    """Every case, visit and view of every row: several of a row whose columns are given for each
    side, visit or view.

    Rows of other visits and views than the cohort's are left out.

    Raises:
        KneeoaError: a column is missing.
    """
    plans = [
        (side, visit, view, _columns(table, cohort, manifest, (side, visit, view), labels))
        for side, visit, view in itertools.product(
            manifest.sides or (None,), [v for v in manifest.visits if v in cohort.visits] or (None,), _views(cohort, manifest)
        )
    ]
    for line, row in table.rows:
        for side, visit, view, (places, level_places) in plans:
            found = {key: row[place] for key, place in places.items()}
            entry = _entry(line, found, manifest, (side, visit or (None if manifest.visit else cohort.visits[0]), view))
            if (entry.visit is None or entry.visit in cohort.visits) and (entry.view is None or entry.view in cohort.views):
                own = {level: [row[place] for place in columns] for level, columns in level_places.items()}
                yield Entry(**{**entry.__dict__, "labels": own})


def _views(cohort: Cohort, manifest: Manifest) -> tuple[str | None, ...]:
    return (None,) if manifest.view is not None else tuple(view for view in manifest.views if view in cohort.views) or cohort.views


def _columns(
    table: Table, cohort: Cohort, manifest: Manifest, which: tuple[str | None, str | None, str | None], labels: bool
) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Places of the columns for one side, visit and view, where column names depend on them."""
    maps: tuple[Mapping[str, str], ...] = (manifest.sides, manifest.visits, manifest.views)  # type: ignore[assignment]
    texts = {key: known.get(own or "", "") for key, own, known in zip(("side", "visit", "view"), which, maps, strict=True)}

    def place(name: str) -> int:
        return table.column(re.sub(r"\{(side|visit|view)\}", lambda match: texts[match[1]], name))

    wanted = {key: place(name) for key, name in manifest.columns.items() if key in _KEYS}
    return wanted, {level: [place(name) for name in own.names] for level, own in cohort.labels.items()} if labels else {}


def _entry(line: int, found: dict[str, str], manifest: Manifest, which: tuple[str | None, str | None, str | None]) -> Entry:
    side, visit, view = which
    subject, trouble = None, None
    try:
        subject = cells.identifier(found["subject"])
        trouble = None if subject else "the subject is empty"
    except ValueError as error:
        trouble = str(error)
    if manifest.side is not None:
        side = meaning(manifest, "side", found["side"])
        if side is None:
            trouble = trouble or f"the side is '{found['side']}'; expected L, R or a text of 'manifest.values.side'"
    if manifest.visit is not None:
        visit = meaning(manifest, "visit", found["visit"])
        if visit is None:
            trouble = trouble or "the visit is empty"
    if manifest.view is not None:
        view = meaning(manifest, "view", found["view"])
    path, mask = (_path(found.get(key), manifest.folder) for key in ("path", "mask"))
    return Entry(line, subject, side, visit, view, path, mask, found, {}, trouble)


def meaning(manifest: Manifest, key: str, cell: str) -> str | None:
    """What a cell means: by ``values``, else by the words that everybody uses; None where it is
    empty or unknown.
    """
    known: dict[str, str] = manifest.values.get(key, {})  # type: ignore[call-overload]
    if cell in known:
        return known[cell]
    if cells.is_missing(cell):
        return None
    words = {"side": cells.side, "sex": cells.sex, "split": cells.split}
    return words[key](cell) if key in words else cell


def _path(cell: str | None, folder: str) -> str | None:
    if cell is None or cells.is_missing(cell):
        return None
    own = cell.replace("\\", "/")
    return posixpath.normpath(own if own.startswith("/") else posixpath.join(folder, own))

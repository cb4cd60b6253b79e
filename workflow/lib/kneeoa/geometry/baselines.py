"""Measure the geometry of baselines: embeddings of untrained networks and principal components of
the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from kneeoa.config.analysis import Geometry
from kneeoa.config.hierarchy import Level
from kneeoa.geometry.cases import CaseTables
from kneeoa.geometry.run_measures import measure_embeddings
from kneeoa.tables.geometry import GEOMETRY


def measure_baselines(
    networks: Sequence[Path],
    images: Sequence[Path],
    sources: CaseTables,
    levels: tuple[Level, ...],
    geometry: Geometry,
    study: str,
    out: Path,
) -> None:
    """Write one GEOMETRY table of all baselines, with the arm and seed that their embeddings have.

    Measures against masks are left out: baselines may be of several views.

    Args:
        networks: EMBEDDINGS tables of untrained networks, standardised by component as the runs'.
        images: EMBEDDINGS tables of principal components of images, which keep their relative
            spread.
        sources: the tables that embeddings are compared with.
        levels: the hierarchy.
        geometry: as for the runs.
        study: name of the study, copied to the rows.
        out: table to write.

    Raises:
        KneeoaError: a table is not what it should be, or the hierarchy has no ordinal level.
    """
    rows: list[dict[str, Any]] = []
    for path in (*networks, *images):
        _, measured = measure_embeddings(path, sources, levels, geometry, path.stem, common_scale=path in images)
        first = pq.read_table(path, columns=["arm", "seed"]).slice(0, 1).to_pylist()[0]
        rows += [{"study": study, "arm": first["arm"], "seed": first["seed"]} | row for row in measured]
    GEOMETRY.write(out, rows)

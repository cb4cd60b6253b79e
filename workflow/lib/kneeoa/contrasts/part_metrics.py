"""Metrics of each part of an arm's plug-in by itself, on the test cases. They choose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import BY_NAME, class_of, metrics_of, rows_of
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.arms import select_predictions
from kneeoa.contrasts.cases import has_label
from kneeoa.contrasts.metrics import measured, resampled, row
from kneeoa.tables.part_predictions import PART_METRICS, PART_PREDICTIONS
from kneeoa.tables.runs import COMPARED


def build_part_metrics(parts: Sequence[Path], levels: tuple[Level, ...], statistics: Statistics, out: Path) -> None:
    """Write PART_METRICS: the metrics of the printed table, of every part, level and cohort, of
    each seed and of their mean, with the intervals that :mod:`kneeoa.contrasts.metrics` gives an
    arm's.

    Thresholds of binary levels are fitted for each part as for an arm, on its validation cases.

    Args:
        parts: PART_PREDICTIONS tables of all seeds of an arm.
        levels: the hierarchy.
        statistics: confidence, resamples, seed, threshold.
        out: table to write.

    Raises:
        KneeoaError: see :func:`kneeoa.contrasts.cases.level_predictions`.
    """
    frame = PART_PREDICTIONS.concat(list(parts), ("study", *COMPARED), categorical=True)
    frame = frame.assign(head=frame["level"])
    tested = frame[frame["split"] == "test"]
    by_name = {level.name: level for level in levels}
    rows: list[dict[str, Any]] = []
    keys = ["study", "arm", "cohort", "level", "part"]
    for key in tested.loc[has_label(tested), keys].drop_duplicates().sort_values(keys).itertuples(index=False):
        where = {name: str(value) for name, value in zip(keys, key, strict=True)}
        level = by_name[where["level"]]
        of_part = frame[(frame["part"] == where["part"]) & (frame["arm"] == where["arm"])]
        predictions = select_predictions(of_part, where["arm"], where["cohort"], "test", level, level.name, (level,), statistics.threshold)
        seeds = [[seed] for seed in predictions.seeds] if len(predictions.seeds) > 1 else []
        for subset in (predictions, *(predictions.of_seeds(seed) for seed in seeds)):
            draws = resampled(subset, statistics)
            which = {"seed": None if subset is predictions else subset.seeds[0]}
            rows += [where | which | row(subset, name, measured(name, subset, statistics, draws)) for name in _printed(level)]
    PART_METRICS.write(out, rows)


def _printed(level: Level) -> list[str]:
    names = [metric for metric in metrics_of(level.kind) if BY_NAME[metric].in_paper]
    return [name for metric in names for name in rows_of(metric, level) if class_of(name) is None]

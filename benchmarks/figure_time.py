"""Time `snakemake figures` on a study whose predictions are finished: of 60 runs on 98 test knees,
and of 200 runs on 2,000.

Two roads are timed. *Figures*: predictions and statistics are there, every figure is drawn anew.
*From predictions*: metrics, contrasts and the claim are computed too, with a tenth of the published
study's resamples, for which the time is in proportion.
"""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from finished_study import FinishedStudy

from kneeoa.config.study import load

RESAMPLES = 1000
"""Resamples of the bootstrap, on the road from predictions alone."""


@dataclass(frozen=True)
class Design:
    """One of the two designs."""

    knees: int
    """Knees of the cohort; a fifth are test knees."""
    seeds: int
    backbones: tuple[str, ...]
    shards: int


DESIGNS = {
    60: Design(490, 5, ("resnet3d", "m3t", "densenet121"), 16),
    200: Design(10_000, 10, ("resnet3d", "resnet3d_wide", "m3t", "nnmamba", "densenet121"), 64),
}


def study_of(design: Design, whole: Mapping[str, Any], published: Mapping[str, Any]) -> dict[str, Any]:
    """A design's study: the arms of ``whole`` that it has, analysed as ``published`` is."""
    study = {**whole, "study": "finished", **{key: published[key] for key in ("statistics", "geometry", "anatomy")}}
    study["statistics"] = {key: value for key, value in published["statistics"].items() if key != "subgroups"} | {"resamples": RESAMPLES}
    study["saliency"] = {**published["saliency"], "cases": DESIGNS[60].knees // 5}
    study["backbones"] = {name: whole["backbones"][name] for name in design.backbones}
    study["arms"] = [
        {"backbone": name, "mode": list(whole["modes"]), **({"grid": "cube"} if name == "m3t" else {})} for name in design.backbones
    ]
    study["cohorts"] = {name: {**cohort, "shards": design.shards} for name, cohort in whole["cohorts"].items()}
    return study


def figure_times(
    runs: int,
    clone: Path,
    study: Mapping[str, Any],
    finish: Callable[[Path, Path], None],
    snakemake: Callable[..., tuple[str, float, float]],
) -> dict[str, float]:
    """Seconds of both roads for one design, by the clock and of the processors.

    Args:
        runs: 60 or 200.
        clone: a clone of the workflow, in which the study is made.
        study: its configuration.
        finish: puts an empty file in every output's place, as ``dag.py`` does.
        snakemake: runs it, as ``dag.py`` does.
    """
    config = clone.parent / "finished.yaml"
    config.write_text(yaml.safe_dump(dict(study), sort_keys=False))
    finish(clone, config)
    finished = FinishedStudy(clone, load(dict(study)), DESIGNS[runs].knees // 5)
    finished.write()
    snakemake(clone, config, "all", "--touch", "--quiet", "all", "--max-checksum-file-size", "0")
    figures, statistics = (clone / finished.layout.root / name for name in ("figures", "statistics"))
    times: dict[str, float] = {}
    for road, gone in (("predictions", (figures, statistics)), ("figures", (figures,))):
        for folder in gone:
            shutil.rmtree(folder)
        spent = _spent()
        text, seconds, _ = snakemake(clone, config, "figures", cores=2)
        drawn = len(list(figures.glob("*.pdf")))
        if drawn != len(finished.layout.figures()):
            raise SystemExit(text[-4000:])
        times |= {f"{road}_{runs}_runs_s": round(seconds, 1), f"{road}_{runs}_runs_cpu_s": round(_spent() - spent, 1)}
        what = "figures alone" if road == "figures" else f"from predictions, {RESAMPLES:,} resamples"
        print(f"{drawn} figures of {runs} runs, {what}: {seconds:.1f} s, of processors {_spent() - spent:.1f} s", flush=True)
    return times


def _spent() -> float:
    """Processor seconds of all children that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

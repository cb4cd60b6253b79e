"""tests/hard.yaml from raw images to metrics and geometry by the library: the stages of the
workflow in their order, in one process.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from kneeoa.cohorts.build import build_cohort as read_cohort
from kneeoa.config.study import Study, load
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.geometry.cases import CaseTables
from kneeoa.geometry.run_measures import measure_run
from kneeoa.inference.predict import predict
from kneeoa.ingestion.shard import make_volumes
from kneeoa.ingestion.shard_list import list_shards, listed_shards
from kneeoa.labels.rater_labels import rate_labels
from kneeoa.layout import Layout
from kneeoa.network.model import ModelSpec
from kneeoa.phantom.plan import releases
from kneeoa.phantom.release import write_part, write_tables, write_truth
from kneeoa.splits.make import make_splits
from kneeoa.training.run import train

CONFIG = Path(__file__).parents[1] / "hard.yaml"
COHORT = "phantom"


def layout() -> Layout:
    """The study's files, relative to the folder that one works in."""
    return Layout(load(yaml.safe_load(CONFIG.read_text())))


def make_images(files: Layout) -> None:
    """Scan the phantom, read its tables, make canonical volumes, divide its subjects, and let every
    rater read.
    """
    study, root = files.study, Path(files.root)
    section = study.cohorts[COHORT]
    phantom, raw, tables = section.phantom, root / "phantom" / COHORT, root / "cohorts" / COHORT
    assert phantom is not None
    write_tables(phantom, COHORT, raw)
    write_truth(phantom, COHORT, Path(*files.truths()))
    for release in releases(phantom):
        write_part(phantom, COHORT, release, raw / "00m" / release, raw / "masks" / release)
    paths = {kind: tables / f"{kind}.parquet" for kind in ("cases", "images", "labels", "exclusions")}
    read_cohort(section, COHORT, raw, study.levels, **paths)
    (view,) = section.views
    for shard in files.shards(COHORT):
        stem = root / "volumes" / COHORT / view / f"shard-{shard}"
        make_volumes(
            images=paths["images"], cases=paths["cases"], root=raw, cohort=COHORT, view_name=view, view=study.views[view], shard=shard,
            out_array=stem.with_suffix(".npy"), out_index=stem.with_suffix(".parquet"),
            out_exclusions=stem.with_suffix(".exclusions.parquet"),
        )  # fmt: skip
    (listed,) = files.shard_lists("volumes", view, [COHORT])
    arrays, indices = ([Path(path) for path in files.shard_files("volumes", view, suffix, [COHORT])] for suffix in (".npy", ".parquet"))
    list_shards(arrays, indices, Path(listed))
    (splits,) = (Path(path) for path in files.splits())
    make_splits(
        name=COHORT, role=section.role, split=section.split, levels=study.levels, views=section.views,
        cases=paths["cases"], labels=paths["labels"], exclusions=[paths["exclusions"]],
        volumes=indices, out_splits=splits,
    )  # fmt: skip
    for name, rater in study.raters.items():
        level = study.rated_level(name)
        stem = root / "raters" / name / COHORT
        rate_labels(
            rater=name, level=level.name, confusion=rater.matrix(len(level.classes)), seed=rater.seed, levels=study.levels,
            labels=paths["labels"], splits=splits, out_labels=stem.with_suffix(".parquet"), out_agreement=stem.with_suffix(".json"),
        )  # fmt: skip


def spec_of(study: Study, arm: str) -> ModelSpec:
    """The network of an arm."""
    factors = next(each for each in study.arms_table() if each.name == arm)
    backbone, shape = study.backbones[factors.backbone], study.input_shape(factors)
    return ModelSpec(
        backbone=backbone.kind, options=backbone.options, dimensions=len(shape), shape=shape, mode=study.modes[factors.mode],
        levels=study.levels_of(factors.mode),
    )  # fmt: skip


def run_arm(files: Layout, arm: str, seed: int, threads: int = 1) -> None:
    """Train an arm, let it predict, and measure its representation."""
    study, root = files.study, Path(files.root)
    training = files.arm(arm).training
    stem = Path(arm) / f"seed-{seed}"
    arrays, indices = listed_shards(files.volume_lists(arm))
    inputs = {"arrays": arrays, "indices": indices} | {
        key: [Path(path) for path in getattr(files, key)(arm)] for key in ("splits", "labels")
    }
    identity = {"study": study.study, "arm": arm, "seed": seed}
    train(
        **identity, spec=spec_of(study, arm), training=training, threads=threads, out=root / "runs" / stem, provenance={},
        **inputs | {"labels": [Path(path) for path in files.training_labels(arm)]},
    )  # fmt: skip
    embeddings = root / "embeddings" / stem.with_suffix(".parquet")
    predict(
        **identity, run=root / "runs" / stem, **inputs, levels=study.levels, batch=training.predict_batch, threads=threads,
        out_predictions=root / "predictions" / stem.with_suffix(".parquet"), out_embeddings=embeddings,
        out_temperature=root / "predictions" / stem.with_suffix(".temperature.json"),
    )  # fmt: skip
    measure_run(
        **identity, embeddings=embeddings, sources=CaseTables(labels=inputs["labels"], truth=[Path(path) for path in files.truths()]),
        levels=study.levels, geometry=study.geometry, out_axis=root / "geometry" / stem.with_suffix(".axis.parquet"),
        out_measures=root / "geometry" / stem.with_suffix(".measures.parquet"),
    )  # fmt: skip


def metrics(files: Layout) -> Path:
    """The table METRICS of all runs."""
    out = Path(files.root) / "statistics" / "metrics.parquet"
    build_metrics([Path(path) for path in files.predictions()], files.study.levels, files.study.statistics, out)
    return out

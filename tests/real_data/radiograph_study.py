"""The study ``workflow/studies/radiographs.yaml`` through the library's stages, one after the other
in one process.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from kneeoa.cohorts.build import build_cohort
from kneeoa.config.study import Study, load
from kneeoa.config.training import Training
from kneeoa.inference.predict import predict
from kneeoa.ingestion.shard import make_volumes
from kneeoa.network import model
from kneeoa.network.spec import ModelSpec
from kneeoa.splits.make import make_splits
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.training.dataset import evaluation_batches
from kneeoa.training.device import reproducible
from kneeoa.training.run import load_pretrained, train
from kneeoa.training.shards import Shards

CONFIG = Path(__file__).parents[2] / "workflow" / "studies" / "radiographs.yaml"
COHORT, VIEW = "oai", "pa"


@dataclass(frozen=True)
class Prepared:
    """The study's cohort, read, decoded and split."""

    study: Study
    folder: Path

    def table(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    @property
    def inputs(self) -> dict[str, Any]:
        return {"arrays": [self.folder / "pa.npy"], "indices": [self.table("pa")], "splits": [self.table("splits")]}

    def specification(self, arm: str) -> ModelSpec:
        row = next(each for each in self.study.arms_table() if each.name == arm)
        backbone, shape = self.study.backbones[row.backbone], self.study.input_shape(row)
        return ModelSpec(
            backbone=backbone.kind,
            options=backbone.options,
            dimensions=len(shape),
            shape=shape,
            mode=self.study.modes[row.mode],
            levels=self.study.levels_of(row.mode),
        )

    def run(self, arm: str, seed: int, threads: int, training: Training | None = None) -> pd.DataFrame:
        """Train and predict; the PREDICTIONS table."""
        settings = training or next(each for each in self.study.arms_table() if each.name == arm).training
        out = self.folder / arm / f"seed-{seed}"
        shared = {"study": self.study.study, "arm": arm, "seed": seed, **self.inputs, "labels": [self.table("labels")], "threads": threads}
        train(**shared, spec=self.specification(arm), training=settings, out=out, provenance={"code": "test"})
        predict(
            **shared,
            run=out,
            levels=self.study.levels,
            batch=settings.predict_batch,
            out_predictions=out / "predictions.parquet",
            out_embeddings=out / "embeddings.parquet",
            out_temperature=out / "temperature.json",
        )
        return PREDICTIONS.read(out / "predictions.parquet")

    def frozen_features(self, arm: str, threads: int) -> tuple[pd.DataFrame, np.ndarray]:
        """Cases and their embeddings ``[cases, width]`` by the network as training begins with it:
        public weights, nothing learned here.
        """
        spec = self.specification(arm)
        with reproducible(threads), torch.inference_mode():
            network = model.build(spec)
            load_pretrained(network.backbone, spec)
            network.eval()
            shards = Shards([self.folder / "pa.npy"], [self.table("pa")], spec.shape)
            cases = shards.locate([self.table("splits")])
            places = cases[["file", "row"]].to_numpy()
            parts = []
            for rows in evaluation_batches(len(cases), 16):
                images = np.stack([shards.read(file, row) for file, row in places[rows]])[:, None]
                parts.append(network(torch.from_numpy(images).float()).embedding)
            return cases, torch.cat(parts).double().numpy()


def prepare(folder: Path, data: Path) -> Prepared:
    """Read, decode and split the cohort below ``data`` into ``folder``."""
    study = load(yaml.safe_load(CONFIG.read_text()))
    cohort, root = study.cohorts[COHORT], data / "xray_kl"
    made = Prepared(study, folder)
    tables = {name: made.table(name) for name in ("cases", "images", "labels", "exclusions")}
    build_cohort(cohort, COHORT, root, study.levels, **tables)
    make_volumes(
        images=tables["images"],
        cases=tables["cases"],
        root=root,
        cohort=COHORT,
        view_name=VIEW,
        view=study.views[VIEW],
        shard=0,
        out_array=folder / "pa.npy",
        out_index=made.table("pa"),
        out_exclusions=made.table("pa.exclusions"),
    )
    make_splits(
        name=COHORT,
        role=cohort.role,
        split=cohort.split,
        levels=study.levels,
        views=cohort.views,
        cases=tables["cases"],
        labels=tables["labels"],
        volumes=[made.table("pa")],
        exclusions=[tables["exclusions"], made.table("pa.exclusions")],
        out_splits=made.table("splits"),
    )
    return made

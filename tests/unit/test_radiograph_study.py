"""A study of radiographs by configuration alone: every stage takes images of two dimensions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from kneeoa.cohorts.build import build_cohort
from kneeoa.config.study import Study, load
from kneeoa.errors import KneeoaError
from kneeoa.figures import saliency as saliency_figure
from kneeoa.figures import volumes as volumes_figure
from kneeoa.geometry.cases import read_embeddings
from kneeoa.inference.predict import predict
from kneeoa.ingestion.array_writer import open_rows
from kneeoa.ingestion.input_grids import resample_shard
from kneeoa.ingestion.shard import make_volumes
from kneeoa.ingestion.shard_list import list_shards
from kneeoa.layout import Layout
from kneeoa.network.spec import ModelSpec
from kneeoa.saliency.explain import SaliencyRun, explain_run
from kneeoa.saliency.methods.registry import methods
from kneeoa.splits.make import make_splits
from kneeoa.tables.cohort import EXCLUSIONS, SPLITS
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.tables.saliency import SALIENCY
from kneeoa.tables.shards import VOLUMES
from kneeoa.training.run import train
from tests.unit import radiograph_cohort

CONFIG = Path(__file__).parents[1] / "small_radiographs.yaml"
KEY = {"study": "small-radiographs", "seed": 1}


@dataclass
class Made:
    """The study's files in one folder."""

    study: Study
    folder: Path

    def shards(self, stem: str, suffix: str) -> list[Path]:
        return [self.folder / f"{stem}-{shard}{suffix}" for shard in range(2)]

    def table(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def volumes(self) -> pd.DataFrame:
        return VOLUMES.concat(self.shards("pa", ".parquet")).set_index("case_id")

    def inputs(self, arrays: str) -> dict[str, Any]:
        files = {"arrays": self.shards(arrays, ".npy"), "indices": self.shards("pa", ".parquet")}
        return {**files, "splits": [self.table("splits")]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The cohort read, decoded, resampled and split."""
    folder = tmp_path_factory.mktemp("radiographs")
    radiograph_cohort.write(folder)
    study = load(yaml.safe_load(CONFIG.read_text()))
    result, cohort = Made(study, folder), study.cohorts["clinic"]
    tables = {name: result.table(name) for name in ("cases", "images", "labels", "exclusions")}
    build_cohort(cohort, "clinic", folder, study.levels, **tables)
    for shard in range(2):
        stem = folder / f"pa-{shard}"
        make_volumes(
            images=tables["images"],
            cases=tables["cases"],
            root=folder,
            cohort="clinic",
            view_name="pa",
            view=study.views["pa"],
            shard=shard,
            out_array=stem.with_suffix(".npy"),
            out_index=stem.with_suffix(".parquet"),
            out_exclusions=stem.with_suffix(".exclusions.parquet"),
        )
        coarse = folder / f"coarse-{shard}.npy"
        resample_shard(
            array=stem.with_suffix(".npy"),
            index=stem.with_suffix(".parquet"),
            shape=study.grids["coarse"].shape,
            out_array=coarse,
            out_index=coarse.with_suffix(".parquet"),
        )
    make_splits(
        name="clinic",
        role="develop",
        split=cohort.split,
        levels=study.levels,
        views=("pa",),
        cases=tables["cases"],
        labels=tables["labels"],
        volumes=result.shards("pa", ".parquet"),
        exclusions=[tables["exclusions"], *result.shards("pa", ".exclusions.parquet")],
        out_splits=result.table("splits"),
    )
    return result


def test_every_knee_is_a_row_or_an_exclusion(made: Made) -> None:
    index = made.volumes()
    shapes = [open_rows(path).shape[1:] for path in made.shards("pa", ".npy")]
    assert shapes == [(48, 56), (48, 56)]
    assert len(index) == 2 * radiograph_cohort.SUBJECTS - 2
    excluded = EXCLUSIONS.concat(made.shards("pa", ".exclusions.parquet"))
    assert set(excluded["case_id"]) == {f"{radiograph_cohort.BLANK}-{side}-00m" for side in "LR"}
    assert set(excluded["reason"]) == {"joint-not-found"}
    assert (index["mirrored"] == index.index.str.contains("-L-")).all()
    assert set(index.index[index["negative"]]) == {f"{radiograph_cohort.NEGATIVE}-{side}-00m" for side in "LR"}
    assert (index["joint_fit"] > 0.45).all()
    right, left = (index.loc[f"P000-{side}-00m"] for side in "RL")
    assert right["joint_column"] < 100 < left["joint_column"]


def test_both_knees_have_their_fibula_on_one_side(made: Made) -> None:
    index = made.volumes()
    arrays = [open_rows(path) for path in made.shards("pa", ".npy")]
    means = []
    for side in "RL":
        rows = index[index.index.str.contains(f"-{side}-")]
        means.append(np.mean([arrays[shard][row] for shard, row in zip(rows["shard"], rows["row"], strict=True)], axis=0, dtype=np.float64))
    alike, mirrored = (np.corrcoef(means[0].ravel(), other.ravel())[0, 1] for other in (means[1], means[1][:, ::-1]))
    assert alike > 0.98
    assert alike > mirrored
    # The fibula lies beside the tibia, 20 to 40 mm below the joint, on the picture's left: the
    # lateral side.
    below = slice(24 + 10, 24 + 20)
    assert all(mean[below, 8:13].mean() > mean[below, 43:48].mean() for mean in means)


def specification(study: Study, number: int) -> tuple[str, ModelSpec]:
    arm = study.arms_table()[number]
    shape, backbone = study.input_shape(arm), study.backbones[arm.backbone]
    levels = study.levels_of(arm.mode)
    options = {"backbone": backbone.kind, "options": backbone.options, "dimensions": len(shape), "shape": shape}
    return arm.name, ModelSpec(**options, mode=study.modes[arm.mode], levels=levels)


@pytest.mark.parametrize("number", [1, 2])
def test_a_network_trains_predicts_explains_and_is_drawn(made: Made, number: int, tmp_path: Path) -> None:
    study = made.study
    arm, spec = specification(study, number)
    inputs = made.inputs("coarse" if number == 2 else "pa")
    key = {**KEY, "arm": arm}
    train(
        **key,
        **inputs,
        spec=spec,
        training=study.training,
        labels=[made.table("labels")],
        threads=1,
        out=tmp_path,
        provenance={"code": "none"},
    )
    embeddings = tmp_path / "embeddings.parquet"
    predict(
        **key,
        **inputs,
        run=tmp_path,
        labels=[made.table("labels")],
        levels=study.levels,
        batch=8,
        threads=1,
        out_predictions=tmp_path / "predictions.parquet",
        out_embeddings=embeddings,
        out_temperature=tmp_path / "temperature.json",
    )
    predicted = PREDICTIONS.read(tmp_path / "predictions.parquet")
    cases = SPLITS.read(made.table("splits"))
    assert set(zip(predicted["level"], predicted["head"], strict=True)) == {("oa", "oa"), ("kl", "kl"), ("oa", "kl")}
    assert len(predicted) == 3 * len(cases)
    assert np.isfinite(np.concatenate(predicted["probabilities"].to_list())).all()

    expected = tuple(-(-size // 2) for size in spec.shape)
    for method in methods():
        maps, index = tmp_path / f"{method}.npy", tmp_path / f"{method}.parquet"
        explain_run(
            run=SaliencyRun(**key, view="pa", method=method, target="oa", saliency=study.saliency, batch=8),
            folder=tmp_path,
            **inputs,
            labels=[made.table("labels")],
            threads=1,
            out_maps=maps,
            out_index=index,
        )
        assert np.load(maps).shape == (int((cases["split"] == "test").sum()), 2, *expected)
        assert len(SALIENCY.read(index)) == (cases["split"] == "test").sum()
    maps, index = (tmp_path / f"smoothgrad_input.{suffix}" for suffix in ("npy", "parquet"))
    assert np.load(maps).any(axis=(1, 2, 3)).all()

    embedded = read_embeddings(embeddings)
    assert len(embedded.cases) == len(cases)
    assert embedded.values.std(axis=0).max() > 0

    list_shards(made.shards("pa", ".npy"), made.shards("pa", ".parquet"), tmp_path / "shards.json")
    shared = {"volumes": [tmp_path / "shards.json"], "masks": [], "labels": [made.table("labels")], "splits": [made.table("splits")]}
    look = {"tissues": {}, "view": "pa", "level": "kl", "figures": study.figures}
    saliency_figure.draw(
        maps=[maps],
        map_indices=[index],
        **shared,
        **look,
        arms=Layout(study).factors(),
        targets={},
        out_pdf=tmp_path / "saliency.pdf",
        out_png=tmp_path / "saliency.png",
    )
    volumes_figure.draw(**shared, **look, out_pdf=tmp_path / "volumes.pdf", out_png=tmp_path / "volumes.png")
    assert all((tmp_path / f"{name}.png").stat().st_size > 5000 for name in ("saliency", "volumes"))


@pytest.mark.parametrize("kind", ["resnet3d", "m3t", "nnmamba"])
def test_networks_of_three_dimensions_refuse_radiographs_when_configured(kind: str) -> None:
    config = yaml.safe_load(CONFIG.read_text())
    config["backbones"] = {"densenet121": {"kind": kind}}
    with pytest.raises(KneeoaError, match=rf"backbone '{kind}' takes 3 axes, but the input has 2 \(\[48, 56\]\); choose a 3D view or grid"):
        load(config)


def test_a_grid_of_three_axes_is_refused() -> None:
    config = yaml.safe_load(CONFIG.read_text())
    config["grids"]["coarse"]["shape"] = [32, 36, 32]
    with pytest.raises(KneeoaError, match="takes a grid of 3 axes, but the view 'pa' has 2"):
        load(config)

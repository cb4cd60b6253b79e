"""A tiny network, trained on a phantom cohort by the stages of the workflow, is handed on and
applied to raw files by one command.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from kneeoa.apply import main
from kneeoa.cohorts.build import build_cohort
from kneeoa.config.cohorts import Cohort
from kneeoa.config.phantom import Phantom
from kneeoa.config.training import Training
from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError
from kneeoa.formats.read_volume import read_volume
from kneeoa.inference.apply import apply
from kneeoa.inference.ensemble import ensemble
from kneeoa.inference.predict import predict
from kneeoa.ingestion.shard import make_volumes
from kneeoa.network.model import ModelSpec, read_spec
from kneeoa.network.spec import TrainedOn
from kneeoa.phantom.dicom import IDENTIFIERS
from kneeoa.phantom.plan import releases
from kneeoa.phantom.release import write_part, write_tables
from kneeoa.tables.cohort import CASES, EXCLUSIONS, IMAGES, SPLITS
from kneeoa.tables.runs import APPLIED, PREDICTIONS
from kneeoa.tables.shards import VOLUMES
from kneeoa.training.run import train
from kneeoa.volumes.orientation import RIGHT_KNEE, reorient
from tests.unit.training.tiny_study import DUAL, LEVELS

PHANTOM = Phantom(seed=2, subjects=9, parts=1, shape=(14, 28, 28), spacing=(7.0, 5.0, 5.0), both_knees=0.5, nifti=0.5, faults=True)
COHORT = Cohort(reader="oai", phantom=PHANTOM, labels={"kl": "XRKL"}, shards=1)
VIEW = View(shape=(10, 14, 14), spacing=(9.0, 9.0, 9.0))
TRAINING = Training(epochs=1, batch=8, learning_rate=3e-3, predict_batch=8)


@dataclass(frozen=True)
class Study:
    """A finished study of two seeds, and the raw files that it was made from."""

    folder: Path

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    def run(self, seed: int) -> Path:
        return self.folder / f"seed-{seed}"

    def predictions(self, seed: int, name: str = "predictions") -> pd.DataFrame:
        return PREDICTIONS.read(self.run(seed) / f"{name}.parquet")


def ask(study: Study, seed: int, name: str = "predictions", **options) -> None:
    tables = {"arrays": ["volumes.npy"], "indices": ["volumes.parquet"], "splits": ["splits.parquet"], "labels": ["labels.parquet"]}
    inputs = {key: [study.folder / file for file in files] for key, files in tables.items()}
    out = {f"out_{key}": study.run(seed) / f"{key}.parquet" for key in ("predictions", "embeddings")}
    out |= {"out_predictions": study.run(seed) / f"{name}.parquet", "out_temperature": study.run(seed) / "temperature.json"}
    identity = {"study": "tiny", "arm": "dual", "seed": seed, "run": study.run(seed), "levels": LEVELS}
    predict(**identity, **inputs, batch=8, threads=1, **out, **options)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    made = Study(tmp_path_factory.mktemp("study"))
    folder, raw = made.folder, made.raw
    write_tables(PHANTOM, "demo", raw)
    for release in releases(PHANTOM):
        write_part(PHANTOM, "demo", release, raw / "00m" / release, folder / "masks" / release)
    tables = {name: folder / f"{name}.parquet" for name in ("cases", "images", "labels", "exclusions")}
    build_cohort(COHORT, "demo", raw, LEVELS, **tables)
    out = {"out_array": folder / "volumes.npy", "out_index": folder / "volumes.parquet", "out_exclusions": folder / "unusable.parquet"}
    inputs = {"images": tables["images"], "cases": tables["cases"], "root": raw}
    make_volumes(**inputs, cohort="demo", view_name="sag_dess", view=VIEW, shard=0, **out)
    usable = set(VOLUMES.read(folder / "volumes.parquet")["case_id"])
    cases = CASES.read(tables["cases"])
    cases = cases[cases["case_id"].isin(usable)]
    people = sorted(set(cases["subject"]))
    split = {person: ("val" if number % 3 == 1 else "train") for number, person in enumerate(people)}
    columns = ["cohort", "case_id", "subject", "side", "visit"]
    SPLITS.write(folder / "splits.parquet", cases[columns].assign(split=cases["subject"].map(split)))
    form = TrainedOn(view="sag_dess", canonical=VIEW, left_knees="mirrored", cohorts=("demo",))
    network = {"backbone": "resnet3d", "options": {"width": 4, "stem_stride": 1}, "dimensions": 3, "shape": VIEW.shape}
    spec = ModelSpec(**network, mode=DUAL, levels=LEVELS, trained_on=form)
    for seed in (1, 2):
        train_and_ask(made, seed, spec)
    return made


def train_and_ask(study: Study, seed: int, spec: ModelSpec) -> None:
    """Train a run of the study and predict its cases."""
    lists = {"arrays": ["volumes.npy"], "indices": ["volumes.parquet"], "splits": ["splits.parquet"], "labels": ["labels.parquet"]}
    paths = {key: [study.folder / file for file in files] for key, files in lists.items()}
    identity = {"study": "tiny", "arm": "dual", "seed": seed, "provenance": {"code": "none"}}
    train(**identity, spec=spec, training=TRAINING, **paths, threads=1, out=study.run(seed))
    ask(study, seed)


PLUGGED = 3
"""Seed of the study's run with a plug-in."""


@pytest.fixture(scope="module")
def plugged(study):
    """The study, with a run whose heads are a plug-in's."""
    plugin = {"kind": "pim", "width": 8, "select": [24, 8, 8, 8]}
    train_and_ask(study, PLUGGED, read_spec(study.run(1)).model_copy(update={"plugin": plugin}))
    return study


@pytest.fixture(scope="module")
def table(study):
    """A table of the raw images, as a colleague would write it: the sides are what file names do
    not tell.
    """
    images = IMAGES.read(study.folder / "images.parquet").query("role == 'image'")
    sides = CASES.read(study.folder / "cases.parquet").set_index("case_id")["side"]
    path = study.raw / "new.csv"
    listed = pd.DataFrame({"path": images["path"], "case": images["case_id"], "side": images["case_id"].map(sides)})
    listed.to_csv(path, index=False)
    return path


def applied(study, table, tmp_path, *seeds, **options):
    out, exclusions = tmp_path / "out.parquet", tmp_path / "exclusions.parquet"
    apply(runs=[study.run(seed) for seed in seeds], images=table, out=out, out_exclusions=exclusions, **options)
    return APPLIED.read(out), EXCLUSIONS.read(exclusions)


def compare(actual, expected):
    """Rows of APPLIED against those of PREDICTIONS."""
    key = ["case_id", "level", "head"]
    both = actual.merge(expected, on=key, suffixes=("", "_study"), validate="one_to_one")
    assert len(both) == len(actual) == len(expected)
    np.testing.assert_allclose(np.concatenate(both["probabilities"]), np.concatenate(both["probabilities_study"]), rtol=0, atol=1e-6)


def test_raw_files_get_what_the_study_says_of_them(study, table, tmp_path):
    predicted, excluded = applied(study, table, tmp_path, 1)
    compare(predicted, study.predictions(1))
    unusable = EXCLUSIONS.read(study.folder / "unusable.parquet")
    assert len(unusable) > 0
    assert sorted(zip(excluded["case_id"], excluded["reason"], strict=True)) == sorted(
        zip(unusable["case_id"], unusable["reason"], strict=True)
    )
    first = predicted.iloc[0]
    assert first["predicted"] == first["classes"][int(np.argmax(first["probabilities"]))]
    assert first["members"].tolist() == ["dual/seed-1"]
    assert set(predicted["combined"]) == {"alone"}
    assert not predicted["calibrated"].any()


def test_a_folder_alone_will_do_where_headers_tell_the_side(study, tmp_path):
    series = IMAGES.read(study.folder / "images.parquet").query("role == 'image' and format == 'dicom'")
    expected = study.predictions(1)
    expected = expected[expected["case_id"].isin(series["case_id"])]
    predicted, _ = applied(study, study.raw / "00m", tmp_path, 1)
    names = {path.removeprefix("00m/"): case for path, case in zip(series["path"], series["case_id"], strict=True)}
    predicted = predicted[predicted["case_id"].isin(names)]
    compare(predicted.assign(case_id=predicted["case_id"].map(names)), expected)
    assert set(predicted["side"]) == {"L", "R"}


def test_where_no_image_can_be_used_there_are_two_tables_all_the_same(study, tmp_path):
    """One without a row, one with the reasons."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "knee_R.nii.gz").write_bytes(b"cut")
    predictions, excluded = applied(study, tmp_path / "new", tmp_path, 1)
    assert len(predictions) == 0
    assert excluded["reason"].tolist() == ["unreadable"]


def test_seeds_speak_as_one_as_the_studys_ensemble_does(study, table, tmp_path):
    members = [study.run(seed) / "predictions.parquet" for seed in (1, 2)]
    for how in ("mean", "logit_mean", "vote", "weighted"):
        file = tmp_path / "ensemble.weights.json"
        ensemble(name="both", members=members, levels=LEVELS, how=how, out=tmp_path / "ensemble.parquet", out_weights=file)
        predicted, _ = applied(study, table, tmp_path, 1, 2, how=how, weights=file if how == "weighted" else None)
        compare(predicted, PREDICTIONS.read(tmp_path / "ensemble.parquet"))
        assert set(predicted["combined"]) == {how}
        assert predicted["members"].iloc[0].tolist() == ["dual/seed-1", "dual/seed-2"]


def test_temperature_and_flips_go_with_the_run(study, table, tmp_path):
    ask(study, 1, "other", flips=(0, 2))
    plain, flipped = study.predictions(1), study.predictions(1, "other")
    assert not np.allclose(np.concatenate(flipped["probabilities"]), np.concatenate(plain["probabilities"]), atol=1e-5)
    both = {"flips": ("left_right", "anterior_posterior")}
    compare(applied(study, table, tmp_path, 1, **both)[0], flipped)

    file = study.run(1) / "temperature.json"
    content = json.loads(file.read_text())
    assert all(account["split"] == "val" and account["labels"] > 0 for account in content["heads"].values())
    for head, temperature in (("oa", 0.4), ("kl", 2.0)):  # what so few cases give is left to chance: these are not
        content["heads"][head]["temperature"] = temperature
    file.write_text(json.dumps(content))
    predicted, _ = applied(study, table, tmp_path, 1, calibrated=True, **both)
    assert predicted["calibrated"].all()
    heads = flipped[flipped["level"] == flipped["head"]]
    scaled = softmax(np.stack(heads.loc[heads["head"] == "kl", "logits"]) / 2.0, axis=1)
    sharp = softmax(np.stack(heads.loc[heads["head"] == "oa", "logits"]) / 0.4, axis=1)
    expected = {
        ("kl", "kl"): scaled,
        ("oa", "kl"): np.stack([scaled[:, :2].sum(axis=1), scaled[:, 2:].sum(axis=1)], axis=1),
        ("oa", "oa"): sharp,
    }
    for (level, head), values in expected.items():
        rows = predicted[(predicted["level"] == level) & (predicted["head"] == head)]
        np.testing.assert_allclose(np.stack(rows["probabilities"]), values, atol=1e-6)
    with pytest.raises(KneeoaError, match="was fitted with flips"):
        applied(study, table, tmp_path, 1, calibrated=True)
    content["heads"]["kl"]["temperature"] = None
    file.write_text(json.dumps(content))
    with pytest.raises(KneeoaError, match="has no temperature of head 'kl'"):
        applied(study, table, tmp_path, 1, calibrated=True, **both)
    with pytest.raises(KneeoaError, match="'up'"):
        applied(study, table, tmp_path, 1, flips=("up",))


def test_another_input_grid_is_made_from_the_same_canonical_images(study, table, tmp_path):
    from kneeoa.ingestion.input_grids import resample_shard
    from kneeoa.network.model import build, read_spec, save

    spec = read_spec(study.run(1)).model_copy(update={"shape": (8, 8, 12)})
    save(build(spec), spec, tmp_path / "grid")
    shard = {"array": study.folder / "volumes.npy", "index": study.folder / "volumes.parquet"}
    resample_shard(**shard, shape=spec.shape, out_array=tmp_path / "grid.npy", out_index=tmp_path / "grid.parquet")
    out = {f"out_{name}": tmp_path / f"{name}.parquet" for name in ("predictions", "embeddings", "temperature")}
    inputs = {key: [study.folder / f"{file}.parquet"] for key, file in (("indices", "volumes"), ("splits", "splits"), ("labels", "labels"))}
    identity = {"study": "tiny", "arm": "dual", "seed": 1, "run": tmp_path / "grid", "levels": LEVELS}
    predict(**identity, arrays=[tmp_path / "grid.npy"], **inputs, batch=8, threads=1, **out)
    apply(runs=[tmp_path / "grid"], images=table, out=tmp_path / "out.parquet", out_exclusions=tmp_path / "exclusions.parquet")
    predicted = APPLIED.read(tmp_path / "out.parquet")
    compare(predicted, PREDICTIONS.read(tmp_path / "predictions.parquet"))
    assert predicted["members"].iloc[0].tolist() == ["grid"]  # no run.json beside it: the folder's name


def test_the_command_needs_two_files_alone_and_leaks_nobody(study, table, tmp_path, capsys):
    alone = tmp_path / "from-a-colleague"
    alone.mkdir()
    for name in ("weights.safetensors", "model.json"):
        shutil.copy(study.run(1) / name, alone)
    out = tmp_path / "predictions.parquet"
    assert main([str(alone), "--images", str(table), "--out", str(out), "--csv"]) == 0
    sheet = pd.read_csv(tmp_path / "predictions.csv", dtype={"class": str})
    sums = sheet.groupby(["case_id", "level", "head"])["probability"].agg(["sum", "size"])
    assert np.allclose(sums["sum"], 1, atol=1e-12)
    assert sums.groupby(["level", "head"])["size"].unique().map(list).to_dict() == {("oa", "oa"): [2], ("oa", "kl"): [2], ("kl", "kl"): [5]}
    compare(APPLIED.read(out), study.predictions(1))
    written = out.read_bytes() + (tmp_path / "predictions.exclusions.parquet").read_bytes() + capsys.readouterr().err.encode()
    text = APPLIED.read(out).to_csv() + EXCLUSIONS.read(tmp_path / "predictions.exclusions.parquet").to_csv()
    assert not [name for name in IDENTIFIERS if name.encode() in written or name in text]
    first = out.read_bytes()
    assert main([str(alone), "--images", str(table), "--out", str(out)]) == 0
    assert out.read_bytes() == first


def test_runs_that_cannot_be_used_are_told_apart(study, table, tmp_path, capsys):
    old = tmp_path / "old"
    shutil.copytree(study.run(1), old)
    content = json.loads((old / "model.json").read_text())
    assert content["version"] == 2
    assert content["trained_on"]["cohorts"] == ["demo"]

    def attempt(changes, expected, *more):
        (old / "model.json").write_text(json.dumps({**content, **changes}))
        assert main([str(old), *more, "--images", str(table), "--out", str(tmp_path / "out.parquet")]) == 1
        assert expected in capsys.readouterr().err

    attempt({"version": 1, "trained_on": None}, "does not say how its images were prepared, as it was written by an older kneeoa")
    attempt({"version": 3}, "is of version 3, but this kneeoa knows 1 to 2")
    attempt({"trained_on": {**content["trained_on"], "left_knees": "as_they_are"}}, "not how this version prepares images")
    other = {**content["trained_on"], "canonical": {**content["trained_on"]["canonical"], "antialias": False}}
    attempt({"trained_on": other}, "prepared differently", str(study.run(1)))
    attempt({}, "is given twice", str(old))
    attempt({"levels": [{**content["levels"][0], "classes": ["healthy", "ill"]}, content["levels"][1]]}, "level 'oa'", str(study.run(1)))


def test_volumes_without_an_orientation_are_read_as_they_are_said_to_be(study, tmp_path):
    images = IMAGES.read(study.folder / "images.parquet").query("role == 'image'").set_index("case_id")
    sides = CASES.read(study.folder / "cases.parquet").set_index("case_id")["side"]
    expected = study.predictions(1)
    case = next(name for name in sorted(set(expected["case_id"])) if sides[name] == "R")
    volume = reorient(read_volume(study.raw / images.loc[case, "path"], images.loc[case, "format"]), RIGHT_KNEE)
    folder = tmp_path / "new"
    folder.mkdir()
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(volume.array), np.diag([*volume.spacing, 1.0])), folder / "a.nii.gz")
    predicted, excluded = applied(study, folder, tmp_path, 1, side="R")
    assert len(predicted) == 0
    assert excluded["reason"].tolist() == ["bad-affine"]
    predicted, excluded = applied(study, folder, tmp_path, 1, side="R", orientation="RIP")
    assert len(excluded) == 0
    both = predicted.merge(expected[expected["case_id"] == case], on=["level", "head"], suffixes=("", "_study"), validate="one_to_one")
    assert len(both) == len(predicted) > 0
    np.testing.assert_allclose(np.concatenate(both["probabilities"]), np.concatenate(both["probabilities_study"]), rtol=0, atol=1e-4)
    with pytest.raises(KneeoaError, match="one capital letter of each pair"):
        applied(study, folder, tmp_path, 1, side="R", orientation="RIX")


def test_runs_with_a_plugin_are_applied_as_any_other(plugged, table, tmp_path):
    predicted, _ = applied(plugged, table, tmp_path, PLUGGED)
    compare(predicted, plugged.predictions(PLUGGED))
    assert set(zip(predicted["level"], predicted["head"], strict=True)) == {("oa", "oa"), ("kl", "kl"), ("oa", "kl")}
    ask(plugged, PLUGGED, "flipped", flips=(0, 2))
    flipped, _ = applied(plugged, table, tmp_path, PLUGGED, flips=("left_right", "anterior_posterior"))
    compare(flipped, plugged.predictions(PLUGGED, "flipped"))


@pytest.mark.parametrize("how", ["mean", "weighted"])
def test_ensembles_of_runs_with_and_without_a_plugin_are_the_studys(plugged, table, tmp_path, how):
    members = [plugged.run(seed) / "predictions.parquet" for seed in (1, PLUGGED)]
    file = tmp_path / "ensemble.weights.json"
    ensemble(name="both", members=members, levels=LEVELS, how=how, out=tmp_path / "ensemble.parquet", out_weights=file)
    predicted, _ = applied(plugged, table, tmp_path, 1, PLUGGED, how=how, weights=file if how == "weighted" else None)
    compare(predicted, PREDICTIONS.read(tmp_path / "ensemble.parquet"))
    assert predicted["members"].iloc[0].tolist() == ["dual/seed-1", f"dual/seed-{PLUGGED}"]

from __future__ import annotations

import numpy as np
import pytest
import torch

from kneeoa.errors import KneeoaError
from kneeoa.inference.predict import predict
from kneeoa.network.model import build, load, save
from kneeoa.tables.embeddings import embeddings
from kneeoa.tables.predictions import PREDICTIONS
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import DUAL, KL, LEVELS, OA, SINGLE_KL, SINGLE_OA


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"), levels=("kl",), unread=1)


def run(folder, files, mode=DUAL, **changes):
    """Predict with a network of fresh weights; returns both tables."""
    torch.manual_seed(0)
    spec = tiny_study.spec(mode)
    save(build(spec), spec, folder)
    out = {"out_predictions": folder / "predictions.parquet", "out_embeddings": folder / "embeddings.parquet"}
    arguments = {"study": "tiny", "arm": "resnet3d", "seed": 3, "run": folder, **files.arguments(), "levels": LEVELS}
    predict(**{**arguments, "batch": 8, "threads": 1, **out, **changes})
    return PREDICTIONS.read(out["out_predictions"]), embeddings(32).read(out["out_embeddings"])


@pytest.fixture(scope="module")
def dual(files, tmp_path_factory):
    return run(tmp_path_factory.mktemp("dual"), files)


def of(table, level, head):
    return table[(table["level"] == level) & (table["head"] == head)].reset_index(drop=True)


def test_every_case_of_every_split_has_own_and_derived_rows(dual):
    table, spoken = dual
    assert len(table) == 40 * 3
    assert set(table["split"]) == {"train", "val", "test"}
    assert set(zip(table["level"], table["head"], strict=True)) == {("oa", "oa"), ("kl", "kl"), ("oa", "kl")}
    key = ["cohort", "case_id", "level", "head"]
    assert table[key].equals(table[key].sort_values(key, ignore_index=True))
    assert len(spoken) == 40
    assert (table["seed"] == 3).all()
    assert table["members"].isna().all()
    assert not table["calibrated"].any()


def test_derived_probabilities_are_the_sums_of_the_fine_heads(dual):
    table, _ = dual
    fine, coarse = np.stack(of(table, "kl", "kl")["probabilities"]), np.stack(of(table, "oa", "kl")["probabilities"])
    assert np.allclose(coarse, np.stack([fine[:, :2].sum(axis=1), fine[:, 2:].sum(axis=1)], axis=1), rtol=0, atol=1e-15)
    logits = np.stack(of(table, "oa", "kl")["logits"])
    assert np.allclose(coarse[:, 1], 1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), atol=1e-12)
    assert not np.allclose(coarse, np.stack(of(table, "oa", "oa")["probabilities"]))


def test_predictions_are_the_networks_in_evaluation_mode(dual, files, tmp_path):
    table, spoken = dual
    torch.manual_seed(0)
    spec = tiny_study.spec(DUAL)
    save(build(spec), spec, tmp_path)
    network, _ = load(tmp_path)
    image = torch.from_numpy(np.load(files.arrays[3])[4]).float()[None, None]  # south-1, row 4: the tenth case
    with torch.no_grad():
        output = network(image)
    row = of(table, "kl", "kl").query("cohort == 'south' and case_id == '1009-R-00m'").iloc[0]
    assert np.allclose(row["logits"], output.logits["kl"][0].double(), atol=1e-6)
    assert np.allclose(row["probabilities"], torch.softmax(output.logits["kl"][0].double(), 0), atol=1e-6)
    embedded = spoken.query("cohort == 'south' and case_id == '1009-R-00m'").iloc[0]["embedding"]
    assert np.allclose(embedded, output.embedding[0], atol=1e-6)


def test_truth_is_read_derived_or_null(dual):
    table, _ = dual
    fine, coarse = of(table, "kl", "kl"), of(table, "oa", "oa")
    first = fine.iloc[0]
    assert (first["cohort"], first["case_id"]) == ("north", "1000-R-00m")
    assert [value is None or np.isnan(value) for value in first["truth"]] == [True]  # unread: a null entry
    assert first["label_source"] == "none"
    assert fine.iloc[3]["truth"].tolist() == [3]
    assert fine.iloc[3]["label_source"] == "reader"
    assert coarse.iloc[3]["truth"].tolist() == [1]
    assert coarse.iloc[3]["label_source"] == "derived"


def test_a_single_logit_stays_one_and_becomes_two_probabilities(files, tmp_path):
    table, _ = run(tmp_path, files, SINGLE_OA)
    assert set(zip(table["level"], table["head"], strict=True)) == {("oa", "oa")}
    logits, probabilities = np.stack(table["logits"]), np.stack(table["probabilities"])
    assert logits.shape == (40, 1)
    assert np.allclose(probabilities[:, 1], 1 / (1 + np.exp(-logits[:, 0])), atol=1e-15)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-15)


def test_a_level_declared_after_training_is_derived_too(files, tmp_path):
    severe = OA.model_copy(update={"name": "severe"})
    levels = (severe, KL.model_copy(update={"parent": "severe", "parent_class": (0, 0, 0, 0, 1)}))
    table, _ = run(tmp_path, files, SINGLE_KL, levels=levels)
    fine, coarse = np.stack(of(table, "kl", "kl")["probabilities"]), np.stack(of(table, "severe", "kl")["probabilities"])
    assert np.allclose(coarse[:, 1], fine[:, 4], atol=1e-15)


def test_the_order_of_files_does_not_matter_and_bytes_repeat(files, tmp_path):
    run(tmp_path / "one", files)
    run(tmp_path / "two", files.reversed())
    for name in ("predictions.parquet", "embeddings.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_level_of_other_classes_is_refused(files, tmp_path):
    levels = (OA, KL.model_copy(update={"classes": ("0", "1", "2", "3"), "parent_class": (0, 0, 1, 1)}))
    with pytest.raises(KneeoaError, match="level 'kl'"):
        run(tmp_path, files, levels=levels)


def test_volumes_of_another_shape_are_refused(files, tmp_path):
    np.save(tmp_path / "other.npy", np.zeros((10, 8, 16, 24), dtype=np.float16))
    with pytest.raises(KneeoaError, match=r"other\.npy.*\(8, 16, 24\).*\(8, 16, 16\)"):
        run(tmp_path, files, arrays=[tmp_path / "other.npy", *files.arrays[1:]])


def test_an_output_that_is_not_finite_names_the_case(files, tmp_path):
    array = np.load(files.arrays[0])
    array[2] = np.inf
    np.save(tmp_path / "broken.npy", array)
    with pytest.raises(KneeoaError, match="1004-R-00m of cohort north"):
        run(tmp_path, files, arrays=[tmp_path / "broken.npy", *files.arrays[1:]])

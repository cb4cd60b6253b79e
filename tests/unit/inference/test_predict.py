from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy.special import softmax

from kneeoa.errors import KneeoaError
from kneeoa.inference.predict import predict
from kneeoa.network.model import build, load, save
from kneeoa.tables.runs import PREDICTIONS, embeddings
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
    out = {f"out_{name}": folder / f"{name}.parquet" for name in ("predictions", "embeddings")}
    out["out_temperature"] = folder / "temperature.json"
    arguments = {"study": "tiny", "arm": "resnet3d", "seed": 3, "run": folder, **files.arguments(), "levels": LEVELS}
    predict(**{**arguments, "batch": 8, "threads": 1, **out, **changes})
    return PREDICTIONS.read(out["out_predictions"]), embeddings(32).read(out["out_embeddings"])


@pytest.fixture(scope="module")
def dual(files, tmp_path_factory):
    return run(tmp_path_factory.mktemp("dual"), files)


def of(table, level, head):
    return table[(table["level"] == level) & (table["head"] == head)].reset_index(drop=True)


def test_every_case_of_every_split_has_own_and_derived_rows(dual):
    table, embedding_table = dual
    assert len(table) == 40 * 3
    assert set(table["split"]) == {"train", "val", "test"}
    assert set(zip(table["level"], table["head"], strict=True)) == {("oa", "oa"), ("kl", "kl"), ("oa", "kl")}
    key = ["cohort", "case_id", "level", "head"]
    assert table[key].equals(table[key].sort_values(key, ignore_index=True))
    assert len(embedding_table) == 40
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
    table, embedding_table = dual
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
    embedded = embedding_table.query("cohort == 'south' and case_id == '1009-R-00m'").iloc[0]["embedding"]
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


def test_a_single_logit_becomes_two_probabilities(files, tmp_path):
    table, _ = run(tmp_path, files, SINGLE_OA)
    assert set(zip(table["level"], table["head"], strict=True)) == {("oa", "oa")}
    logits, probabilities = np.stack(table["logits"]), np.stack(table["probabilities"])
    assert logits.shape == (40, 2)
    assert not logits[:, 0].any()
    assert np.allclose(probabilities[:, 1], 1 / (1 + np.exp(-logits[:, 1])), atol=1e-15)
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


def test_temperatures_are_written_in_any_case_and_applied_where_asked(files, tmp_path, monkeypatch):
    given = {"oa": {"temperature": None, "reason": "a reason"}, "kl": {"temperature": 3.0, "reason": None}}
    monkeypatch.setattr("kneeoa.inference.predict.fit_temperatures", lambda *arguments: given)
    plain, scaled = (run(tmp_path / str(asked), files, temperature=asked)[0] for asked in (False, True))
    for asked in ("False", "True"):
        assert json.loads((tmp_path / asked / "temperature.json").read_text())["heads"] == given
    assert not plain["calibrated"].any()
    assert scaled.groupby("head")["calibrated"].all().to_dict() == {"oa": False, "kl": True}
    fine, coarse = np.stack(of(scaled, "kl", "kl")["probabilities"]), np.stack(of(scaled, "oa", "kl")["probabilities"])
    assert np.allclose(fine, softmax(np.stack(of(plain, "kl", "kl")["logits"]) / 3.0, axis=1), atol=1e-15)
    assert np.allclose(coarse[:, 1], fine[:, 2:].sum(axis=1), atol=1e-15)
    assert np.array_equal(np.stack(of(scaled, "oa", "oa")["probabilities"]), np.stack(of(plain, "oa", "oa")["probabilities"]))
    assert np.array_equal(np.concatenate(scaled["logits"]), np.concatenate(plain["logits"]))


def test_flips_average_the_logits_of_the_mirror_images_and_leave_embeddings_alone(dual, files, tmp_path):
    plain, embedding_table = dual
    mirrored = [tmp_path / path.name for path in files.arrays]
    for source, target in zip(files.arrays, mirrored, strict=True):
        np.save(target, np.load(source)[:, :, :, ::-1])
    other, _ = run(tmp_path / "mirrored", files, arrays=mirrored)
    both, embedded = run(tmp_path / "both", files, flips=(2,))
    for level, head in (("oa", "oa"), ("kl", "kl")):
        parts = [np.stack(of(table, level, head)["logits"]) for table in (plain, other, both)]
        assert np.allclose((parts[0] + parts[1]) / 2, parts[2], atol=1e-6)
        assert not np.allclose(parts[0], parts[2], atol=1e-4)
        assert np.allclose(np.stack(of(both, level, head)["probabilities"]), softmax(parts[2], axis=1), atol=1e-15)
    assert np.array_equal(np.stack(embedded["embedding"]), np.stack(embedding_table["embedding"]))

"""Runs with a plug-in on tiny volumes: they train, resume, predict, say what each part predicts,
and are explained and applied as any other run is.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from kneeoa.config.analysis import Saliency
from kneeoa.config.modes import Mode
from kneeoa.config.training import Augmentation
from kneeoa.errors import KneeoaError
from kneeoa.inference.part_predictions import predict_parts
from kneeoa.inference.predict import predict
from kneeoa.network.model import ModelSpec, build, load, read_spec, save
from kneeoa.network.spec import ModelSpec as Spec
from kneeoa.saliency.cases import explained_score
from kneeoa.saliency.explain import SaliencyRun, explain_run
from kneeoa.saliency.methods.interface import Target
from kneeoa.tables.part_predictions import PART_PREDICTIONS
from kneeoa.tables.runs import HISTORY, PREDICTIONS, embeddings
from kneeoa.tables.saliency import SALIENCY
from kneeoa.training.run import train
from tests.unit.plugins import published_form
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import DUAL, LEVELS, SHAPE, SINGLE_KL, SINGLE_OA, TRAINING, job

PIM = {"kind": "pim", "width": 8, "select": [24, 8, 8, 8]}
STACKED = Mode(kind="dual_stacked", levels=("oa", "kl"))
CORN = Mode(kind="dual", levels=("oa", "kl"), losses={"kl": "corn"})
SHORT = TRAINING.model_copy(update={"epochs": 8, "augmentation": Augmentation(), "learning_rate": 1e-2})


def spec(mode: Mode) -> ModelSpec:
    return tiny_study.spec(mode).model_copy(update={"plugin": PIM})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"), splits=("train", "train", "val", "test"), unread=1)


@pytest.fixture(scope="module")
def dual(files, tmp_path_factory):
    """A trained run and its predictions, embeddings and temperature."""
    folder = tmp_path_factory.mktemp("dual")
    train(**job(files, folder, spec=spec(DUAL), training=SHORT))
    predicted(files, folder)
    return folder


def predicted(files, folder):
    predict(
        study="tiny", arm="a", seed=1, run=folder, **files.arguments(), levels=LEVELS, batch=8, threads=1,
        out_predictions=folder / "p.parquet", out_embeddings=folder / "e.parquet", out_temperature=folder / "temperature.json",
    )  # fmt: skip
    return PREDICTIONS.read(folder / "p.parquet")


def parts(files, folder):
    predict_parts(
        study="tiny", arm="a", seed=1, run=folder, **files.arguments(), levels=LEVELS, batch=5, threads=1, out=folder / "parts.parquet"
    )
    return PART_PREDICTIONS.read(folder / "parts.parquet")


def test_a_run_learns(dual):
    history = HISTORY.read(dual / "history.parquet")
    total = history[(history["split"] == "train") & (history["level"] == "total") & (history["measure"] == "loss")]["value"].to_list()
    assert total[-1] < 0.8 * total[0]
    assert set(history["level"]) == {"oa", "kl", "total"}


def test_predictions_are_the_mean_of_the_parts_and_logits_their_logarithm(files, dual):
    rows = PREDICTIONS.read(dual / "p.parquet")
    assert set(zip(rows["level"], rows["head"], strict=True)) == {("oa", "oa"), ("kl", "kl"), ("oa", "kl")}
    by_part = parts(files, dual)
    assert set(by_part["part"]) == {"map-1", "map-2", "map-3", "map-4", "combiner"}
    for level in ("oa", "kl"):
        whole = rows[(rows["level"] == level) & (rows["head"] == level)].set_index(["cohort", "case_id"])
        for case, each in by_part[by_part["level"] == level].groupby(["cohort", "case_id"]):
            assert len(each) == 5
            assert np.mean(each["probabilities"].to_list(), axis=0) == pytest.approx(whole.loc[case, "probabilities"], abs=1e-6)
            assert np.log(whole.loc[case, "probabilities"]) == pytest.approx(whole.loc[case, "logits"], abs=1e-9)
            for one in each["truth"]:  # a label that nobody read is no number
                np.testing.assert_equal(np.asarray(one, dtype=float), np.asarray(whole.loc[case, "truth"], dtype=float))


def test_the_embedding_is_the_combiners(dual):
    table = embeddings(2 * PIM["width"]).read(dual / "e.parquet")
    assert np.isfinite(np.stack(table["embedding"].to_list())).all()


@pytest.mark.parametrize("mode", [SINGLE_OA, SINGLE_KL, STACKED, CORN], ids=["oa", "kl", "stacked", "corn"])
def test_every_kind_of_mode_trains_and_predicts(files, tmp_path, mode):
    train(**job(files, tmp_path, spec=spec(mode), training=SHORT.model_copy(update={"epochs": 1})))
    rows = predicted(files, tmp_path)
    probabilities = rows["probabilities"].map(sum)
    assert probabilities.to_list() == pytest.approx([1.0] * len(rows))
    assert len(parts(files, tmp_path)) == 5 * len(mode.levels) * rows["case_id"].nunique() * rows["cohort"].nunique()


def test_micro_batches_and_balanced_classes_train(files, tmp_path):
    changes = {"epochs": 1, "micro_batch": 1, "class_weights": "balanced"}
    train(**job(files, tmp_path, spec=spec(CORN), training=SHORT.model_copy(update=changes)))
    losses = HISTORY.read(tmp_path / "history.parquet")["value"]
    assert np.isfinite(losses).all()


def test_equal_runs_are_equal_bytes(files, dual, tmp_path):
    train(**job(files, tmp_path, spec=spec(DUAL), training=SHORT))
    assert (tmp_path / "weights.safetensors").read_bytes() == (dual / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("method", ["smoothgrad_input", "grad_cam", "occlusion"])
def test_a_run_is_explained(files, dual, tmp_path, method):
    run = SaliencyRun(study="tiny", arm="a", seed=1, view="sag", method=method, target="oa", saliency=Saliency(samples=2, cube=8), batch=4)
    explain_run(run=run, folder=dual, **files.arguments(), threads=1, out_maps=tmp_path / "m.npy", out_index=tmp_path / "m.parquet")
    maps = np.load(tmp_path / "m.npy")
    assert len(SALIENCY.read(tmp_path / "m.parquet")) == len(maps) > 0
    assert maps.any(axis=tuple(range(1, maps.ndim))).all()


def test_the_explained_score_of_a_grade_is_the_logarithm_of_its_mean_probability(dual):
    network, _ = load(dual)
    images = torch.randn(3, 1, *SHAPE, generator=torch.Generator().manual_seed(2))
    score = explained_score("kl", network)
    grades = torch.tensor([0, 2, 4])
    values = Target(network, score.level.name, score.head, grades)(images)
    probabilities = network.probabilities(network(images).logits)["kl", "kl"]
    torch.testing.assert_close(values.double(), probabilities[torch.arange(3), grades].log(), rtol=1e-5, atol=1e-5)
    binary = network.target_score(network(images), "oa", "oa").double()
    torch.testing.assert_close(binary, network.probabilities(network(images).logits)["oa", "oa"][:, 1].logit(), rtol=1e-4, atol=1e-4)


def test_a_description_says_the_plugin_and_one_without_is_as_it_was(dual):
    assert read_spec(dual).plugin == PIM
    assert "plugin" not in tiny_study.spec(DUAL).to_json()
    assert Spec.from_json(spec(DUAL).to_json()) == spec(DUAL)


def test_weights_are_the_same_after_a_file(tmp_path):
    torch.manual_seed(0)
    network = build(spec(DUAL)).eval()
    save(network, spec(DUAL), tmp_path)
    other, _ = load(tmp_path)
    images = torch.randn(2, 1, *SHAPE)
    assert torch.equal(network(images).embedding, other(images).embedding)


def test_a_run_with_a_plugin_gives_its_backbone_to_another(dual):
    torch.manual_seed(3)
    plain = build(tiny_study.spec(DUAL))
    loaded = plain.backbone.load_pretrained(dual / "weights.safetensors")
    assert any(name.startswith("heads.pyramid") for name in loaded.left_out)


def test_a_run_begins_from_a_file_of_the_published_layout(files, tmp_path):
    torch.manual_seed(4)
    fresh = build(spec(SINGLE_KL))
    given = enumerate(zip(fresh.heads.maps.widths, fresh.heads.maps.sizes, strict=True), start=1)
    maps = {f"layer{number}": torch.zeros(1, width, *size) for number, (width, size) in given}
    weights = published_form.random_weights(maps, PIM["width"], 5, PIM["select"])
    torch.save({"model": {**weights, "backbone.conv1.weight": torch.zeros(3)}}, tmp_path / "pim.pth")
    plugin = {**PIM, "pretrained": {"file": str(tmp_path / "pim.pth"), "shape": SHAPE}}
    begun = spec(SINGLE_KL).model_copy(update={"plugin": plugin})
    still = SHORT.model_copy(update={"epochs": 1, "learning_rate": 1e-12, "weight_decay": 0.0})
    train(**job(files, tmp_path / "run", spec=begun, training=still))
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["provenance"]["pretrained_plugin"]["left_out"] == ["conv1.weight"]
    network, _ = load(tmp_path / "run")
    torch.testing.assert_close(network.heads.selections["kl"].combiner.gather.weight, weights["combiner.param_pool0.weight"])


def test_a_plain_run_has_no_parts(files, tmp_path):
    torch.manual_seed(0)
    save(build(tiny_study.spec(DUAL)), tiny_study.spec(DUAL), tmp_path)
    with pytest.raises(KneeoaError, match="has no plug-in, so it has no parts"):
        parts(files, tmp_path)


def test_a_plugin_that_does_not_fit_is_refused_with_the_numbers():
    wrong = tiny_study.spec(DUAL).model_copy(update={"plugin": {**PIM, "select": [24, 8, 8, 9999]}})
    with pytest.raises(KneeoaError, match="takes 9999 locations of map 4, which has"):
        build(wrong)
    wrong = tiny_study.spec(DUAL).model_copy(update={"plugin": {"kind": "pom"}})
    with pytest.raises(KneeoaError, match="'kind' is 'pom', which is not a plug-in; allowed are pim"):
        build(wrong)

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from kneeoa.config.analysis import Saliency
from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.errors import KneeoaError
from kneeoa.network.model import ModelSpec, build, load, save
from kneeoa.saliency.cases import explained_cases, head_of_level
from kneeoa.saliency.explain import SaliencyRun, explain_run
from kneeoa.saliency.storage import area_mean, unpack
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.saliency import SALIENCY
from kneeoa.tables.shards import VOLUMES

SHAPE = (10, 16, 16)
LEVELS = (
    Level(name="oa", kind="binary", classes=("no", "yes")),
    Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1)),
)


def train_one(folder: Path, mode: Mode, levels: tuple[Level, ...] = LEVELS) -> Path:
    spec = ModelSpec(backbone="resnet3d", options={"width": 4}, dimensions=3, shape=SHAPE, mode=mode, levels=levels)
    torch.manual_seed(0)
    network = build(spec)
    save(network, spec, folder)
    return folder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Two shards (one empty) of a cohort and one of another, with five test cases in all."""
    folder = tmp_path_factory.mktemp("inputs")
    generator = np.random.default_rng(0)
    paths: dict[str, list[Path]] = {"arrays": [], "indices": [], "splits": []}
    for cohort, shards in {"made": [6, 0], "other": [2]}.items():
        split = []
        for shard, number in enumerate(shards):
            array, index = folder / f"{cohort}-{shard}.npy", folder / f"{cohort}-{shard}.parquet"
            np.save(array, generator.normal(size=(number, *SHAPE)).astype(np.float16))
            rows = [
                {
                    "cohort": cohort,
                    "case_id": f"c{row}",
                    "view": "sag",
                    "shard": shard,
                    "row": row,
                    "digest": "",
                    "source_digest": "",
                    "source_shape": [1],
                    "source_spacing": [1.0],
                    "source_centre": [0.0],
                    "affine": [0.0] * 16,
                    "mirrored": False,
                    "low": 0.0,
                    "high": 1.0,
                    "mean": 0.0,
                    "sd": 1.0,
                    **dict.fromkeys(("joint_row", "joint_column", "joint_fit", "negative")),
                }
                for row in range(number)
            ]
            VOLUMES.write(index, rows)
            paths["arrays"].append(array)
            paths["indices"].append(index)
            split += [
                {
                    "cohort": cohort,
                    "case_id": row["case_id"],
                    "subject": row["case_id"],
                    "side": "R",
                    "visit": "00m",
                    "split": "test" if cohort == "other" or int(str(row["row"])) >= 3 else "train",
                }
                for row in rows
            ]
        paths["splits"].append(folder / f"{cohort}.parquet")
        SPLITS.write(paths["splits"][-1], split)
    return paths


def explain(out: Path, run: Path, inputs: dict[str, list[Path]], **options: Any) -> tuple[np.ndarray, pd.DataFrame]:
    out.mkdir(parents=True, exist_ok=True)
    settings = {"study": "s", "arm": "a", "seed": 1, "view": "sag", "target": "oa", "batch": 2} | options
    settings = {"saliency": Saliency(samples=2), "method": "smoothgrad_input"} | settings
    labels = settings.pop("labels", [])
    files = {"out_maps": out / "maps.npy", "out_index": out / "maps.parquet"}
    explain_run(run=SaliencyRun(**settings), folder=run, **inputs, labels=labels, threads=1, **files)
    return np.load(out / "maps.npy"), SALIENCY.read(out / "maps.parquet")


@pytest.fixture(scope="module")
def single_kl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_one(tmp_path_factory.mktemp("run"), Mode(kind="single", levels=("kl",)))


def test_every_test_case_gets_a_small_map(tmp_path: Path, single_kl: Path, inputs: dict[str, list[Path]]) -> None:
    maps, index = explain(tmp_path, single_kl, inputs)
    assert maps.shape == (5, 2, 3, 4, 4)
    assert maps.dtype == np.float16
    assert (index["cohort"] + " " + index["case_id"]).tolist() == ["made c3", "made c4", "made c5", "other c0", "other c1"]
    assert index["row"].tolist() == [0, 1, 2, 3, 4]
    assert set(index["target"]) == {"oa<-kl"}
    assert (maps >= 0).all()
    assert maps.reshape(5, -1).any(axis=1).all()


def test_the_map_is_gradient_times_input_of_the_log_odds(tmp_path: Path, single_kl: Path, inputs: dict[str, list[Path]]) -> None:
    """With almost no noise: by hand, from the derived logit of p(KL >= 2)."""
    maps, index = explain(tmp_path, single_kl, inputs, saliency=Saliency(samples=1, noise=1e-6))
    network, _ = load(single_kl)
    image = torch.from_numpy(np.load(inputs["arrays"][0])[3:4, None].astype(np.float32)).requires_grad_(True)
    p = torch.softmax(network(image).logits["kl"].double(), dim=1)[:, 2:].sum()
    score = torch.log(p) - torch.log1p(-p)
    score.backward()
    assert image.grad is not None
    by_hand = area_mean((image.grad * image).detach().clamp(min=0).numpy()[0, 0], (3, 4, 4))
    against = area_mean((image.grad * image).detach().clamp(max=0).abs().numpy()[0, 0], (3, 4, 4))
    assert index["score"][0] == pytest.approx(score.item(), rel=1e-4)
    np.testing.assert_allclose(unpack(maps[0], index["scale"][0]), [by_hand, against], rtol=2e-2, atol=by_hand.max() * 1e-3)


@pytest.mark.parametrize("target", ["kl.3", "oa.yes", "findings.narrowing"])
def test_a_class_or_finding_that_is_named_is_explained_in_every_case(
    tmp_path: Path, single_kl: Path, inputs: dict[str, list[Path]], target: str
) -> None:
    """With almost no noise: by hand, from its log-odds; no labels are read."""
    run, level = single_kl, target.partition(".")[0]
    if level == "findings":
        findings = Level(name="findings", kind="multilabel", classes=("osteophytes", "narrowing"))
        run = train_one(tmp_path / "run", Mode(kind="single", levels=("findings",)), (*LEVELS, findings))
    maps, index = explain(tmp_path, run, inputs, target=target, saliency=Saliency(samples=1, noise=1e-6))
    assert set(index["target"]) == {target if level != "oa" else "oa.yes<-kl"}
    assert len(index) == 5
    network, _ = load(run)
    image = torch.from_numpy(np.load(inputs["arrays"][0])[3:4, None].astype(np.float32)).requires_grad_(True)
    logits = network(image).logits
    if level == "findings":
        p = torch.sigmoid(logits["findings"].double())[:, 1].sum()
    else:
        p = torch.softmax(logits["kl"].double(), dim=1)[:, 3 if level == "kl" else slice(2, None)].sum()
    score = torch.log(p) - torch.log1p(-p)
    score.backward()
    assert image.grad is not None
    assert index["score"][0] == pytest.approx(score.item(), rel=1e-4)
    by_hand = area_mean((image.grad * image).detach().clamp(min=0).numpy()[0, 0], (3, 4, 4))
    np.testing.assert_allclose(unpack(maps[0], index["scale"][0])[0], by_hand, rtol=2e-2, atol=by_hand.max() * 1e-3)


def test_a_target_that_the_network_does_not_have_is_refused(tmp_path: Path, single_kl: Path, inputs: dict[str, list[Path]]) -> None:
    with pytest.raises(KneeoaError, match=r"'saliency\.target' names '5' of the level 'kl', which has 0, 1, 2, 3, 4"):
        explain(tmp_path, single_kl, inputs, target="kl.5")
    with pytest.raises(KneeoaError, match=r"'saliency\.target' names the level 'findings'; known are oa, kl"):
        explain(tmp_path, single_kl, inputs, target="findings.narrowing")


def test_the_noise_is_the_cases_own_whatever_the_batch(tmp_path: Path, single_kl: Path, inputs: dict[str, list[Path]]) -> None:
    one, index = explain(tmp_path / "one", single_kl, inputs, batch=1)
    all_, other = explain(tmp_path / "all", single_kl, inputs, batch=5)
    for row in range(5):
        maps_of_both = [unpack(maps[row], table["scale"][row]) for maps, table in ((one, index), (all_, other))]
        np.testing.assert_allclose(maps_of_both[0], maps_of_both[1], rtol=1e-2, atol=maps_of_both[0].max() * 2e-3)
    seeded, third = explain(tmp_path / "seed", single_kl, inputs, batch=1, seed=2)
    assert not np.array_equal(seeded, one)
    assert third["score"].tolist() == index["score"].tolist()


def test_same_bytes_again(tmp_path: Path, single_kl: Path, inputs: dict[str, list[Path]]) -> None:
    for name in ("a", "b"):
        explain(tmp_path / name, single_kl, inputs)
    for name in ("maps.npy", "maps.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_limit_takes_the_same_cases_for_every_run(tmp_path: Path, single_kl: Path, inputs: dict[str, list[Path]]) -> None:
    dual = train_one(tmp_path / "dual", Mode(kind="dual", levels=("oa", "kl")))
    few = Saliency(samples=1, cases=1)
    _, index = explain(tmp_path / "a", single_kl, inputs, saliency=few)
    maps, other = explain(tmp_path / "b", dual, inputs, saliency=few, seed=2)
    assert len(maps) == 2
    assert index["case_id"].tolist() == other["case_id"].tolist()
    assert set(other["target"]) == {"oa"}
    located = pd.DataFrame({"cohort": "m", "case_id": [f"c{i:02d}" for i in range(50)], "split": "test"})
    kept = explained_cases(located, 10)
    assert len(kept) == 10
    assert set(explained_cases(located.iloc[::-1], 5)["case_id"]) < set(kept["case_id"])
    assert kept["case_id"].tolist() == sorted(kept["case_id"])
    assert kept["case_id"].tolist() != located["case_id"].tolist()[:10]


def test_a_head_of_its_own_goes_first() -> None:
    assert head_of_level([("oa", "oa"), ("kl", "kl"), ("oa", "kl")], "oa") == "oa"
    assert head_of_level([("kl", "kl"), ("oa", "kl")], "oa") == "kl"
    with pytest.raises(KneeoaError, match="no head of this network predicts level 'kl'"):
        head_of_level([("oa", "oa")], "kl")


def test_a_diverged_run_is_one_sentence(tmp_path: Path, inputs: dict[str, list[Path]]) -> None:
    run = train_one(tmp_path / "run", Mode(kind="single", levels=("oa",)))
    network, spec = load(run)
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    save(network, spec, run)
    with pytest.raises(KneeoaError, match="map of case 'c3' is not finite"):
        explain(tmp_path, run, inputs)
    assert not (tmp_path / "maps.npy").exists()

"""Each recipe of docs/extending.md is carried out on a finished study, and a user's questions are
asked: is it accepted, what runs then, does the network learn, do the numbers come out, and is a
wrong name refused with what is allowed?
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from kneeoa.config.study import load
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.tables.cohort import CASES, IMAGES, LABELS
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.tables.statistics import CONTRASTS, METRICS
from tests.dag import ROOT, snakemake
from tests.recipes.page import PAGE, carried_out, code, configuration, recipes
from tests.rerun import test_table
from tests.rerun.plan import Job, Planner, jobs_of
from tests.rerun.row import SMALL
from tests.rerun.studies import finished
from tests.unit import kinds_of_level

KNOWN = {"KNEEOA_COPIED": "known"}  # as the finished study was marked


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    """A copy of the tree in which every job of the small study is marked as done."""
    planner, _ = finished(tmp_path_factory.mktemp("recipes") / "clone", (SMALL,))
    with planner:
        yield planner


def study(planner: Planner) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((planner.folder / SMALL).read_text())
    return config


def plan(planner: Planner, config: dict[str, Any]) -> list[Job]:
    """The jobs that the finished study still needs under this configuration."""
    (planner.folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return planner.plan("--configfile", "study.yaml")


def refusal(planner: Planner, config: dict[str, Any]) -> str:
    (planner.folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return planner.run("-n", "--configfile", "study.yaml", refused=True)


def python(tree: Path, script: str, **values: Any) -> Any:
    """Return what a script prints as JSON, run with the library of ``tree``; its ``given`` holds
    the values.
    """
    environment = os.environ | {"PYTHONPATH": str(tree / "workflow" / "lib"), "OMP_NUM_THREADS": "1"}
    text = f"import json\ngiven = json.loads({json.dumps(json.dumps(values))})\n{script}"
    run = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)


NETWORK = """
import torch
from kneeoa.network.model import build
from kneeoa.network.spec import ModelSpec

torch.manual_seed(0)
network = build(ModelSpec.from_json(given["spec"]))
images = torch.randn(4, 1, *given["spec"]["shape"])
labels = {level["name"]: torch.arange(4) % len(level["classes"]) for level in given["spec"]["levels"]}
optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
losses = []
for _ in range(4):
    loss = network.heads.loss(network(images).logits, labels)["total"]
    optimiser.zero_grad()
    loss.backward()
    assert all(parameter.grad is not None for parameter in network.heads.parameters())
    optimiser.step()
    losses.append(loss.item())
network.eval()
probabilities = network.probabilities(network(images).logits)
sums = {f"{level} {head}": values.sum(dim=1).tolist() for (level, head), values in probabilities.items()}
print(json.dumps({"losses": losses, "sums": sums}))
"""


def learn(planner: Planner, config: dict[str, Any], arm: dict[str, Any]) -> dict[str, Any]:
    """Build the network of an arm with the tree's library and take a few steps."""
    kind = config["backbones"][arm["backbone"]]
    mode = config["modes"][arm["mode"]]
    levels = [level for level in config["levels"] if level["name"] in mode["levels"]]
    spec = {"backbone": kind["kind"], "options": kind["options"], "dimensions": 3, "shape": [16, 16, 16], "mode": mode, "levels": levels}
    if "plugin" in arm:
        spec["plugin"] = config["plugins"][arm["plugin"]]
    result: dict[str, Any] = python(planner.folder, NETWORK, spec=spec)
    assert result["losses"][-1] < result["losses"][0]
    assert all(value == pytest.approx(1) for values in result["sums"].values() for value in values)
    return result


def of_runs(jobs: list[Job]) -> set[str]:
    """The arms whose own jobs a plan holds."""
    return {job.wildcards["arm"] for job in jobs if "arm" in job.wildcards}


def test_every_recipe_of_the_page_has_its_blocks() -> None:
    assert set(recipes()) >= {"backbone", "mode", "plug-in", "loss", "level", "cohort", "figure", "metric"}
    assert all(recipes()[name] for name in ("backbone", "mode", "plug-in", "loss", "level", "kind of level", "cohort", "metric"))


def test_the_page_counts_the_files_that_each_recipe_touches() -> None:
    table = re.findall(r"^\| ([a-z -]+) \| (\d) \| (\d) \|$", (ROOT / PAGE).read_text(encoding="utf-8"), re.M)
    files = {name: {block.file for block in code(name)} for name in recipes()}
    library = {name: sum(file.startswith("workflow/lib/") for file in touched) for name, touched in files.items()}
    assert {name: int(count) for name, count, _ in table} == {name: count for name, count in library.items() if name != "new file"}
    new = {name for name in files if any(not block.place for block in code(name))}
    assert {name: int(count) for name, _, count in table} == {name: library[name] + (name in new) for name, _, _ in table}


def test_a_backbone(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    with carried_out("backbone", planner.folder):
        config = configuration("backbone", study(planner))
        jobs = plan(planner, config)
        assert of_runs(jobs) == {"mine-single-oa", "mine-single-kl", "mine-dual"}
        assert sum(job.rule == "train_run" for job in jobs) == 3 * len(config["seeds"])
        assert {"oa oa", "oa kl", "kl kl"} == set(learn(planner, config, {"backbone": "mine", "mode": "dual"})["sums"])
        config["backbones"]["mine"]["kind"] = "plane"
        assert "'backbones.mine': 'kind' is 'plane', which is not a backbone; allowed are convnext, " in refusal(planner, config)
        config["backbones"]["mine"] = {"kind": "plain", "options": {"widht": 16}}
        assert "did you mean 'width'?" in refusal(planner, config)
        asks_for_a_row(planner, monkeypatch, test_table.test_every_backbone_has_a_row, "plain")


def test_a_mode(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    with carried_out("mode", planner.folder):
        config = configuration("mode", study(planner))
        assert of_runs(plan(planner, config)) == {"resnet3d-gated"}
        learn(planner, config, {"backbone": "resnet3d", "mode": "gated"})
        config["modes"]["gated"]["kind"] = "gatd"
        allowed = "'dual', 'dual_stacked', 'gated' or 'single'"
        assert f"'modes.gated.kind' is 'gatd'; allowed are {allowed}" in refusal(planner, config)
        config["modes"]["gated"] = {"kind": "gated", "levels": ["oa"]}
        assert "a gated mode takes at least two levels, not ['oa']" in refusal(planner, config)
        asks_for_a_row(planner, monkeypatch, test_table.test_every_member_of_a_registry_has_a_row, "gated", "heads")


def test_a_plugin(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    with carried_out("plug-in", planner.folder):
        config = configuration("plug-in", study(planner))
        jobs = plan(planner, config)
        assert of_runs(jobs) == {"resnet3d-dual-pooled"}
        assert {"train_run", "predict", "predict_parts"} <= {job.rule for job in jobs}
        learn(planner, config, {"backbone": "resnet3d", "mode": "dual", "plugin": "pooled"})
        config["plugins"]["pooled"]["kind"] = "poled"
        assert "'kind' is 'poled', which is not a plug-in; allowed are pim, pooled" in refusal(planner, config)
        config["plugins"]["pooled"] = {"kind": "pooled", "widht": 16}
        assert "did you mean 'width'?" in refusal(planner, config)
        config["plugins"]["pooled"] = {"kind": "pooled"}
        config["modes"]["dual"]["kind"] = "dual_stacked"
        assert "are stacked, but a plug-in 'pooled' takes parallel ones" in refusal(planner, config)
        asks_for_a_row(planner, monkeypatch, test_table.test_every_plugin_has_a_row, "pooled")


def test_a_loss(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    with carried_out("loss", planner.folder):
        config = configuration("loss", study(planner))
        assert of_runs(plan(planner, config)) == {"resnet3d-focal"}
        learn(planner, config, {"backbone": "resnet3d", "mode": "focal"})
        config["modes"]["focal"]["losses"] = {"kl": "fokal"}
        allowed = "'bce', 'coral', 'corn', 'cross_entropy' or 'focal'"
        assert f"'modes.focal.losses.kl' is 'fokal'; allowed are {allowed}" in refusal(planner, config)
        config["levels"].append({"name": "findings", "kind": "multilabel", "classes": ["osteophytes", "narrowing"]})
        config["modes"]["focal"] = {"kind": "single", "levels": ["findings"], "losses": {"findings": "focal"}}
        assert "'losses.findings' is 'focal', but level 'findings' is multilabel, which takes bce" in refusal(planner, config)
        asks_for_a_row(planner, monkeypatch, test_table.test_every_member_of_a_registry_has_a_row, "focal", "heads/losses")


def test_a_level(planner: Planner) -> None:
    config = configuration("level", study(planner))
    assert [level["name"] for level in config["levels"]] == ["oa", "stage", "kl"]
    jobs = plan(planner, config)
    assert "resnet3d-three" in of_runs(jobs)
    assert {job.wildcards["arm"] for job in jobs if job.rule == "train_run"} == of_runs(jobs)
    sums = learn(planner, config, {"backbone": "resnet3d", "mode": "three"})["sums"]
    assert set(sums) == {"oa oa", "oa stage", "oa kl", "stage stage", "stage kl", "kl kl"}
    config["modes"]["three"]["levels"] = ["oa", "stages", "kl"]
    assert "'modes.three.levels' names 'stages'; known are oa, stage, kl" in refusal(planner, config)


REPORTED = """
from pathlib import Path
from tests.unit.finished_imports import Finished

finished = Finished(given["config"], Path(given["folder"]))
assert "Dual reached" in finished.report
predictions = [str(finished.path(name)) for name in finished.layout.predictions()]
metrics = str(finished.result("statistics/metrics.parquet"))
print(json.dumps({"figures": finished.layout.figures(), "predictions": predictions, "metrics": metrics}))
"""


@pytest.mark.slow
def test_a_kind_of_level(planner: Planner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["patient,file,knee,grade,spurs", "A1,a1.nii.gz,R,3,2", "B2,b2.nii.gz,L,0,0", "C3,c3.nii.gz,L,4,"]
    (tmp_path / "knees.csv").write_text("\n".join(lines) + "\n")
    for line in lines[1:]:
        (tmp_path / line.split(",")[1]).touch()
    with carried_out("kind of level", planner.folder):
        assert plan(planner, study(planner)) == [], "a study without a level of the kind runs nothing anew"
        config = configuration("kind of level", study(planner))
        config["cohorts"]["counted"]["root"] = str(tmp_path)
        assert "resnet3d-counting" in of_runs(plan(planner, config))
        assert set(learn(planner, config, {"backbone": "resnet3d", "mode": "counting"})["sums"]) == {"spurs spurs"}
        _, labels = made(planner, "counted")
        spurs = labels[labels["level"] == "spurs"].set_index("case_id")["value"].map(list).to_dict()
        assert spurs == {"A1-R-00m": [2], "B2-L-00m": [0]}
        imported = kinds_of_level.study(tmp_path, [kinds_of_level.ORDINAL | {"kind": "count"}])
        shown: dict[str, Any] = python(planner.folder, REPORTED, config=imported, folder=str(tmp_path))
        assert {"confusion", "roc_by_class", "reliability_by_class", "forest", "claim"} == set(shown["figures"])
        ordinal = load(imported | {"levels": [kinds_of_level.ORDINAL]})
        build_metrics([Path(file) for file in shown["predictions"]], ordinal.levels, ordinal.statistics, tmp_path / "ordinal.parquet")
        pd.testing.assert_frame_equal(METRICS.read(Path(shown["metrics"])), METRICS.read(tmp_path / "ordinal.parquet"))
        config["levels"][0]["kind"] = "counts"
        allowed = "'binary', 'count', 'multiclass', 'multilabel' or 'ordinal'"
        assert f"'levels[0].kind' is 'counts'; allowed are {allowed}" in refusal(planner, config)
        asks_for_a_row(planner, monkeypatch, test_table.test_every_kind_of_level_has_a_row, "count")


def test_a_cohort_by_a_column_map(planner: Planner, tmp_path: Path) -> None:
    lines = ["patient,file,knee,grade", "A1,a1_right.nii.gz,R,3", "A1,a1_left.nii.gz,L,0", "B2,b2_left.nii.gz,L,4"]
    (tmp_path / "knees.csv").write_text("\n".join(lines) + "\n")
    for line in lines[1:]:
        (tmp_path / line.split(",")[1]).touch()
    config = configuration("cohort", study(planner))
    del config["cohorts"]["archive"]
    assert read(planner, config, "clinic", tmp_path) == {"A1-R-00m": 3, "A1-L-00m": 0, "B2-L-00m": 4}


def test_a_cohort_of_a_layout_of_its_own(planner: Planner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("A1_R_3.nii.gz", "A1_L_0.nii.gz", "B2_L_4.nii", "notes.txt"):
        (tmp_path / name).touch()
    with carried_out("cohort", planner.folder):
        config = configuration("cohort", study(planner))
        del config["cohorts"]["clinic"]
        assert read(planner, config, "archive", tmp_path) == {"A1-R-00m": 3, "A1-L-00m": 0, "B2-L-00m": 4}
        images = IMAGES.read(planner.folder / "results" / "small" / "cohorts" / "archive" / "images.parquet")
        assert set(images["path"]) == {"A1_R_3.nii.gz", "A1_L_0.nii.gz", "B2_L_4.nii"}
        config["cohorts"]["archive"]["reader"] = "graded_name"
        assert "'cohorts.archive.reader' names 'graded_name'; known are graded_names, grades_folder, " in refusal(planner, config)
        asks_for_a_row(planner, monkeypatch, test_table.test_every_member_of_a_registry_has_a_row, "graded_names", "cohorts")


def read(planner: Planner, config: dict[str, Any], cohort: str, root: Path) -> dict[str, int]:
    """Read a cohort by the workflow itself, and no other anew; its knees and their grades."""
    config["cohorts"][cohort]["root"] = str(root)
    jobs = plan(planner, config)
    assert {job.wildcards["cohort"] for job in jobs if job.rule == "read_cohort"} == {cohort}
    cases, labels = made(planner, cohort)
    grades = labels[labels["level"] == "kl"].set_index("case_id")
    return {str(case): int(grades.loc[case, "value"][0]) for case in cases["case_id"]}


def made(planner: Planner, cohort: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """CASES and LABELS of a cohort of the last study that was planned, made by the workflow."""
    folder = f"results/small/cohorts/{cohort}"
    run = snakemake(planner.folder, f"{folder}/cases.parquet", "--cores", "1", "--configfile", "study.yaml", environment=KNOWN)
    assert run.returncode == 0, run.stdout + run.stderr
    return CASES.read(planner.folder / folder / "cases.parquet"), LABELS.read(planner.folder / folder / "labels.parquet")


BUILD = """
from pathlib import Path
from kneeoa.config.study import load
from kneeoa.contrasts.build import build_contrasts
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.errors import KneeoaError
from kneeoa.presentation.display_names import LOWER_IS_BETTER, display_name

study = load(given["config"])
files, folder = [Path(file) for file in given["files"]], Path(given["folder"])
arms = {"resnet3d-dual": {"backbone": "resnet3d", "mode": "dual"}, "resnet3d-single-kl": {"backbone": "resnet3d", "mode": "single_kl"}}
chosen = study.statistics.model_copy(update={"contrasts": study.statistics.contrasts[-1:], "families": (), "primary": None})
build_metrics(files, study.levels, chosen, folder / "metrics.parquet")
build_contrasts(files, arms, study.levels, chosen, folder / "contrasts.parquet")
try:
    load(given["wrong"])
except KneeoaError as error:
    refusal = str(error)
print(json.dumps({"printed": display_name("gross_error"), "lower_is_better": "gross_error" in LOWER_IS_BETTER, "refusal": refusal}))
"""


def predictions(arm: str, seed: int) -> pd.DataFrame:
    """A run's graded predictions: two knees of each of thirty people."""
    grades = np.arange(60) % 5
    random = np.random.default_rng([seed, len(arm)])
    probabilities = random.dirichlet(np.ones(5), size=60) + 0.5 * np.eye(5)[grades]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    shared = {"study": "small", "arm": arm, "seed": seed, "members": None, "cohort": "phantom", "split": "test", "side": None}
    shared |= {"visit": "00m", "level": "kl", "head": "kl", "logits": None, "label_source": "reader", "calibrated": False}
    values = probabilities.tolist()
    rows = [
        shared | {"case_id": f"c{i:02d}", "subject": f"p{i // 2:02d}", "truth": [int(grades[i])], "probabilities": values[i]}
        for i in range(60)
    ]
    return pd.DataFrame(rows)


def test_a_metric(planner: Planner, tmp_path: Path) -> None:
    frames = [predictions(arm, seed) for arm in ("resnet3d-dual", "resnet3d-single-kl") for seed in (1, 2, 3)]
    files = [tmp_path / f"{place}.parquet" for place in range(len(frames))]
    for file, frame in zip(files, frames, strict=True):
        PREDICTIONS.write(file, frame)
    with carried_out("metric", planner.folder):
        config = configuration("metric", study(planner))
        (planner.folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        # Not by the planner, whose process has read the table of metrics as it was.
        run = snakemake(planner.folder, "-n", "--cores", "1", "--configfile", "study.yaml", environment=KNOWN)
        assert run.returncode == 0, run.stdout + run.stderr
        rules = {job.rule for job in jobs_of(run.stdout + run.stderr)}
        assert {"metrics", "contrasts"} <= rules
        assert not {"read_cohort", "train_run", "predict"} & rules, run.stdout + run.stderr
        wrong = copy.deepcopy(config)
        wrong["statistics"]["contrasts"][-1] |= {"tests": {"gros_error": ["delta"]}, "margin": None}
        files_as_text = [str(file) for file in files]
        words = python(planner.folder, BUILD, config=config, wrong=wrong, files=files_as_text, folder=str(tmp_path))
        assert words["printed"] == "two or more grades off"
        assert words["lower_is_better"]
        refused = "'statistics.contrasts[2].tests.gros_error' is 'gros_error'; allowed are 'auc', 'accuracy', "
        assert refused in words["refusal"]
        assert "or 'gross_error'" in words["refusal"]
    expected = [share_two_off(frame) for frame in frames]
    table = METRICS.read(tmp_path / "metrics.parquet")
    row = table[(table["metric"] == "gross_error") & (table["arm"] == "resnet3d-dual") & table["seed"].isna()].iloc[0]
    assert row["estimate"] == pytest.approx(np.mean(expected[:3]))
    assert row["low"] < row["estimate"] < row["high"]
    assert row["interval"] == "cluster-bootstrap"
    tests = CONTRASTS.read(tmp_path / "contrasts.parquet").set_index("test")
    assert set(tests.index) == {"bootstrap", "delta", "seeds", "non_inferiority", "equivalence"}
    assert tests["difference"].to_numpy() == pytest.approx(np.mean(expected[:3]) - np.mean(expected[3:]))
    assert tests["p"].between(0, 1).all()


def share_two_off(frame: pd.DataFrame) -> float:
    truth = np.array([labels[0] for labels in frame["truth"]])
    called = np.stack(frame["probabilities"].to_list()).argmax(axis=1)
    return float((np.abs(called - truth) >= 2).mean())


def asks_for_a_row(planner: Planner, monkeypatch: pytest.MonkeyPatch, test: Callable[..., None], name: str, *arguments: str) -> None:
    """The rerun table's own test fails in this tree, and names the member without a row."""
    monkeypatch.setattr(test_table, "ROOT", planner.folder)
    with pytest.raises(AssertionError) as caught:
        test(*arguments)
    assert name in str(caught.value)

"""Memory and time of a step are estimated from a configuration, without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kneeoa.config.study import load
from kneeoa.estimate import COLUMNS, estimates, main, memory_and_operations
from tests.dag import ROOT

PLUGIN = ROOT / "workflow" / "studies" / "plugin.yaml"


def rows(path: Path, rate: float = 100.0) -> dict[str, dict[str, str]]:
    study = load(yaml.safe_load(path.read_text()))
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in estimates(study, rate)}


def test_each_member_of_the_study_of_plugins_has_its_crop_its_micro_batches_and_figures() -> None:
    table = rows(PLUGIN)
    assert list(table) == ["resnet50", "efficientnet", "vit", "swin"]
    assert {row["input"] for row in table.values()} == {"384x384"}
    assert {row["cases"] for row in table.values()} == {"2 x 16"}
    stem = 2 * 64 * 7 * 7  # of two channels more
    assert table["resnet50"]["backbone_parameters"] == f"{23_518_277 - 5 * 2049 - stem:,}"
    seconds = {name: float(row["seconds"]) for name, row in table.items()}
    assert seconds["swin"] > seconds["vit"] > seconds["resnet50"] > 0
    assert float(rows(PLUGIN, 10.0)["swin"]["seconds"]) == pytest.approx(10 * seconds["swin"], rel=0.01)


def test_a_crop_and_smaller_micro_batches_need_less() -> None:
    study = yaml.safe_load(PLUGIN.read_text())
    study["training"] = {"batch": 32, "micro_batch": 16, "crop": [384, 384]}
    whole, fewer, uncropped = (
        study | {"training": study["training"] | changes} for changes in ({}, {"micro_batch": 4}, {"crop": [480, 480]})
    )
    needs = [memory_and_operations(loaded, loaded.arms_table()[0]) for loaded in map(load, (fewer, whole, uncropped))]
    (least, same), (middle, operations), (most, more) = (need for need in needs if need is not None)
    assert least < middle < most
    assert same == operations < more


def test_cells_of_a_backbone_that_does_not_say_are_empty() -> None:
    assert rows(ROOT / "tests" / "small.yaml")["m3t-dual"] == dict.fromkeys(COLUMNS, "") | {
        "arm": "m3t-dual", "input": "24x24x24", "cases": "8",
    }  # fmt: skip


def test_a_mistake_of_the_configuration_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = yaml.safe_load(PLUGIN.read_text())
    study["training"]["epochs"] = 3
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    assert main([str(tmp_path / "study.yaml")]) == 1
    assert "protocol 'pim-published' means 'epochs' 50, not 3" in capsys.readouterr().err
    assert main([str(tmp_path / "missing.yaml")]) == 1


def test_it_imports_no_torch() -> None:
    script = f"import sys; from kneeoa.estimate import main; main([{str(PLUGIN)!r}]); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT / "workflow" / "lib", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == list(COLUMNS)

"""A file of weights that a backbone begins from is an input of its runs: it must be there, and a
newer one is trained from again.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dag import ROOT, snakemake

PRETRAINED = {"width": 4, "weights": "$KNEEOA_TEST_WEIGHTS/resnet.pth"}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    config: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "small.yaml").read_text())
    config["backbones"]["resnet3d"]["options"] = PRETRAINED
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return tmp_path


def arguments(study: Path) -> list[str]:
    return ["-s", str(ROOT / "Snakefile"), "--configfile", str(study / "study.yaml")]


def test_the_file_is_an_input_of_the_runs_of_its_backbone_alone(study: Path) -> None:
    (study / "resnet.pth").touch()
    run = snakemake(study, "-n", "--cores", "1", *arguments(study), environment={"KNEEOA_TEST_WEIGHTS": str(study)})
    text = run.stdout + run.stderr
    assert run.returncode == 0, text[-2000:]
    blocks = re.split(r"\n(?=(?:local)?rule \w+:)", text.split("Job stats:", 1)[-1])
    asking = [block for block in blocks if str(study / "resnet.pth") in block]
    assert all(block.startswith("rule train_run:") for block in asking)
    wildcards = [re.search(r"wildcards: arm=([\w-]+), seed=(\d)", block) for block in asking]
    modes = ("single-oa", "single-kl", "dual")
    assert {each.groups() for each in wildcards if each} == {(f"resnet3d-{mode}", seed) for mode in modes for seed in ("1", "2")}
    assert len(asking) == 6


def test_a_missing_file_stops_before_any_job_with_its_key(study: Path) -> None:
    run = snakemake(study, "-n", "--cores", "1", *arguments(study), environment={"KNEEOA_TEST_WEIGHTS": str(study / "nowhere")})
    assert run.returncode != 0
    assert "backbones.resnet3d.options.weights is '$KNEEOA_TEST_WEIGHTS/resnet.pth', which is no file here" in run.stdout + run.stderr

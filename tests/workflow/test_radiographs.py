"""The plan of a study of radiographs: images of two dimensions need no rule of their own."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.dag import ROOT, planned, rules, snakemake
from tests.unit import radiograph_cohort


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the cohort's table and a file, which is never opened, for each
    subject.
    """
    place = tmp_path_factory.mktemp("radiographs")
    shutil.copy(ROOT / "tests" / "small_radiographs.yaml", place / "study.yaml")
    lines = ["subject,file,kl_right,kl_left"]
    (place / "raw" / "files").mkdir(parents=True)
    for number in range(radiograph_cohort.SUBJECTS):
        (place / "raw" / "files" / f"P{number:03d}.dcm").write_bytes(b"")
        lines.append(f"P{number:03d},files/P{number:03d}.dcm,{number % 5},{number % 5}")
    (place / "raw" / "knees.csv").write_text("\n".join(lines) + "\n")
    return place


def test_every_stage_but_the_masks_is_planned(folder: Path) -> None:
    environment = {"KNEEOA_RADIOGRAPHS": str(folder / "raw")}
    jobs = planned(folder, "-s", str(ROOT / "Snakefile"), "--configfile", str(folder / "study.yaml"), environment=environment)
    counts = Counter(rule for rule, _ in jobs)
    assert (counts["make_volumes"], counts["make_inputs"], counts["train_run"]) == (2, 2, 3)
    assert counts["saliency"] == 2, "without masks only the picture takes maps, those of the first grid's modes"
    assert not {"make_masks", "overlap", "anatomy", "phantom_images"} & set(counts)
    assert {"geometry", "figure volumes", "figure saliency", "report"} <= rules(jobs)


def test_a_network_of_three_dimensions_is_refused_before_anything_runs(folder: Path) -> None:
    config = (
        (folder / "study.yaml")
        .read_text()
        .replace("{kind: densenet121, options: {growth: 4, width: 8, blocks: [2, 2, 2, 2]}}", "{kind: resnet3d}")
    )
    (folder / "wrong.yaml").write_text(config)
    environment = {"KNEEOA_RADIOGRAPHS": str(folder / "raw")}
    run = snakemake(folder, "-n", "-s", str(ROOT / "Snakefile"), "--configfile", str(folder / "wrong.yaml"), environment=environment)
    assert run.returncode != 0
    assert "takes 3 axes, but the input has 2" in run.stdout + run.stderr

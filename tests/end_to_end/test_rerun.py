"""Rerun precision: an edit reruns what it touches and nothing else. Real edits, real dry runs."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dag import copy_tree, planned, rules
from tests.end_to_end.conftest import SEEDS, SMALL, trimmed
from tests.rerun.definition_edits import EVERY, edited_definition

pytestmark = pytest.mark.slow

AFTER_AXES = {"geometry", "differences", "claim", "associations"}
AFTER_MAPS = {"overlap", "anatomy", "sanity", "claim", "associations"}
UNTRAINED = {"embed_untrained", "geometry_baselines"}
AFTER_RUNS = {"predict", "metrics", "contrasts", "subgroups", "similarity"}
AFTER_RUNS |= {"saliency", "deletion", "deletion_summary"}
AFTER_RUNS |= AFTER_AXES | AFTER_MAPS
PICTURES = re.compile(r"figure \w+|table \w+|report|all")


@contextmanager
def edited(path: Path, definition: str) -> Iterator[None]:
    """Edit the code of a definition, and put everything (time stamps too) back afterwards."""
    before, status = path.read_text(), path.stat()
    path.write_text(edited_definition(before, definition))
    try:
        yield
    finally:
        path.write_text(before)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def stages(jobs: list[tuple[str, dict[str, str]]]) -> set[str]:
    """The planned rules, without figures, tables and the report."""
    return {rule for rule in rules(jobs) if not PICTURES.fullmatch(rule)}


LIBRARY = Path("workflow/lib/kneeoa")


def test_editing_one_backbone_reruns_its_runs_and_their_descendants_only(finished: Path) -> None:
    with edited(finished / LIBRARY / "backbones" / "m3t.py", "build"):
        jobs = planned(finished, *SMALL)
    touched = {w["arm"] for _, w in jobs if "arm" in w}
    assert touched == {"m3t-dual"}
    assert stages(jobs) == {"train_run", *AFTER_RUNS, *UNTRAINED}


def test_editing_one_mode_reruns_the_arms_of_that_mode_only(finished: Path) -> None:
    with edited(finished / LIBRARY / "heads" / "single.py", "build"):
        jobs = planned(finished, *SMALL)
    assert {w["arm"] for rule, w in jobs if rule == "train_run"} == {"resnet3d-single-oa", "resnet3d-single-kl"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("backbones/m3t.py", "import torch", "import torch  # a comment"),
        (
            "statistics/delong.py",
            '"""',
            '"""Another word. ',
        ),
    ],
    ids=["comment", "docstring"],
)
def test_comments_and_docstrings_rerun_nothing(finished: Path, file: str, old: str, new: str) -> None:
    path = finished / LIBRARY / file
    before = path.read_text()
    try:
        path.write_text(before.replace(old, new, 1))
        assert planned(finished, *SMALL) == []
    finally:
        path.write_text(before)


def test_touching_every_source_file_reruns_nothing(finished: Path) -> None:
    for folder in ("workflow", "scripts"):
        for path in (finished / folder).rglob("*.py"):
            path.touch()
    (finished / "Snakefile").touch()
    assert planned(finished, *SMALL) == []


def test_editing_a_statistic_reruns_statistics_and_no_training(finished: Path) -> None:
    with edited(finished / LIBRARY / "statistics" / "mcnemar.py", EVERY):
        jobs = planned(finished, *SMALL)
    assert "contrasts" in stages(jobs)
    assert not stages(jobs) & {"train_run", "predict", "saliency", "geometry", "make_volumes"}


def test_editing_one_figure_redraws_it_and_the_report_only(finished: Path) -> None:
    with edited(finished / LIBRARY / "figures" / "roc.py", "draw"):
        assert rules(planned(finished, *SMALL)) - {"all"} == {"figure roc", "report"}


CONFIGURATION = [
    ("figures:", "figures: {font_size: 9, dpi: 80, example_cases: 2}", {"quality"}, False),
    ("geometry:", "geometry: {resamples: 101, permutations: 50}", {*AFTER_AXES, "geometry_baselines"}, False),
    (
        "  resamples: 200",
        "  resamples: 201",
        {"metrics", "contrasts", "deletion_summary", *AFTER_MAPS} - {"overlap", "associations"},
        False,
    ),
    ("  shifts: 50", "  shifts: 51", {*AFTER_MAPS}, False),
    ("saliency:", "saliency: {samples: 3, keep: 1, randomised: 8}", {"saliency", *AFTER_MAPS}, False),
    (
        "masks:",
        "masks: {minimum_inside: 0.91}",
        {"describe_shard", "make_masks", "list_shards", "flow", "quality", "deletion", "deletion_summary", *AFTER_MAPS, *AFTER_AXES},
        False,
    ),
    ("seeds:", f"seeds: {[*SEEDS, 3]}", {"train_run", *AFTER_RUNS, *UNTRAINED}, True),
]


@pytest.mark.parametrize(("key", "line", "expected", "new_seed"), CONFIGURATION, ids=[line.strip() for _, line, _, _ in CONFIGURATION])
def test_a_configuration_key_reruns_its_own_stage(finished: Path, key: str, line: str, expected: set[str], new_seed: bool) -> None:
    lines = (finished / "tests" / "small.yaml").read_text().splitlines()
    changed = [line if old.startswith(key) else old for old in lines]
    if changed == lines:
        changed.append(line)
    (finished / "edited.yaml").write_text("\n".join(changed) + "\n")
    jobs = planned(finished, "--configfile", "edited.yaml")
    assert stages(jobs) == expected
    assert jobs, "the edit must touch something"
    if new_seed:
        assert {w["seed"] for rule, w in jobs if rule == "train_run"} == {"3"}


def test_a_clone_beside_copied_results_has_nothing_to_do(finished: Path, tmp_path: Path) -> None:
    """`git clone` and `rsync results/`: every time stamp is new and there is no .snakemake
    folder.
    """
    clone = trimmed(copy_tree(tmp_path / "clone"))
    shutil.copytree(finished / "results", clone / "results", copy_function=shutil.copy2, dirs_exist_ok=True)
    for path in (clone / "workflow").rglob("*.py"):
        path.touch()
    assert planned(clone, *SMALL) == []

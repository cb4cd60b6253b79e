"""Selections of runs with a plug-in: they are the locations that the network itself took, in the
order of their scores, and have the places of the map's grid.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from kneeoa.backbones.registry import map_sizes
from kneeoa.config.modes import Mode
from kneeoa.errors import KneeoaError
from kneeoa.heads.losses.interface import Criterion
from kneeoa.inference.selections import MAPPED, write_selections
from kneeoa.network.model import build, save
from kneeoa.network.spec import ModelSpec
from kneeoa.plugins import registry
from kneeoa.plugins.location_grids import LocationGrid, location_grid
from kneeoa.plugins.selection import rank_locations
from kneeoa.plugins.selections.pim import location_scores
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.selections import SELECTIONS
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import DUAL, LEVELS, SHAPE, SINGLE_KL, Files

PIM = {"kind": "pim", "width": 8, "select": [24, 8, 8, 4]}
STACKED = Mode(kind="dual_stacked", levels=("oa", "kl"))
CORN = Mode(kind="dual", levels=("oa", "kl"), losses={"kl": "corn"})


def spec(mode: Mode) -> ModelSpec:
    return tiny_study.spec(mode).model_copy(update={"plugin": PIM})


def run(folder: Path, described: ModelSpec) -> Path:
    """A run's folder with fresh weights."""
    torch.manual_seed(5)
    folder.mkdir(parents=True, exist_ok=True)
    save(build(described), described, folder)
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return tiny_study.make(tmp_path_factory.mktemp("study"), cases=60, splits=("train", "test", "test"), unread=6)


def written(files: Files, folder: Path, out: Path, batch: int = 5) -> pd.DataFrame:
    arguments: dict[str, Any] = {"study": "tiny", "arm": "a", "seed": 1, "view": "sag_dess", "run": folder, "levels": LEVELS}
    write_selections(**arguments, **files.arguments(), pictured="kl", batch=batch, threads=1, out=out)
    return SELECTIONS.read(out)


@pytest.mark.parametrize("mode", [DUAL, SINGLE_KL, STACKED, CORN], ids=["dual", "kl", "stacked", "corn"])
def test_selections_are_what_the_network_took_by_rank(files: Files, tmp_path: Path, mode: Mode) -> None:
    folder = run(tmp_path / "run", spec(mode))
    table = written(files, folder, tmp_path / "s.parquet")
    assert set(table["level"]) == ({"kl"} if mode in (SINGLE_KL, STACKED) else {"oa", "kl"})  # stacked: the finest chooses
    assert list(dict.fromkeys(table["map"])) == ["map-1", "map-2", "map-3", "map-4"]
    for row in table.to_dict("records"):
        scores = np.asarray(row["scores"])
        assert (np.diff(scores) <= 0).all()
        assert len(set(row["chosen"])) == len(scores) == PIM["select"][int(row["map"][-1]) - 1]
        assert np.prod(row["grid"]) == row["locations"]
        assert row["before"] == 0
        if row["score_map"] is not None:
            whole = np.asarray(row["score_map"])
            assert np.array_equal(whole[row["chosen"]], scores)
            assert set(row["chosen"]) == set(np.argsort(-whole, kind="stable")[: len(scores)])


def test_all_test_cases_have_rows_and_a_few_of_each_grade_whole_maps(files: Files, tmp_path: Path) -> None:
    table = written(files, run(tmp_path / "run", spec(DUAL)), tmp_path / "s.parquet")
    splits = SPLITS.concat(files.splits)
    tested = splits[splits["split"] == "test"]
    assert set(zip(table["cohort"], table["case_id"], strict=True)) == set(zip(tested["cohort"], tested["case_id"], strict=True))
    kept = table[table["score_map"].notna() & (table["level"] == "kl") & (table["map"] == "map-1")]
    grade = kept["case_id"].str[:4].astype(int) % 5
    counts = kept.groupby(["cohort", grade]).size()
    assert 0 < counts.max() <= MAPPED
    unread = {f"{1000 + number}-R-00m" for number in range(6)}
    assert not unread & set(kept["case_id"])


def test_equal_runs_are_equal_bytes_whatever_the_order_of_the_files(files: Files, tmp_path: Path) -> None:
    folder = run(tmp_path / "run", spec(DUAL))
    written(files, folder, tmp_path / "a.parquet")
    written(files.reversed(), folder, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_run_without_a_plugin_is_refused(files: Files, tmp_path: Path) -> None:
    with pytest.raises(KneeoaError, match="has no plug-in, so it chooses no locations"):
        written(files, run(tmp_path / "run", tiny_study.spec(DUAL)), tmp_path / "s.parquet")


def test_a_run_whose_scores_are_not_finite_is_refused(files: Files, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    torch.manual_seed(5)
    network = build(spec(SINGLE_KL))
    torch.nn.init.constant_(network.heads.selections["kl"].towers[0].last.weight, float("nan"))
    save(network, spec(SINGLE_KL), folder)
    with pytest.raises(KneeoaError, match=r"a score of case .* is not finite"):
        written(files, folder, tmp_path / "s.parquet")


@pytest.mark.parametrize("mode", [DUAL, CORN], ids=["cross-entropy", "corn"])
def test_scores_are_what_locations_are_ranked_by(mode: Mode) -> None:
    criteria: dict[str, Criterion] = build(spec(mode)).heads.criteria
    generator = torch.Generator().manual_seed(3)
    for criterion in criteria.values():
        outputs = torch.randn(3, 200, criterion.outputs, generator=generator).round(decimals=1)  # with ties
        scores = location_scores(criterion, outputs)
        assert scores.dtype == torch.float32
        assert torch.equal(scores.sort(dim=1, descending=True, stable=True).indices, rank_locations(criterion, outputs))


def test_kinds_without_a_file_choose_nothing() -> None:
    assert registry.selects("pim")
    assert registry.selection_modules("pim") == ("kneeoa.plugins.selections.pim",)
    assert not registry.selects("interface_of_another")
    assert registry.selection_modules("pooled") == ()
    with pytest.raises(KneeoaError, match="a plug-in 'pooled' chooses no locations"):
        registry.select("pooled", build(spec(DUAL)).heads, [])


VIT: dict[str, Any] = {"patch": 8, "embedding": 48, "heads": 4, "depth": 4}
SWIN: dict[str, Any] = {"embedding": 24, "window": 3}


@pytest.mark.parametrize(
    ("kind", "options", "shape", "public", "expected"),
    [
        ("resnet50", {}, (96, 64), True, [LocationGrid(size, 0) for size in ((24, 16), (12, 8), (6, 4), (3, 2))]),
        ("vit", VIT, (96, 64), True, [LocationGrid((12, 8), 1)] * 4),
        ("vit", VIT, (96, 64), False, [LocationGrid((12, 8), 0)] * 4),
        ("vit", VIT, (16, 24, 32), False, [LocationGrid((2, 3, 4), 0)] * 4),
        ("swin2d", SWIN, (96, 128), True, [LocationGrid(size, 0) for size in ((12, 16), (6, 8), (3, 4), (3, 4))]),
        ("resnet3d", {"stem_stride": 1}, SHAPE, False, [LocationGrid(size, 0) for size in ((4, 8, 8), (2, 4, 4), (2, 4, 4), (2, 4, 4))]),
        ("m3t", {"channels": 4, "cnn_width": 8}, (32, 32, 32), False, [LocationGrid((32, 32, 32), 0), None]),
    ],
    ids=["resnet50", "vit-tokens", "vit", "vit-3d", "swin-tokens", "resnet3d", "m3t-slices"],
)
def test_locations_have_the_place_of_the_patch_grid(
    kind: str, options: dict[str, Any], shape: tuple[int, ...], public: bool, expected: list[LocationGrid | None]
) -> None:
    sizes, grids = map_sizes(kind, options, shape, public), map_sizes(kind, options, shape)
    assert [location_grid(size, grids, len(shape)) for size in sizes] == expected

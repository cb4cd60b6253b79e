"""Pictures of what plug-ins choose, and plots of its share on the joint, from synthetic tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import selection_shares, selections, style
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.selections import SELECTION_SUMMARY, SELECTIONS
from kneeoa.tables.shards import MASKS, VOLUMES
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes
from tests.unit.figures.test_case_images import TISSUES, inputs

ARM = "resnet3d-dual"
TARGETS = {"cartilage": synthetic.TISSUES}
GRIDS = ((8, 20, 20), (4, 10, 10), (2, 5, 5))


def row(case: str, number: int, grid: Sequence[int], rng: np.random.Generator, **values: Any) -> dict[str, Any]:
    """A map whose highest scores lie about the middle."""
    middle = np.zeros(tuple(grid))
    middle[tuple(slice(size // 3, size - size // 3) for size in grid)] = 0.4
    scores = (middle + rng.uniform(0.2, 0.5, tuple(grid))).astype(np.float32).ravel()
    chosen = np.argsort(-scores, kind="stable")[: max(2, scores.size // 40)]
    identity = {"study": "s", "arm": ARM, "seed": 1, "cohort": "phantom", "case_id": case, "subject": case, "view": "sag_dess"}
    described = {"level": "kl", "map": f"map-{number}", "locations": scores.size, "grid": list(grid), "before": 0}
    return identity | described | {"chosen": chosen, "scores": scores[chosen], "score_map": scores} | values


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return synthetic.images(tmp_path_factory.mktemp("images"), shape=(16, 40, 40))


def table(folder: Path, files: dict[str, Any], grids: Sequence[Sequence[int]]) -> Path:
    rng = np.random.default_rng(2)
    cases = SPLITS.concat(files["splits"])["case_id"]
    rows = [row(case, number, grid, rng) for case in cases for number, grid in enumerate(grids, 1)]
    for case in cases[:1]:
        rows.append(row(case, 1, grids[0], rng, level="oa"))
    rows.append(row("elsewhere", 1, grids[0], rng, score_map=None))
    SELECTIONS.write(folder / "s.parquet", rows)
    return folder / "s.parquet"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Keeps what is drawn."""
    caught: dict[str, Any] = {}
    real = selections.figure

    def spy(rows: Any, headings: Any, title: str, note: str, figures: Figures) -> Figure:
        caught.update(rows=rows, headings=headings, title=title, note=note, figure=real(rows, headings, title, note, figures))
        figure: Figure = caught["figure"]
        return figure

    monkeypatch.setattr(selections, "figure", spy)
    return caught


def draw(tables: Path, files: dict[str, Any], out: Path, view: str = "sag_dess", count: int = 2) -> None:
    shown = Figures(dpi=150, example_cases=count)
    places = (out / "a.pdf", out / "a.png")
    selections.draw([tables], *inputs(files), synthetic.FACTORS, TISSUES, TARGETS, view, "kl", shown, *places)


def test_volumes_are_cut_where_most_locations_of_a_map_are_chosen(files: dict[str, Any], tmp_path: Path, drawn: dict[str, Any]) -> None:
    draw(table(tmp_path, files, GRIDS), files, tmp_path)
    assert drawn["title"] == "ResNet3D, Dual: chosen by the KL heads"
    assert [one.title for one in drawn["rows"]] == ["KL 0", "KL 4"]
    assert drawn["headings"] == ["Map 1\n80 of 3,200", "Map 2\n10 of 400", "Map 3\n2 of 50"]
    stored = SELECTIONS.read(tmp_path / "s.parquet")
    for selected, grid in zip(drawn["rows"][0].maps, GRIDS, strict=True):
        inside, _, total = selected.note.partition(" of ")
        assert selected.scores.shape == grid[1:]
        assert 0 < len(selected.cells) == int(inside) <= int(total)
        for down, across in selected.cells:  # every cell drawn is a chosen one: no other has a score as high
            assert selected.scores[down, across] >= np.sort(selected.scores.ravel())[-len(selected.cells)]
    assert "with most of its chosen locations" in drawn["note"]
    assert "in white: cartilage" in drawn["note"]
    assert clashes(drawn["figure"]) == []
    assert len(stored)


def test_films_show_all_chosen_cells(tmp_path: Path, drawn: dict[str, Any]) -> None:
    made = films(tmp_path)
    draw(table(tmp_path, made, [(18, 20), (9, 10), (3, 3)]), made, tmp_path, count=3)
    for one in drawn["rows"]:
        assert [len(selected.cells) for selected in one.maps] == [9, 2, 2]
        assert [selected.note for selected in one.maps] == ["", "", ""]
    panel = drawn["figure"].axes[1]
    outlines = next(each for each in panel.collections if np.allclose(each.get_edgecolor(), to_rgba("#33DDFF")))
    boxes = [path.get_extents() for path in outlines.get_paths()]
    assert {(round(box.width, 6), round(box.height, 6)) for box in boxes} == {(2.0, 2.0)}  # 40 x 36 pixels over 20 x 18 cells
    assert "Left knees are mirrored." in drawn["note"]
    assert clashes(drawn["figure"]) == []


def films(folder: Path) -> dict[str, Any]:
    """The synthetic study as films of 36 x 40 pixels."""
    files = synthetic.images(folder / "films", shape=(4, 36, 40), keep=4)
    for stage, schema in (("volumes", VOLUMES), ("masks", MASKS)):
        for path in files[stage]:  # type: ignore[union-attr]
            array = np.load(path.with_suffix(".npy"))
            np.save(path.with_suffix(".npy"), array[:, 2])
            rows = schema.read(path)
            if "affine" in rows:
                rows = rows.assign(affine=[[1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0]] * len(rows))
            schema.write(path, rows)
    return files  # type: ignore[return-value]


def test_tokens_without_a_place_are_said(files: dict[str, Any], tmp_path: Path, drawn: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    rows = []
    for case in SPLITS.concat(files["splits"])["case_id"]:
        rows += [row(case, 1, GRIDS[1], rng), row(case, 2, (52,), rng) | {"grid": []}]
    SELECTIONS.write(tmp_path / "s.parquet", rows)
    draw(tmp_path / "s.parquet", files, tmp_path)
    texts = [text.get_text() for axes in drawn["figure"].axes for text in axes.texts]
    assert texts.count("no place\nin the image") == 2


def test_nothing_to_draw_is_said(files: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(KneeoaError, match="there is no selection to draw"):
        draw(table(tmp_path, files, GRIDS), files, tmp_path, view="pa")
    with pytest.raises(KneeoaError, match="there is no share to draw"):
        selection_shares.figure(pd.DataFrame(columns=SELECTION_SUMMARY.schema.names), synthetic.FACTORS, Figures(), "kl")


def summary(arms: Sequence[str], cohorts: Sequence[str] = ("oai",), maps: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = []
    for arm in arms:
        for cohort in cohorts:
            for number in range(1, maps + 1):
                for tissue in ("joint", "bone"):
                    for grade in (None, 0, 1, 2, 3, 4):
                        middle = 0.05 * number + 0.02 * (grade or 0)
                        rows.append(
                            {
                                "study": "s",
                                "arm": arm,
                                "seed": None,
                                "fold": None,
                                "seeds": 3,
                                "cohort": cohort,
                                "level": "kl",
                                "grade": grade,
                            }
                            | {"map": f"map-{number}", "tissue": tissue, "locations": 9216 // 4**number, "chosen": 32, "claim": number < 4}
                            | {"share": middle + 0.1, "share_low": middle, "share_high": middle + 0.2, "chance": 0.1, "null_mean": 0.1}
                            | {"difference": middle, "low": middle - 0.05, "high": middle + rng.uniform(0.03, 0.06), "others_mean": 0.12}
                            | {"others_difference": middle - 0.02, "others_low": 0.0, "others_high": 0.1, "cases": 900, "subjects": 512}
                            | {"note": ""}
                        )
    return pd.DataFrame(rows).astype({"seed": "Int32", "grade": "Int16"})


@pytest.mark.parametrize(("arms", "cohorts", "maps"), [(1, 1, 4), (3, 2, 4), (2, 1, 2), (1, 1, 5)])
def test_a_panel_for_each_map_and_cohort(tmp_path: Path, arms: int, cohorts: int, maps: int) -> None:
    names, places = list(synthetic.FACTORS)[:arms], ["oai", "most"][:cohorts]
    figure = selection_shares.figure(summary(names, places, maps), synthetic.FACTORS, Figures(), "kl")
    assert len(figure.axes) == cohorts * maps
    first = figure.axes[0]
    assert [label.get_text() for label in first.get_xticklabels()] == ["all", "0", "1", "2", "3", "4"]
    assert sum(line.get_marker() == "x" for line in first.lines) == 6 * arms
    assert "900 knees of 512 subjects, mean of 3 seeds" in figure.get_supxlabel()
    assert ("no claim" in figure.get_supxlabel()) == (maps >= 4)
    assert clashes(figure) == []
    style.save(figure, Figures(), tmp_path / "a.pdf", tmp_path / "a.png")


def test_the_first_tissue_and_the_asked_level_are_drawn_and_undefined_values_leave_a_gap() -> None:
    rows = summary([ARM], maps=1)
    rows.loc[rows["grade"].eq(4) & rows["tissue"].eq("joint"), ["difference", "low", "high", "others_difference"]] = np.nan
    other = rows.assign(level="oa", difference=5.0)
    figure = selection_shares.figure(pd.concat([rows, other]), synthetic.FACTORS, Figures(), "kl")
    marks = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", "x", None, "")]
    assert len(marks) == 5
    assert max(float(line.get_ydata()[0]) for line in marks) < 1

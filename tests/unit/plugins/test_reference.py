"""The plug-in module equals the published one: on files of its own outputs, and on cases of other
shapes, written down by a second, plain form of it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from kneeoa.errors import KneeoaError
from kneeoa.plugins import reference
from tests.unit.plugins import published_form

EXACT = 1e-10
SHAPES = {
    "odd maps": ({"a": (6, 9, 11), "b": (5, 5, 6), "c": (7, 3, 3), "d": (8, 3, 3)}, [40, 20, 3, 3], 5, 3),
    "three dimensions": ({"fine": (3, 6, 5, 4), "coarse": (4, 3, 3, 2)}, [30, 10], 3, 2),
    "two classes": ({"l1": (4, 6, 6), "l2": (4, 3, 3), "l3": (4, 2, 2)}, [33, 5, 2], 2, 4),
    "sequences": ({"l1": (50, 6), "l2": (20, 5), "l3": (20, 7)}, [32, 16, 16], 4, 2),
    "one map": ({"only": (3, 7, 7)}, [32], 6, 5),
    "all locations": ({"l1": (3, 8, 8), "l2": (3, 2, 2)}, [60, 4], 3, 2),
}


def write_case(path: Path, maps: dict[str, tuple[int, ...]], select: list[int], classes: int, batch: int, width: int = 8) -> None:
    """Write a file in the form of the reference for maps of these shapes."""
    torch.manual_seed(7)
    inputs = {name: torch.randn(batch, *shape) for name, shape in maps.items()}
    weights = published_form.random_weights(inputs, width, classes, select)
    labels = torch.arange(batch) % classes
    double = {name: value.double() if value.is_floating_point() else value for name, value in weights.items()}
    arrays = {f"input/{name}": value.numpy() for name, value in inputs.items()}
    arrays |= {f"weight/{name}": value.numpy() for name, value in weights.items()}
    for mode in ("eval", "train"):
        outputs = published_form.forward(double, {name: value.double() for name, value in inputs.items()}, select, mode == "train")
        results = {**outputs, **published_form.losses(outputs, list(maps), labels)}
        results[f"highest{len(maps) + 1}"] = published_form.answer(outputs, list(maps))
        arrays |= {f"{mode}/{name}": value.numpy() for name, value in results.items()}
    np.savez(path, **arrays, labels=labels.numpy(), selects=np.array(select))


@pytest.mark.parametrize("case", SHAPES)
def test_a_second_form_gives_the_same(tmp_path: Path, case: str) -> None:
    maps, select, classes, batch = SHAPES[case]
    write_case(tmp_path / "case.npz", maps, select, classes, batch)
    worst = reference.differences(tmp_path / "case.npz")
    assert set(worst) == {"eval", "train", "loss"}
    assert max(worst.values()) < EXACT


def test_a_difference_is_reported_in_its_own_group(tmp_path: Path) -> None:
    maps, select, classes, batch = SHAPES["two classes"]
    write_case(tmp_path / "case.npz", maps, select, classes, batch)
    for name, group in (("eval/comb_outs", "eval"), ("train/select_l1", "train"), ("train/loss_n", "loss")):
        arrays = dict(np.load(tmp_path / "case.npz"))
        arrays[name] = arrays[name] + 0.25
        np.savez(tmp_path / "other.npz", **arrays)
        worst = reference.differences(tmp_path / "other.npz")
        assert worst.pop(group) == pytest.approx(0.25)
        assert max(worst.values()) < EXACT


def test_the_last_line_of_the_command_is_the_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maps, select, classes, batch = SHAPES["one map"]
    write_case(tmp_path / "case.npz", maps, select, classes, batch)
    reference.main([str(tmp_path / "case.npz")])
    assert set(json.loads(capsys.readouterr().out.splitlines()[-1])) == {"eval", "train", "loss"}


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no arrays")
    with pytest.raises(KneeoaError, match=r"cannot be read as an \.npz file"):
        reference.differences(tmp_path / "text.npz")
    maps, select, classes, batch = SHAPES["one map"]
    write_case(tmp_path / "case.npz", maps, select, classes, batch)
    arrays = dict(np.load(tmp_path / "case.npz"))
    np.savez(tmp_path / "less.npz", **{name: value for name, value in arrays.items() if name != "weight/combiner.adj1"})
    with pytest.raises(KneeoaError, match=r"nothing in it is for 'selections.classes.combiner.edges'"):
        reference.differences(tmp_path / "less.npz")
    np.savez(tmp_path / "unlabelled.npz", **{name: value for name, value in arrays.items() if name != "labels"})
    with pytest.raises(KneeoaError, match="lacks 'labels'"):
        reference.differences(tmp_path / "unlabelled.npz")

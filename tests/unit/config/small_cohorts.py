"""A small study of one cohort of radiographs with a column map, as a mapping to be spoilt."""

from __future__ import annotations

from typing import Any

LEVELS = [
    {"name": "oa", "kind": "binary", "classes": ["no OA", "OA"]},
    {"name": "kl", "kind": "ordinal", "classes": [f"KL {grade}" for grade in range(5)], "parent": "oa", "parent_class": [0, 0, 1, 1, 1]},
]
FLAT = {"dimensions": 2, "shape": [32, 32], "fit": "extent"}
FLAT_NETWORK = {"kind": "densenet121", "options": {"growth": 4, "width": 8, "blocks": [2, 2, 2, 2]}}
SOLID = {"shape": [32, 32, 32], "fit": "extent"}
SOLID_NETWORK = {"kind": "resnet3d", "options": {"width": 4}}


def clinic(**changes: Any) -> dict[str, Any]:
    """A cohort of a manifest with grades; a key whose value is None is left out."""
    manifest = {"table": "t.csv", "subject": "id", "side": "side", "path": "file"}
    section = {"reader": "manifest", "root": "somewhere", "views": ["pa"], "labels": {"kl": "kl"}, "manifest": manifest} | changes
    return {key: value for key, value in section.items() if value is not None}


def study(cohorts: dict[str, Any], levels: list[dict[str, Any]] | None = None, *, solid: bool = False, **more: Any) -> dict[str, Any]:
    """A study that trains one network on the finest level of the view `pa`."""
    levels = LEVELS if levels is None else levels
    return {
        "study": "case",
        "levels": levels,
        "cohorts": cohorts,
        "views": {"pa": SOLID if solid else FLAT},
        "backbones": {"net": SOLID_NETWORK if solid else FLAT_NETWORK},
        "modes": {"one": {"kind": "single", "levels": [levels[-1]["name"]]}},
        "arms": [{"backbone": "net", "mode": "one", "view": "pa"}],
        **more,
    }

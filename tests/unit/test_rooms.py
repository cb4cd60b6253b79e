"""The order of the library's rooms (docs/design.md, where things are): a room imports those above
it, and no modules import each other.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.dag import ROOT

LIBRARY = ROOT / "workflow" / "lib"
ORDER = (
    "config", "levels", "tables", "formats", "volumes", "radiographs", "ingestion", "statistics", "labels", "masks", "cohorts",
    "splits", "phantom", "backbones", "heads", "plugins", "network", "training", "inference", "saliency", "geometry", "anatomy",
    "contrasts", "associations", "presentation", "figures", "paper_tables", "report", "reruns", "provenance",
)  # fmt: skip
ASKED_BY_CONFIG = {
    "kneeoa.backbones.registry", "kneeoa.cohorts.registry", "kneeoa.cohorts.offers", "kneeoa.heads.registry",
    "kneeoa.heads.losses.registry", "kneeoa.plugins.registry", "kneeoa.plugins.options.base",
    "kneeoa.levels.registry", "kneeoa.levels.interface", "kneeoa.saliency.methods.registry",
}  # fmt: skip
"""Names, options and declarations, which import no stage."""


def imports(path: Path) -> Iterator[str]:
    """Modules of the library that a file imports, at its head or in a function; not for types
    alone.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    types = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    skipped = {id(node) for guard in types for node in ast.walk(guard)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in skipped and (node.module or "").startswith("kneeoa"):
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield module if LIBRARY.joinpath(*module.split(".")).with_suffix(".py").is_file() else str(node.module)


def upward() -> Iterator[str]:
    """Imports of a room that stands below in the order."""
    for path in LIBRARY.rglob("*.py"):
        importer = path.relative_to(LIBRARY).with_suffix("").parts
        if len(importer) < 3:
            continue  # a module of the root, which may import any room
        for module in imports(path):
            room = module.split(".")[1]
            if not (LIBRARY / "kneeoa" / room).is_dir() or ORDER.index(room) <= ORDER.index(importer[1]):
                continue
            if not (importer[1] == "config" and module in ASKED_BY_CONFIG):
                yield f"{'.'.join(importer)} imports {module}"


def import_graph() -> dict[str, set[str]]:
    """Every module of the library and those that it imports. A registry imports its members by
    their names in the folder, which is no import here.
    """
    modules = {".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__"): path for path in LIBRARY.rglob("*.py")}
    return {module: set(imports(path)) for module, path in modules.items()}


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Modules that import each other in turn, the first once more at the end; empty where none
    do.
    """
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        modules: list[str] = error.args[1]
        return modules
    return []


def test_every_room_has_its_place() -> None:
    rooms = {path.name for path in (LIBRARY / "kneeoa").iterdir() if any(path.glob("*.py"))}
    assert rooms == set(ORDER)


def test_no_room_imports_one_below_it() -> None:
    assert sorted(upward()) == []


def test_no_modules_import_each_other() -> None:
    assert circle(import_graph()) == []


def test_a_circle_is_named() -> None:
    assert sorted(circle({"a": ["b"], "b": ["c"], "c": ["b"]})) == ["b", "b", "c"]
    assert circle({"a": ["b", "c"], "b": ["c"]}) == []


def test_imports_in_functions_count_and_those_for_types_do_not(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from kneeoa.report import page\n"
        "def f():\n    from kneeoa.figures import roc\n    from kneeoa.errors import KneeoaError\n"
    )
    assert list(imports(file)) == ["kneeoa.figures.roc", "kneeoa.errors"]

"""The table of renames: a name leads to the oldest one, and a table that cannot be right is
refused.
"""

import json
from pathlib import Path

import pytest

from kneeoa.errors import KneeoaError
from kneeoa.reruns import code_digest
from kneeoa.reruns.renames import Renames

ROOT = Path(code_digest.__file__).parents[4]


@pytest.mark.parametrize(
    ("name", "oldest"),
    [
        ("kneeoa.grids.shapes:fit", "kneeoa.volumes.canonical:fit_to"),
        ("kneeoa.grids.shapes:other", "kneeoa.images.shape:other"),
        ("kneeoa.grids.more.deep:name", "kneeoa.images.more.deep:name"),
        ("kneeoa.grids", "kneeoa.images"),
        ("kneeoa.volumes.grid:box", "kneeoa.images.box:box"),
        ("kneeoa.elsewhere:name", "kneeoa.elsewhere:name"),
        ("kneeoa.gridsize:name", "kneeoa.gridsize:name"),
    ],
)
def test_a_name_leads_to_the_oldest_one(name: str, oldest: str) -> None:
    table = {
        "kneeoa.grids.shapes:fit": "kneeoa.volumes.canonical:fit_to",
        "kneeoa.grids.shapes": "kneeoa.images.shape",
        "kneeoa.grids": "kneeoa.images",
        "kneeoa.volumes.grid": "kneeoa.grids.box",
    }
    assert Renames(table).earliest(name) == oldest


@pytest.mark.parametrize("content", ["[]", "not JSON", json.dumps({"kneeoa.a": "kneeoa.b", "kneeoa.b": "kneeoa.a"})])
def test_a_file_that_is_no_table_or_leads_in_a_circle_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "renamed.json"
    file.write_text(content)
    with pytest.raises(KneeoaError, match=r"renamed\.json"):
        Renames.read(file)


def test_no_file_is_an_empty_table(tmp_path: Path) -> None:
    assert Renames.read(tmp_path / "renamed.json").earliest("kneeoa.a:b") == "kneeoa.a:b"


def definitions() -> list[str]:
    """Every definition and module of this library."""
    code_digest.read_library()
    entries = {key.split("\t")[0]: entry for key, entry in code_digest._KNOWN.items() if str(ROOT) in key}
    return [*entries, *(f"{module}:{name}" for module, entry in entries.items() for name in entry.definitions if name)]


def test_the_project_s_own_table_names_what_is_there_and_no_two_alike() -> None:
    renames = Renames.read(ROOT / "workflow" / "renamed.json")
    names = definitions()
    assert len(names) > 2000
    assert [name for name in renames.newest_names if name not in names and not any(other.startswith(f"{name}.") for other in names)] == []
    assert renames.ambiguous(names) == []


def test_two_definitions_of_one_earliest_name_are_told() -> None:
    assert Renames({"kneeoa.b:f": "kneeoa.a:f"}).ambiguous(["kneeoa.a:f", "kneeoa.b:f"]) == ["kneeoa.b:f"]

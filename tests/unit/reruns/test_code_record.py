"""The parts of a digest of code are kept, and a later code can say what changed."""

from pathlib import Path

import pytest

from kneeoa.reruns import code_record

BEFORE = {"script:": "1", "kneeoa.a:f": "1", "kneeoa.b:g": "1", "numpy": "1.0"}


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ({"kneeoa.a:f": "2"}, "code: kneeoa.a:f"),
        ({"numpy": "2.0"}, "code: numpy"),
        ({"kneeoa.b:g": None}, "code: kneeoa.b:g (gone)"),
        ({"kneeoa.c:h": "1"}, "code: kneeoa.c:h (new)"),
        (
            {"kneeoa.a:f": "2", "kneeoa.b:g": "2", "kneeoa.c:h": "1", "numpy": None},
            "code: kneeoa.a:f, kneeoa.b:g, kneeoa.c:h (new) and 1 more",
        ),
        ({}, "code"),
    ],
)
def test_changed_new_and_gone_definitions_are_named(tmp_path: Path, after: dict[str, str | None], words: str) -> None:
    code_record.write(tmp_path, {"d1": BEFORE})
    parts = {name: part for name, part in {**BEFORE, **after}.items() if part is not None}
    assert code_record.describe_change(tmp_path, "d1", parts) == words


def test_a_digest_without_a_record_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "d2.json").write_text("{")
    for digest in ("d1", "d2"):
        assert code_record.describe_change(tmp_path, digest, BEFORE) == "code, of which no record was kept"


def test_a_record_that_is_there_is_kept(tmp_path: Path) -> None:
    code_record.write(tmp_path, {"d1": BEFORE})
    code_record.write(tmp_path, {"d1": {}, "d2": {}})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d1.json", "d2.json"]
    assert code_record.describe_change(tmp_path, "d1", BEFORE) == "code"

"""The record of accepted codes: a digest is read as the oldest one that it was proved equal to."""

import json
from pathlib import Path

import pytest

from kneeoa.errors import KneeoaError
from kneeoa.reruns import accepted_digests
from kneeoa.reruns.accepted_digests import Change


def test_without_a_record_a_code_is_itself(tmp_path: Path) -> None:
    record = accepted_digests.read(tmp_path / "none.json")
    assert record == {}
    assert accepted_digests.resolve(record, "metrics", "b") == "b"


def test_a_chain_of_accepted_edits_leads_to_the_first_code() -> None:
    record = accepted_digests.add({}, [Change("metrics", "a", "b")])
    record = accepted_digests.add(record, [Change("metrics", "b", "c")])
    assert accepted_digests.resolve(record, "metrics", "c") == "a"
    assert accepted_digests.resolve(record, "contrasts", "c") == "c"


def test_going_back_to_a_code_that_was_accepted_writes_nothing_and_makes_no_circle(tmp_path: Path) -> None:
    record = accepted_digests.add({}, [Change("metrics", "a", "b")])
    assert accepted_digests.add(record, [Change("metrics", "b", "a")]) == record
    accepted_digests.write(tmp_path / "accepted.json", record)
    assert accepted_digests.read(tmp_path / "accepted.json") == record


@pytest.mark.parametrize("content", ["{", "[]", '{"metrics": "a"}', '{"metrics": {"a": "b", "b": "a"}}'])
def test_a_damaged_record_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "accepted.json").write_text(content)
    with pytest.raises(KneeoaError, match=r"accepted\.json.*git checkout"):
        accepted_digests.read(tmp_path / "accepted.json")


def test_adding_leaves_the_given_record_alone() -> None:
    record = {"metrics": {"b": "a"}}
    before = json.dumps(record)
    accepted_digests.add(record, [Change("metrics", "b", "c")])
    assert json.dumps(record) == before

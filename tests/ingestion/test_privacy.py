"""A person who does not exist is planted in raw files, whole and broken; nothing of them may reach
an output, a log or a sentence.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kneeoa.tables.cohort import CASES, IMAGES
from tests.ingestion import search
from tests.ingestion.faults.identities import RADIOGRAPHS, VOLUMES, nifti_with_person
from tests.ingestion.faults.knees import knee
from tests.ingestion.faults.person import SENTENCE, WORDS
from tests.ingestion.faults.radiographs import picture
from tests.ingestion.search import ENCODINGS, bytes_of
from tests.ingestion.stages import mask, series, write_tables
from tests.suites import LAST_RESORT

# What pydicom says while the files are made is no output of ours; the stages run in a process of
# their own, with every warning on.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

ROOT = Path(__file__).parents[2]
# Parts of the longer words: an error that quotes a few letters of a name has told it.
_NEEDLES = {*WORDS.values(), "Quillf", "feather", "Zebedi", "Thistle", "Nonesuch", "Gallows", "WIBBLE"}


def words_in(content: bytes) -> set[str]:
    """Words about the person that some bytes hold."""
    return search.words_in(content, _NEEDLES)


@dataclass(frozen=True)
class Run:
    raw: Path
    flat: Path
    out: Path
    printed: bytes


def subject(number: int) -> str:
    return f"{9400000 + number}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    raw, flat, out = (tmp_path_factory.mktemp(name) for name in ("raw", "flat", "out"))
    write_tables(raw, [(subject(number), "RIGHT", "1") for number in range(len(VOLUMES))])
    readings = (raw / "kxr_sq_bu00.txt").read_text().splitlines()
    (raw / "kxr_sq_bu00.txt").write_text("\n".join(f"{line}|{'NOTES' if at == 0 else SENTENCE}" for at, line in enumerate(readings)) + "\n")
    people = [f"{subject(number)}|{WORDS['family name']}|{WORDS['birth date']}|61" for number in range(len(VOLUMES))]
    (raw / "enrollees.txt").write_text("\n".join(["ID|NAME|BIRTH|V00AGE", *people]) + "\n")
    for number, plant in enumerate(VOLUMES.values()):
        plant(series(raw, subject(number)), knee(number))
        content = nifti_with_person(knee(number))
        mask(raw, subject(number)).write_bytes(content if number % 3 else content[: len(content) // 2])
    rows: dict[str, list[dict[str, object]]] = {"cases": [], "images": []}
    for number, (name, write) in enumerate(RADIOGRAPHS.items()):
        write(flat / name, picture(number))
        case = {"cohort": "flat", "case_id": f"{number}-R-00m", "shard": 0}
        rows["cases"].append({**dict.fromkeys(CASES.schema.names), **case, "subject": str(number), "side": "R", "visit": "00m"})
        place = {"view": "pa", "role": "image", "path": name, "shows": "knee", "format": "png" if name.endswith("png") else "dicom-file"}
        rows["images"].append({**dict.fromkeys(IMAGES.schema.names), **case, **place})
    CASES.write(flat / "cases.parquet", rows["cases"])
    IMAGES.write(flat / "images.parquet", rows["images"])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "workflow/lib"), str(ROOT))), "PYTHONWARNINGS": "always"}
    worker = subprocess.run(
        [sys.executable, "-m", "tests.ingestion.privacy_worker", str(raw), str(flat), str(out)],
        capture_output=True, cwd=ROOT, env=environment, timeout=LAST_RESORT,
    )  # fmt: skip
    assert worker.returncode == 0, worker.stderr.decode(errors="replace")[-4000:]
    return Run(raw, flat, out, worker.stdout + b"\n" + worker.stderr)


def test_every_word_is_in_the_raw_files(run: Run) -> None:
    content = b"".join(path.read_bytes() for folder in (run.raw, run.flat) for path in folder.rglob("*") if path.is_file())
    assert words_in(content) >= set(WORDS.values())


def test_whole_files_were_read_and_broken_ones_refused(run: Run) -> None:
    """The test would be worth nothing if the stages had not looked."""
    kept = set(pq.read_table(run.out / "volumes" / "shard-0.parquet").column("case_id").to_pylist())
    reasons = pq.read_table(run.out / "volumes" / "shard-0.exclusions.parquet").num_rows
    for name in ("DICOM", "archive", "NIfTI", "NRRD", "MetaImage"):
        assert f"{subject(list(VOLUMES).index(name))}-R-00m" in kept
    assert reasons >= len(VOLUMES) / 3
    flat = pq.read_table(run.out / "flat.parquet").num_rows
    assert 2 <= flat < len(RADIOGRAPHS)
    assert b"volumes" in (run.out / "everything.log").read_bytes()


def test_nothing_of_the_person_reaches_an_output_or_a_log(run: Run) -> None:
    files = [path for path in run.out.rglob("*") if path.is_file()]
    assert len(files) >= 12
    leaks = {str(path.relative_to(run.out)): sorted(words_in(bytes_of(path))) for path in files if words_in(bytes_of(path))}
    assert leaks == {}


def test_nothing_of_the_person_is_spoken(run: Run) -> None:
    lines = [line.decode(errors="replace")[:300] for line in run.printed.splitlines() if words_in(line)]
    assert lines == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_search_finds_what_is_there(tmp_path: Path, encoding: str) -> None:
    for word in WORDS.values():
        assert words_in(b"\0\1" + word.upper().encode(encoding) + b"\xff") >= {word}
    table = pa.table({"a": [f"x {SENTENCE}"] * 50}).replace_schema_metadata({"owner": WORDS["physician"]})
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd")
    assert words_in(bytes_of(tmp_path / "t.parquet")) >= set(WORDS.values())
    np.save(tmp_path / "a.npy", np.frombuffer(SENTENCE.encode(encoding).ljust(1024, b"\0"), np.uint8).reshape(2, -1))
    assert words_in(bytes_of(tmp_path / "a.npy")) >= set(WORDS.values())


def test_the_search_does_not_find_what_is_not_there() -> None:
    assert words_in(np.random.default_rng(1).bytes(1 << 20)) == set()

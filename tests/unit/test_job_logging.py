"""A job's log, and how it ends: a sentence for bad input, a traceback for a fault of ours."""

import logging
from pathlib import Path

import pytest

from kneeoa.errors import KneeoaError
from kneeoa.job_logging import job_log


def test_lines_carry_the_time_since_start_and_warnings_say_so(tmp_path: Path) -> None:
    with job_log(tmp_path / "a" / "job.log"):
        logging.getLogger("kneeoa.stage").info("halfway")
        logging.getLogger("kneeoa.stage").warning("odd")
    lines = (tmp_path / "a" / "job.log").read_text().splitlines()
    assert [line.split("s] ")[1] for line in lines] == ["halfway", "warning: odd", "done"]
    assert all(line.startswith("[") for line in lines)


def test_bad_input_ends_with_one_sentence_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, job_log(tmp_path / "job.log"):
        raise KneeoaError("file.csv: row 3 has no grade; fill it in.")
    assert ended.value.code == 1
    assert "row 3 has no grade" in (tmp_path / "job.log").read_text()
    assert "row 3 has no grade" in capsys.readouterr().err
    assert "Traceback" not in (tmp_path / "job.log").read_text()


def test_our_own_fault_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), job_log(tmp_path / "job.log"):
        logging.getLogger("kneeoa").info("%d", 1 // 0)
    assert "Traceback" in (tmp_path / "job.log").read_text()


def test_handlers_do_not_pile_up(tmp_path: Path) -> None:
    before = list(logging.getLogger("kneeoa").handlers)
    with job_log(tmp_path / "job.log"):
        pass
    assert logging.getLogger("kneeoa").handlers == before


def test_a_file_name_that_is_no_utf8_can_be_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("kneeoa"), "propagate", False)  # what pytest captures must be UTF-8 to reach another process
    with job_log(tmp_path / "job.log"):
        logging.getLogger("kneeoa").info("%s", b"kn\xff".decode("utf-8", "surrogateescape"))
    assert "kn\\udcff" in (tmp_path / "job.log").read_text()

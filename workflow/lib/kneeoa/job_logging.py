"""Logging and exit codes of a job: log lines in its own file, and one sentence where the input is
bad.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kneeoa.errors import KneeoaError, Unfinished

UNFINISHED = 75
"""Exit code of a job that resumes when it is run again: EX_TEMPFAIL of BSD's sysexits.h."""


@contextmanager
def job_log(path: str | Path) -> Iterator[logging.Logger]:
    """Log to ``path`` (whole lines, time since start) and, for warnings, to standard error too.

    A :class:`KneeoaError` ends the job with its message and exit code 1 (:data:`UNFINISHED` where
    only its time ran out), without a traceback; any other error keeps its traceback, in the log as
    well.
    """
    start = time.monotonic()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, mode="w", encoding="utf-8", errors="backslashreplace")
    to_screen = logging.StreamHandler(sys.stderr)
    to_screen.setLevel(logging.WARNING)
    logger = logging.getLogger("kneeoa")
    logger.setLevel(logging.INFO)
    for handler in (to_file, to_screen):
        handler.setFormatter(_Elapsed(start))
        logger.addHandler(handler)
    try:
        yield logger
        logger.info("done")
    except Unfinished as left:
        logger.warning("%s", left)
        sys.exit(UNFINISHED)
    except KneeoaError as error:
        logger.error("%s", error)
        sys.exit(1)
    except Exception:
        logger.exception("this job failed")
        raise
    finally:
        for handler in (to_file, to_screen):
            logger.removeHandler(handler)
            handler.flush()
        to_file.close()


class _Elapsed(logging.Formatter):
    """``[  12.3 s] message``: log lines carry no date, so that equal runs have comparable logs."""

    def __init__(self, start: float) -> None:
        super().__init__("%(message)s")
        self._start = start

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        return f"[{time.monotonic() - self._start:7.1f} s] {level}{super().format(record)}"

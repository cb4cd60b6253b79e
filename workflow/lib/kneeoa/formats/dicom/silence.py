"""Silence DICOM libraries: their warnings and traces quote header values, which may identify a
person.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom import config


@contextmanager
def silenced() -> Iterator[None]:
    """Keep every message of pydicom and GDCM about a header from logs, warnings and standard error.

    Values are not validated either: the code that needs a value checks it. Not for use by several
    threads at once.
    """
    logger = logging.getLogger("pydicom")
    logged, mode = logger.disabled, config.settings.reading_validation_mode
    logger.disabled = True
    config.settings.reading_validation_mode = config.IGNORE
    gdcm = sys.modules.get("gdcm")
    if gdcm is not None:
        for switch in ("WarningOff", "ErrorOff", "DebugOff"):
            getattr(gdcm.Trace, switch)()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = logged
        config.settings.reading_validation_mode = mode

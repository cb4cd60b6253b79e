"""DICOM libraries made silent: their warnings and traces quote header values, which may identify a
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
def quiet() -> Iterator[None]:
    """Nothing that pydicom or GDCM has to say about a header reaches a log, a warning or standard
    error.

    Values are not validated either: what is needed of them is checked by whoever needs it. Not for
    use by several threads at once.
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

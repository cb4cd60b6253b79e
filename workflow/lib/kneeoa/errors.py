"""The one exception that a person is meant to read."""

from __future__ import annotations


class KneeoaError(Exception):
    """Bad input or configuration, said in one sentence: which file or key, what was found, what was
    expected, what to do.
    """


def again(path: object) -> str:
    """What to type where a file that the workflow made has been damaged since; the end of a
    sentence, without its stop.

    The file comes before any option that takes several words (``--configfile``), and stands in the
    place of the command's own targets.
    """
    return f"make it again with 'snakemake --force {path}' and the options of your command, then give your command as it was"


class UnusableImage(KneeoaError):
    """An image or mask that cannot enter the study; becomes a row of the exclusions table, never a
    crash.

    ``reason`` is a short stable slug (``missing-file``, ``slice-gap``, ...); the message is the
    sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        # A file name may hold bytes that are no UTF-8; tables and logs cannot, so they get them
        # escaped.
        detail = detail.encode("utf-8", "backslashreplace").decode("utf-8")
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class InvalidInput(KneeoaError, ValueError):
    """Numbers that a statistical method cannot take; a ValueError too, as users of the methods
    alone expect.
    """


class Unfinished(KneeoaError):
    """A job that left in good order before its time was up, its state written: run again, it goes
    on where it was.
    """

"""Exceptions whose messages are written for users."""

from __future__ import annotations


class KneeoaError(Exception):
    """Bad input or configuration, in one sentence: which file or key, what is there, what was
    expected, what to do.
    """


def rerun_hint(path: object) -> str:
    """The command that makes a damaged file again, as the end of a sentence without its full stop.

    The file comes before any option that takes several words (``--configfile``), and replaces the
    command's own targets.
    """
    return f"make it again with 'snakemake --force {path}' and the options of your command, then give your command as it was"


class UnusableImage(KneeoaError):
    """An image or mask that cannot be used; it becomes a row of the exclusions table, never a
    crash.

    ``reason`` is a short stable slug (``missing-file``, ``slice-gap``, ...); the message is a
    sentence for users.
    """

    def __init__(self, reason: str, detail: str) -> None:
        # A file name may hold bytes that are no UTF-8; tables and logs cannot, so they are escaped.
        detail = detail.encode("utf-8", "backslashreplace").decode("utf-8")
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class InvalidInput(KneeoaError, ValueError):
    """Values that a statistical method cannot take; also a ValueError, which users of the methods
    alone expect.
    """


class Unfinished(KneeoaError):
    """A job exited before its time limit, with its state saved: run again, it resumes from
    there.
    """

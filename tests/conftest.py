"""Give tests to workers (``pytest -n``): the longest groups first, each of which shares what it has
made.

Also which examples hypothesis tries, the same ones on every machine and day, and what is printed of
checks that failed before the tests began.
"""

import os
import zlib

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling, LoadScopeScheduling  # type: ignore[import-untyped]

settings.register_profile("repeatable", derandomize=True, deadline=None)
if "KNEEOA_SEARCH" not in os.environ:  # set it to let hypothesis look for new examples
    settings.load_profile("repeatable")

TOGETHER = ("tests/end_to_end/", "tests/slurm/")
"""Folders whose files share one finished study, or one cluster."""
SPLIT = "tests/rerun/test_table.py"
"""A file of many long tests, which is shared out among the workers."""
LONGEST = (
    *TOGETHER, "tests/recipes/", "tests/commands/", "tests/training/", "tests/rerun/", "tests/real_data/", "tests/statistics/",
    "tests/ingestion/", "tests/faults/", "tests/workflow/",
)  # fmt: skip
"""Tests that are begun first, so that no worker goes on long after the others."""


class Groups(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests go to one worker, as do all the files of a folder of ``TOGETHER``."""

    def _split_scope(self, nodeid: str) -> str:
        for folder in TOGETHER:
            if nodeid.startswith(folder):
                return folder
        if nodeid.startswith(SPLIT):
            return f"{SPLIT} {zlib.crc32(nodeid.encode()) % max(1, self.numnodes)}"
        return str(super()._split_scope(nodeid))


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """Take ``Groups``, in the order of tests, for ``--dist loadfile``; else what pytest takes."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest groups first, where there are workers."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: next((place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the checks that failed before the tests began, so that the last lines say it all."""
    if failed := os.environ.get("KNEEOA_FAILED"):
        terminalreporter.section("failed before the tests")
        terminalreporter.line(failed)

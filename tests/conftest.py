"""How tests that run whole studies are given to workers (``pytest -n``): a few long groups, each of
which shares a finished study.

And which examples hypothesis tries: the same ones on every machine and day.
"""

import os

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling, LoadScopeScheduling  # type: ignore[import-untyped]

settings.register_profile("repeatable", derandomize=True, deadline=None)
if "KNEEOA_SEARCH" not in os.environ:  # set it to let hypothesis look for new examples
    settings.load_profile("repeatable")

TOGETHER = "tests/end_to_end/"
"""Its files read one finished study, and edit it in turn."""


class Studies(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests go to one worker, as do all the files of ``TOGETHER``."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(TOGETHER) else str(super()._split_scope(nodeid))


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """Take ``Studies`` for ``--dist loadfile``; it is the same everywhere else."""
    return Studies(config, log) if config.getoption("dist") == "loadfile" else None

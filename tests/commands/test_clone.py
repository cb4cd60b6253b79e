"""Run in a fresh clone the commands that the pages show for one."""

import shutil
from pathlib import Path

import pytest

from tests.commands.running import clone, run
from tests.commands.table import AFTER_AN_EDIT, CLONE, Run


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with the small things that the pages speak of: a release of empty files, and a
    configuration of one's own.
    """
    folder = clone(tmp_path_factory.mktemp("fresh") / "clone")
    shutil.copy(folder / "tests" / "small.yaml", folder / "yours.yaml")
    for part, numbers in (("Tr", range(1, 9)), ("Ts", range(9, 13))):
        for kind, ending in (("images", "_0000.nii.gz"), ("labels", ".nii.gz")):
            (folder / "raw" / f"{kind}{part}").mkdir(parents=True)
            for number in numbers:
                (folder / "raw" / f"{kind}{part}" / f"oaizib_{number:03d}{ending}").touch()
    for table in ("subInfo_train.xlsx", "subInfo_test.xlsx"):
        (folder / "raw" / table).touch()
    return folder


@pytest.mark.parametrize("each", [*CLONE, *AFTER_AN_EDIT], ids=lambda each: each.command)
def test_the_command_does_what_its_page_says(fresh: Path, each: Run) -> None:
    run(fresh, each)

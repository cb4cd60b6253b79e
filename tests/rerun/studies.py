"""Finished studies to edit: copies of the tree in which every job of four studies is marked as
done.
"""

from __future__ import annotations

from pathlib import Path

from tests.dag import copy_tree
from tests.rerun.plan import Planner
from tests.rerun.row import EXTERNAL, FILMS, IMPORTS, SMALL, WIDE

SUBJECTS = 12
COLUMNS = (
    "subject,file,kl_right,kl_left,visit,view,picture,mask,row,column,part,site,sex,age,project,which,person,"
    "kl_r,kl_l,grade_right,grade_left"
)


def raw_files(folder: Path) -> None:
    """Tables, and empty files for the images that they name: nothing opens them before a job
    does.
    """
    (folder / "files").mkdir(parents=True)
    (folder / "tables").mkdir()
    rows = [COLUMNS]
    for number in range(SUBJECTS):
        file, grade = f"files/P{number:02d}.dcm", number % 5
        (folder / file).touch()
        rows.append(
            f"P{number:02d},{file},{grade},{grade},00m,pa,{file},{file},10,10,train,A,F,60,1,R,P{number:02d},{grade},{grade},{grade},{grade}"
        )
    for table in ("knees.csv", "others.csv"):
        (folder / table).write_text("\n".join(rows) + "\n")
    centres = [f"P{number:02d},R,10,10" for number in range(SUBJECTS)]
    (folder / "centres.csv").write_text("\n".join(["subject,side,row,column", *centres]) + "\n")
    for table in ("single.csv", "dual.csv"):
        (folder / "tables" / table).touch()


def finished(folder: Path, studies: tuple[str, ...] = (SMALL, WIDE, IMPORTS, FILMS, EXTERNAL)) -> tuple[Planner, dict[str, set[str]]]:
    """A planner in a new copy of the tree where the studies are marked as finished, and the rules
    that each of them has.
    """
    copy_tree(folder)
    raw_files(folder / "raw")
    planner = Planner(folder, {"KNEEOA_RERUN": str(folder / "raw"), "KNEEOA_COPIED": "known"})
    has = {}
    for study in studies:
        has[study] = {job.rule for job in planner.plan("--configfile", study)}
        planner.mark_finished("--configfile", study)
    return planner, has

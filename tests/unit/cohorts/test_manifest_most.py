"""MOST's table by the column map of docs/data.md: one row a person, both knees and all visits in
columns.
"""

from pathlib import Path

import pytest

from kneeoa.cohorts.build import build_cohort
from kneeoa.cohorts.manifest import read
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.splits.make import make_splits
from kneeoa.tables.cohort import IMAGES, SPLITS
from kneeoa.tables.shards import VOLUMES
from tests.unit.cohorts.documented import documented, touch

MOST = [
    "MOSTID,SITE,SEX,V0AGE,V0XRKL,V0XLKL,V2XRKL,V2XLKL,V0PAFILE,V2PAFILE",
    "MB00001,1,1,55,0,3,1,4,v0/1.dcm,v2/1.dcm",
    "MB00002,2,0,60,1.9,8,9,.,v0/2,",
    "MB00003,2.0,0.0,61.0,2.0,P,S,X,,",
    "MB00004,2,0,62,Z,8.0,1.90,3.0,,",
]
"""A table joined from MOST's release; the grades are the columns of its own table of readings."""


def test_the_documented_most_table_gives_two_knees_a_row_and_visit(tmp_path: Path) -> None:
    (tmp_path / "most_xray.csv").write_text("\r\n".join(MOST))
    touch(tmp_path, "v0/1.dcm", "v2/1.dcm", "v0/2")
    knees = read(documented("most"), tmp_path).knees
    assert len(knees) == 16
    assert {case: knee.readings["kl"].value for case, knee in knees.items() if knee.readings} == {
        "MB00001-R-00m": (0,),
        "MB00001-L-00m": (3,),
        "MB00001-R-30m": (1,),
        "MB00001-L-30m": (4,),
        "MB00002-R-00m": (1,),
        "MB00003-R-00m": (2,),
        "MB00004-R-30m": (1,),
        "MB00004-L-30m": (3,),
    }
    assert all(knee.reasons == [] for knee in knees.values())
    for side in "LR":
        (file,) = knees[f"MB00001-{side}-30m"].files
        assert (file.path, file.format, file.shows, file.view) == ("v2/1.dcm", "dicom-file", "both", "pa")
        assert knees[f"MB00002-{side}-00m"].files[0].format == "dicom-file"
        assert knees[f"MB00002-{side}-30m"].files == []
    assert (knees["MB00001-L-00m"].sex, knees["MB00002-L-00m"].sex, knees["MB00002-L-00m"].age) == ("F", "M", 60.0)
    assert (knees["MB00003-L-00m"].sex, knees["MB00003-L-00m"].site, knees["MB00003-L-00m"].age) == ("M", "2", 61.0)


SEEN = {
    **{"shard": 0, "digest": "0", "source_digest": "0", "source_shape": [1], "source_spacing": [1.0], "source_centre": [0.0]},
    **{"affine": [0.0] * 16, "mirrored": False, "low": 0.0, "high": 1.0, "mean": 0.0, "sd": 1.0},
}
"""An image that could be read."""


def test_the_documented_most_cohort_is_external_and_all_of_it_is_tested(tmp_path: Path) -> None:
    (tmp_path / "most_xray.csv").write_text("\n".join(MOST))
    touch(tmp_path, "v0/1.dcm", "v2/1.dcm", "v0/2")
    cohort = documented("most")
    levels = (
        Level(name="oa", kind="binary", classes=("no", "yes")),
        Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1)),
    )
    tables = {name: tmp_path / f"{name}.parquet" for name in ("cases", "images", "labels", "exclusions")}
    build_cohort(cohort, "most", tmp_path, levels, **tables)
    images = IMAGES.read(tables["images"])
    volumes = [
        {**dict.fromkeys(VOLUMES.schema.names), **SEEN, "cohort": "most", "case_id": case, "view": "pa", "row": row}
        for row, case in enumerate(images["case_id"])
    ]
    VOLUMES.write(tmp_path / "volumes.parquet", volumes)
    make_splits(
        name="most",
        role=cohort.role,
        split=cohort.split,
        levels=levels,
        views=cohort.views,
        cases=tables["cases"],
        labels=tables["labels"],
        volumes=[tmp_path / "volumes.parquet"],
        exclusions=[tables["exclusions"]],
        out_splits=tmp_path / "splits.parquet",
    )
    splits = SPLITS.read(tmp_path / "splits.parquet")
    assert splits["case_id"].tolist() == ["MB00001-L-00m", "MB00001-L-30m", "MB00001-R-00m", "MB00001-R-30m", "MB00002-R-00m"]
    assert set(splits["split"]) == {"test"}
    assert splits["subject"].nunique() == 2, "films of one person over visits are one person's"


@pytest.mark.parametrize("name", ["{visit}XRKL{side}", "{visit}{side}KL", "{visit}KL{side}"])
def test_a_wrong_name_with_placeholders_is_mended_by_one_that_keeps_them(tmp_path: Path, name: str) -> None:
    (tmp_path / "most_xray.csv").write_text("\n".join(MOST))
    section = documented("most").model_dump()
    wrong = Cohort.model_validate(section | {"labels": {"kl": {"columns": [name]}}})
    with pytest.raises(KneeoaError, match=r"of '.*'; did you mean '\{visit\}X\{side\}KL'\?"):
        read(wrong, tmp_path)


def test_no_column_of_one_side_is_suggested_for_both(tmp_path: Path) -> None:
    (tmp_path / "most_xray.csv").write_text("\n".join(MOST).replace("V0XLKL", "GRADE"))
    with pytest.raises(KneeoaError, match=r"lacks the column 'V0XLKL' of .*keep the placeholders") as caught:
        read(documented("most"), tmp_path)
    assert "did you mean" not in str(caught.value)

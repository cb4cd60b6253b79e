"""Column maps: the meaning of the columns and cells of a user's table."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from kneeoa.config.section import Name, Section

Side = Literal["L", "R"]

_PLACEHOLDERS = {"side": "sides", "visit": "visits", "view": "views"}


class LabelColumns(Section):
    """The columns of a level's label. A column's name alone, or a list of names, is short for
    `columns`.
    """

    columns: tuple[str | tuple[str, ...], ...] = Field(min_length=1)
    """One column. For a multilabel level one for each finding, in the order of its classes. In
    place of a column, a list of columns: the highest of them counts.
    """
    values: dict[str, int | None] = Field(default_factory=dict)
    """The class of each cell's text, e.g. {normal: 0, abnormal: 1}. Numbers are compared as
    numbers. Null: no label (with `separator`: no finding of this level). A cell that is not listed
    is an invalid label, unless `values` only adds grades between two ({"1.9": 1}). Not given: cells
    hold class names or numbers.
    """
    at_least: int | None = None
    """Multilabel: the grade from which a finding is present, e.g. 1. Not given: the cells are 0 or
    1.
    """
    separator: str | None = Field(default=None, min_length=1)
    """Multilabel: the text between findings, where one column lists those that are present.
    `values` gives the class of each.
    """
    missing: tuple[str, ...] = ()
    """Cells that mean "not read", besides empty ones, `.`, `NA` and the like."""
    findings: Literal["union", "refuse"] = Field(default="refuse", exclude_if=lambda value: value == "refuse")
    """Manifest, multilabel: the label of a case (and project) whose rows differ. union: each row
    lists some of its findings. refuse: no label, unless `readings` is first or median.
    """
    _class_names: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"columns": [value]} if isinstance(value, str) else {"columns": value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _listing(self) -> Self:
        if self.separator is None:
            return self
        if len(self.columns) != 1 or not isinstance(self.columns[0], str) or all(index is None for index in self.values.values()):
            raise ValueError("'separator' needs one column that lists findings, and 'values' with the class of each finding")
        return self

    def of_level(self, class_names: tuple[str, ...]) -> LabelColumns:
        """Copy with the class names of a level, which cells may hold."""
        named = self.model_copy()
        named._class_names = class_names
        return named

    @property
    def class_names(self) -> tuple[str, ...]:
        """The level's class names that cells may hold; empty unless :meth:`of_level` gave them."""
        return self._class_names

    @property
    def several_findings(self) -> bool:
        """Whether a label has an entry for each of several findings."""
        return self.separator is not None or len(self.columns) > 1

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that is read."""
        return tuple(name for entry in self.columns for name in ((entry,) if isinstance(entry, str) else entry))


class Manifest(Section):
    """Column map of a table. A row is a case or an image; with `{side}`, `{visit}` or `{view}` in
    column names it is several.
    """

    table: str
    """The file: CSV, TSV or other text, Parquet, .xlsx or .sas7bdat. Its path is below `root`, or
    absolute. $VARIABLES are expanded.
    """
    sheet: str | None = None
    """The sheet of a workbook. Default: the first."""
    subject: str
    """Column of the subject (person, specimen)."""
    side: str | None = None
    """Column of the side. L, R, left and right are understood, other texts through `values`."""
    visit: str | None = None
    """Column of the visit. Default: all rows are of the cohort's one visit."""
    view: str | None = None
    """Column of the view, where each row is one image. Default: each row has the files of every
    view.
    """
    path: str | None = None
    """Column of the image: a file, a DICOM folder or an archive of one, relative to
    `root`/`folder`. Not given: no images (labels only).
    """
    mask: str | None = None
    """Column of the mask, relative to `root`/`folder`."""
    folder: str = ""
    """Folder below `root` to which paths are relative."""
    shows: Literal["knee", "both"] = "knee"
    """knee: an image shows one knee. both: it is a bilateral radiograph, which may be listed for
    both sides of a subject.
    """
    row: str | None = None
    """Column of the joint's row in pixels of the image (landmarks), with `column`."""
    column: str | None = None
    """Column of the joint's column in pixels."""
    split: str | None = None
    """Column of the split: train, val or test."""
    site: str | None = None
    """Column of the site."""
    sex: str | None = None
    """Column of the sex. F, M, female and male are understood."""
    age: str | None = None
    """Column of the age in years."""
    project: str | None = None
    """Column of the reading project, where a knee has several readings. Default: different labels
    of a case are readings that disagree.
    """
    sides: dict[Side, str] = Field(default_factory=dict)
    """For a table with columns for each side: the text that replaces `{side}` in column names, e.g.
    {R: R, L: L} for `V0X{side}KL`.
    """
    visits: dict[str, str] = Field(default_factory=dict)
    """The text that replaces `{visit}` in column names, by visit, e.g. {00m: V0, 30m: V2}."""
    views: dict[Name, str] = Field(default_factory=dict)
    """The text that replaces `{view}` in column names, by view."""
    values: dict[Literal["side", "visit", "view", "split", "site", "sex"], dict[str, str]] = Field(default_factory=dict)
    """Meaning of cells, by key, e.g. side: {"1": R, "2": L}. Numbers are compared as numbers."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for placeholder, key in _PLACEHOLDERS.items():
            if getattr(self, placeholder) is not None and getattr(self, key):
                raise ValueError(f"'{placeholder}' (a column) and '{key}' (columns for each) exclude one another")
            if not getattr(self, key) and any(f"{{{placeholder}}}" in name for name in self.columns.values()):
                raise ValueError(f"a column name holds '{{{placeholder}}}': '{key}' must say what stands for it")
        if (self.row is None) != (self.column is None):
            raise ValueError("landmarks need both 'row' and 'column'")
        for key, allowed in (("side", {"L", "R"}), ("sex", {"F", "M"}), ("split", {"train", "val", "test"})):
            wrong = sorted(set(self.values.get(key, {}).values()) - allowed)  # type: ignore[call-overload]
            if wrong:
                raise ValueError(f"'values.{key}' gives '{wrong[0]}'; allowed are {', '.join(sorted(allowed))}")
        if re.search(r"(^|[\\/])\.\.([\\/]|$)", self.folder):
            raise ValueError(f"'folder' is '{self.folder}'; it must lie below the root")
        return self

    @property
    def columns(self) -> dict[str, str]:
        """The columns that are given, by key."""
        keys = ("subject", "side", "visit", "view", "path", "mask", "row", "column", "split", "site", "sex", "age", "project")
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}

"""Read the declarations of figures and tables: their section and text in the report, the files and
settings that they are made from, and which studies have them.

A module of ``figures/`` that binds ``FIGURE`` is a figure, and one of ``paper_tables/`` that binds
``TABLE`` a table; other modules there are parts of them. The binding is a dictionary of literals
(:class:`Figure`, :class:`Table`), which is read from the file's text
(:mod:`kneeoa.declarations`).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator

from kneeoa.config.section import Section
from kneeoa.config.validation_messages import validation_messages
from kneeoa.declarations import members
from kneeoa.errors import KneeoaError

SECTIONS = {
    "design": "Question and design",
    "cohorts": "Cohort and exclusions",
    "images": "Images and masks",
    "training": "Training",
    "prediction": "Prediction",
    "contrasts": "Contrasts",
    "external": "External cohorts",
    "claim": "Prediction, axis and saliency side by side",
    "raters": "Noisy raters",
    "representation": "Representation",
    "anatomy": "Saliency and anatomy",
    "selections": "Locations that plug-ins choose",
    "appendix": "Appendix",
}
"""Sections of the report in its order, by the names that declarations use, with their titles."""

PLACEHOLDERS = ("confidence", "sample", "auc_interval")
"""Placeholders that a caption may have in braces (:mod:`kneeoa.report.page` fills them in)."""

Need = Literal[
    "binary_level",
    "graded_level",
    "levels_by_class",
    "axis",
    "saliency",
    "cohorts",
    "masks",
    "contrasts",
    "contrasts_of_arms",
    "contrasts_at_raters",
    "subgroups",
    "external",
    "raters",
    "sanity",
    "deletion",
    "plugins",
    "selections",
    "selection_shares",
]
"""Parts that a study may have or lack (:meth:`kneeoa.layout.Layout.has`)."""

_LIBRARY = Path(__file__).parent


class Table(Section):
    """A table's declaration: the keys of ``TABLE``."""

    section: str
    """Section of the report, one of ``SECTIONS``."""
    place: int = 0
    """Order within the section; equal places are ordered by name."""
    title: str
    """Heading in the report."""
    inputs: tuple[str, ...] = ()
    """Files that it is made from, by their names in ``workflow/inputs/figures.smk``, which are also
    the arguments' names.
    """
    settings: dict[str, str] = Field(default_factory=dict)
    """Other arguments -> the names of their values in ``workflow/inputs/figures.smk``."""
    needs: tuple[Need, ...] = ()
    """Parts that a study must have for the table to be made."""

    @field_validator("section")
    @classmethod
    def _is_a_section(cls, name: str) -> str:
        if name not in SECTIONS:
            raise ValueError(f"the report has no section '{name}'; allowed are {', '.join(SECTIONS)}")
        return name


class Figure(Table):
    """A figure's declaration: the keys of ``FIGURE``."""

    caption: str
    """Text below it in the report; ``PLACEHOLDERS`` in braces are filled in."""
    alternative: str
    """Alternative text for those who cannot see it."""
    slow: bool = False
    """Whether it is among the slowest to draw: it then starts before other jobs."""

    @field_validator("caption")
    @classmethod
    def _names_placeholders(cls, text: str) -> str:
        for _, name, _, _ in Formatter().parse(text):
            if name is not None and name not in PLACEHOLDERS:
                raise ValueError(f"the caption names {{{name}}}; allowed are {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}")
        return text


Declared = TypeVar("Declared", bound=Table)


@cache
def figures() -> dict[str, Figure]:
    """Declarations of all figures by name, in the order of the report.

    Raises:
        KneeoaError: a module declares something that is not a figure.
    """
    return _read("figures", "FIGURE", Figure)


@cache
def tables() -> dict[str, Table]:
    """Declarations of all tables by name, in the order of the report.

    Raises:
        KneeoaError: a module declares something that is not a table.
    """
    return _read("paper_tables", "TABLE", Table)


def check_sources(files: Collection[str], settings: Collection[str]) -> None:
    """Check that the files and settings that declarations name exist.

    Raises:
        KneeoaError: a declaration names one that does not exist.
    """
    for folder, name, each in (("figures", "FIGURE", figures()), ("paper_tables", "TABLE", tables())):
        for module, declared in each.items():
            for key, named, there in (("inputs", declared.inputs, files), ("settings", declared.settings.values(), settings)):
                unknown = [source for source in named if source not in there]
                if unknown:
                    raise KneeoaError(
                        f"{_LIBRARY / folder / module}.py: '{key}' of {name} names '{unknown[0]}'; "
                        f"workflow/inputs/figures.smk has {', '.join(sorted(there))}."
                    )


def _read(folder: str, name: str, model: type[Declared]) -> dict[str, Declared]:
    """The declarations of a folder's modules, in the order of the report."""
    values = members(_LIBRARY / folder, name)
    declared = {module: _checked(_LIBRARY / folder / f"{module}.py", name, value, model) for module, value in values.items()}
    order = list(SECTIONS)
    return dict(sorted(declared.items(), key=lambda item: (order.index(item[1].section), item[1].place, item[0])))


def _checked(path: Path, name: str, value: Any, model: type[Declared]) -> Declared:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise KneeoaError(f"{path}: {name}: {'; '.join(validation_messages(error, model))}.") from None

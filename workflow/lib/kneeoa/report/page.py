"""Write the report's page: sections in a fixed order, each of sentences, figures and tables, in one
HTML file.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from kneeoa.atomic_io import write_text
from kneeoa.errors import KneeoaError
from kneeoa.figures_and_tables import SECTIONS
from kneeoa.paper_tables import registry
from kneeoa.paper_tables.latex import Tabular
from kneeoa.presentation.arms import Factors
from kneeoa.presentation.display_names import count_noun, display_name
from kneeoa.presentation.number_format import format_percent
from kneeoa.presentation.summary_rows import summary_rows
from kneeoa.report import sentences
from kneeoa.report.external_sentences import external_sentences
from kneeoa.report.report_data import ReportData, read_report_data
from kneeoa.report.selection_sentences import selection_sentences

_LONG = 30
"""Rows beyond which a table is folded away."""


def sample_phrase(evidence: ReportData) -> str:
    """Print the sample, ``64 test knees of 52 subjects, 2 seeds``; empty without metrics."""
    if "metrics" not in evidence.tables:
        return ""
    rows = evidence.tables["metrics"]
    rows = rows[rows["split"] == "test"]
    parts = []
    for cohort, cohort_rows in rows.groupby("cohort", sort=False):
        where = f" ({evidence.printed(cohort)})" if rows["cohort"].nunique() > 1 else ""
        cases, subjects = (int(cohort_rows[column].max()) for column in ("cases", "subjects"))
        parts.append(f"{count_noun(cases, 'test knee')} of {count_noun(subjects, 'subject')}{where}")
    seeds = int(rows["seeds"].max()) if len(rows) else 1
    return ", ".join([*parts, f"{count_noun(seeds, 'seed')} an arm"] if seeds > 1 else parts)


def auc_interval(evidence: ReportData) -> str:
    """Print the interval of the AUC, ``95 % interval (logit-delong)``, with the methods that
    METRICS names.
    """
    rows = summary_rows(evidence.tables["metrics"]) if "metrics" in evidence.tables else None
    kinds = [] if rows is None else sorted({kind for kind in rows.loc[rows["metric"] == "auc", "interval"] if kind})
    return f"{format_percent(evidence.confidence)} interval" + (f" ({', '.join(kinds)})" if kinds else "")


def fill_caption(text: str, evidence: ReportData) -> str:
    """Fill in the :data:`kneeoa.figures_and_tables.PLACEHOLDERS` of a declared caption."""
    phrase = sample_phrase(evidence)
    return text.format(
        confidence=format_percent(evidence.confidence),
        sample=f" {phrase[:1].upper()}{phrase[1:]}." if phrase else "",
        auc_interval=auc_interval(evidence),
    )


@dataclass(frozen=True)
class FigureOnPage:
    """A figure on the page."""

    number: int
    title: str
    text: str
    alternative: str
    data: str
    """PNG as base64."""


@dataclass(frozen=True)
class TableOnPage:
    """A table on the page."""

    number: int
    title: str
    tabulars: list[Tabular]
    folded: bool
    file: str
    """Name of the CSV that holds every digit."""


@dataclass
class Section:
    """A section of the page."""

    slug: str
    title: str
    paragraphs: list[str] = field(default_factory=list)
    pictures: list[FigureOnPage] = field(default_factory=list)
    sheets: list[TableOnPage] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """A figure or table of the report: its file (PNG, CSV), and what it declares."""

    file: Path
    section: str
    title: str
    caption: str = ""
    alternative: str = ""


_SENTENCES: dict[str, tuple[str, Callable[[ReportData], list[str]]]] = {
    "design": ("", sentences.design),
    "cohorts": ("", sentences.cohorts),
    "prediction": ("metrics", sentences.prediction),
    "contrasts": ("contrasts", sentences.comparisons),
    "external": ("external_accuracy", external_sentences),
    "claim": ("claim", sentences.claim),
    "representation": ("geometry", sentences.representation),
    "anatomy": ("anatomy", sentences.anatomy),
    "selections": ("selections", selection_sentences),
}
"""Sections with sentences: the table that they are made from (empty: none), and the function that
makes them.
"""


def report_sections(evidence: ReportData, figures: Mapping[str, Entry], tables: Mapping[str, Entry]) -> list[Section]:
    """Make the sections that have any content, with their figures and tables numbered through.

    Raises:
        KneeoaError: a figure cannot be read.
    """
    sections, number, sheet = [], 0, 0
    for slug, heading in SECTIONS.items():
        part = Section(slug, heading)
        table, tell = _SENTENCES.get(slug, ("", None))
        if tell is not None and (not table or table in evidence.tables):
            part.paragraphs = tell(evidence)
        for entry in (entry for entry in figures.values() if entry.section == slug):
            number += 1
            part.pictures.append(
                FigureOnPage(number, entry.title, fill_caption(entry.caption, evidence), entry.alternative, _png(entry.file))
            )
        for name, entry in tables.items():
            here = entry.section == slug and name in evidence.tables
            printed_tables = registry.tabulars(name, evidence.tables[name], evidence.names, evidence.labels) if here else []
            if printed_tables:
                sheet += 1
                folded = sum(len(tabular.rows) for tabular in printed_tables) > _LONG
                part.sheets.append(TableOnPage(sheet, entry.title, printed_tables, folded, entry.file.name))
        if part.paragraphs or part.pictures or part.sheets:
            sections.append(part)
    return sections


def _png(path: Path) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise KneeoaError(f"{path}: cannot be read for the report: {error}.") from error
    if not data.startswith(b"\x89PNG"):
        raise KneeoaError(f"{path}: is not a PNG picture; the report embeds PNG only.")
    return base64.b64encode(data).decode("ascii")


def write_report(
    *,
    study: str,
    title: str,
    question: str,
    arms: Factors,
    figures: Mapping[str, Entry],
    tables: Mapping[str, Entry],
    flows: Sequence[Path],
    provenance: Mapping[str, Any],
    out: Path,
    levels: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    confidence: float = 0.95,
    unanswered: Mapping[str, Sequence[str]] | None = None,
    imported: Sequence[Path] = (),
) -> None:
    """Write the study's report: one HTML file without scripts, links or time stamps, so that equal
    inputs give equal bytes.

    Sections without inputs are left out: a study of imported predictions has no images, training,
    representation or saliency.

    Args:
        study: name of the study.
        title: the report's title; the study's name where empty.
        question: what the study asks.
        arms: the arms table.
        figures: the figures by their names, in the order in which they stand within a section.
        tables: the tables by their names, in that order too.
        flows: the cohorts' accounts (JSON).
        provenance: what the results were made from, as headings with texts or mappings, e.g.
            configuration digest, package versions, code.
        out: HTML to write.
        levels: the hierarchy's levels, coarse to fine: the order in which they are reported.
        labels: the study's own printed names.
        confidence: level of the tables' intervals, as the configuration sets it.
        unanswered: contrast -> sentences on the arms that it names and has no counterpart for.
        imported: the accounts of imported predictions (JSON).

    Raises:
        KneeoaError: a file cannot be read, or is not what it should be.
    """
    files = {name: entry.file for name, entry in tables.items()}
    evidence = read_report_data(
        arms=arms,
        tables=files,
        flows=flows,
        levels=levels,
        labels=labels or {},
        confidence=confidence,
        unanswered=unanswered,
        imported=imported,
    )
    facts = {str(key): value if isinstance(value, Mapping) else {"": value} for key, value in provenance.items()}
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kneeoa.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("report.html.j2").render(
        study=study,
        title=title or display_name(study, labels),
        question=question,
        parts=report_sections(evidence, figures, tables),
        facts=facts,
    )
    write_text(out, page)

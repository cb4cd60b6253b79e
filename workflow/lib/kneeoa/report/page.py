"""The page: sections in the order of the story, each made of sentences, figures and tables, in one
HTML file.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from kneeoa.errors import KneeoaError
from kneeoa.figures.arms import Factors
from kneeoa.figures.words import printed
from kneeoa.files import write_text
from kneeoa.paper_tables import (
    anatomy,
    claim,
    contrasts,
    deletion,
    differences,
    exclusions,
    geometry,
    metrics,
    sanity,
    similarity,
    subgroups,
)
from kneeoa.paper_tables import arms as arms_table
from kneeoa.paper_tables.latex import Tabular
from kneeoa.report import sentences
from kneeoa.report.captions import caption
from kneeoa.report.evidence import Evidence, gather

_LONG = 30
"""Rows beyond which a table is folded away."""


@dataclass(frozen=True)
class Picture:
    """A figure on the page."""

    number: int
    title: str
    text: str
    alternative: str
    data: str
    """PNG as base64."""


@dataclass(frozen=True)
class Sheet:
    """A table on the page."""

    number: int
    title: str
    tabulars: list[Tabular]
    folded: bool
    file: str
    """Name of the CSV that holds every digit."""


@dataclass
class Part:
    """A section of the page."""

    slug: str
    title: str
    paragraphs: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)


@dataclass(frozen=True)
class _Plan:
    """What a section is made of, where its inputs exist."""

    slug: str
    title: str
    figures: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    """Name and title."""
    needs: str = ""
    """The table that its sentences are made from; empty: none."""
    tell: Callable[[Evidence], list[str]] | None = None


_PLANS = (
    _Plan("design", "Question and design", (), (("arms", "Arms"),), "", sentences.design),
    _Plan("cohorts", "Cohort and exclusions", ("flow",), (("exclusions", "Exclusions by reason"),), "", sentences.cohorts),
    _Plan("images", "Images and masks", ("volumes",)),
    _Plan("training", "Training", ("learning",)),
    _Plan(
        "prediction",
        "Prediction",
        ("roc", "reliability", "decision", "confusion"),
        (("metrics", "Metrics on the test cases"),),
        "metrics",
        sentences.prediction,
    ),
    _Plan(
        "contrasts",
        "Contrasts of modes",
        ("forest",),
        (("contrasts", "Contrasts"), ("subgroups", "Subgroups")),
        "contrasts",
        sentences.comparisons,
    ),
    _Plan("claim", "Prediction, axis and saliency side by side", ("claim",), (("claim", "The claim"),), "claim", sentences.claim),
    _Plan("readers", "Noisy readers", ("readers",)),
    _Plan(
        "representation",
        "Representation",
        ("axis", "similarity"),
        (
            ("geometry", "Measures of the representation"),
            ("differences", "Differences between modes along the axis"),
            ("similarity", "Similarity of representations"),
        ),
        "geometry",
        sentences.representation,
    ),
    _Plan(
        "anatomy",
        "Saliency and anatomy",
        ("saliency", "anatomy"),
        (
            ("anatomy", "Saliency on tissues"),
            ("sanity", "Whether the maps depend on the weights and repeat over seeds"),
            ("deletion", "What blurring a tissue away does to the score"),
        ),
        "anatomy",
        sentences.anatomy,
    ),
)


def tabulars(name: str, evidence: Evidence) -> list[Tabular]:
    """The printed form of one of the study's tables; empty where the study does not have it."""
    if name == "arms":
        return arms_table.tabulars(evidence.arm_rows, evidence.labels)
    if name not in evidence.tables:
        return []
    if name == "exclusions":
        return exclusions.tabulars(evidence.tables[name], evidence.labels)
    makers = {
        "metrics": metrics.tabulars,
        "contrasts": contrasts.tabulars,
        "claim": claim.tabulars,
        "subgroups": subgroups.tabulars,
        "geometry": geometry.tabulars,
        "differences": differences.tabulars,
        "similarity": similarity.tabulars,
        "anatomy": anatomy.tabulars,
        "sanity": sanity.tabulars,
        "deletion": deletion.tabulars,
    }
    return makers[name](evidence.tables[name], evidence.names, evidence.labels)


def parts(evidence: Evidence, figures: Mapping[str, Path], tables: Mapping[str, Path]) -> list[Part]:
    """The sections for which there is anything to say, their figures and tables numbered through.

    Raises:
        KneeoaError: a figure cannot be read, or belongs to no section.
    """
    found, number, sheet = [], 0, 0
    placed: set[str] = set()
    for plan in _PLANS:
        part = Part(plan.slug, plan.title)
        if plan.tell is not None and (not plan.needs or plan.needs in evidence.tables):
            part.paragraphs = plan.tell(evidence)
        for name in plan.figures:
            for key in [key for key in figures if key == name or key.startswith((f"{name}-", f"{name}_"))]:
                number, words = number + 1, caption(key, evidence)
                part.pictures.append(Picture(number, words.title, words.text, words.alternative, _png(figures[key])))
                placed.add(key)
        for name, title in plan.tables:
            printed_tables = tabulars(name, evidence) if name in tables else []
            if printed_tables:
                sheet += 1
                folded = sum(len(table.rows) for table in printed_tables) > _LONG
                part.sheets.append(Sheet(sheet, title, printed_tables, folded, tables[name].name))
        if part.paragraphs or part.pictures or part.sheets:
            found.append(part)
    lost = sorted(set(figures) - placed)
    if lost:
        raise KneeoaError(
            f"the report has no section for the figure '{lost[0]}'; its sections take {[n for p in _PLANS for n in p.figures]}."
        )
    return found


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
    figures: Mapping[str, Path],
    tables: Mapping[str, Path],
    flows: Sequence[Path],
    provenance: Mapping[str, Any],
    out: Path,
    levels: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    confidence: float = 0.95,
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
        figures: PNG files by the figures' names (flow, volumes, learning, roc, reliability,
            confusion, forest, axis, saliency, anatomy; or a variant such as ``saliency-m3t``).
        tables: CSV files by the tables' names (arms, metrics, contrasts, exclusions, geometry,
            anatomy).
        flows: the cohorts' accounts (JSON).
        provenance: what the results were made from, as headings with texts or mappings, e.g.
            configuration digest, package versions, code.
        out: HTML to write.
        levels: the hierarchy's levels, coarse to fine: the order in which they are told.
        labels: the study's own printed names.
        confidence: level of the tables' intervals, as the configuration sets it.

    Raises:
        KneeoaError: a file cannot be read, is not what it should be, or has no place in the report.
    """
    evidence = gather(arms=arms, tables=tables, flows=flows, levels=levels, labels=labels or {}, confidence=confidence)
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
        study=study, title=title or printed(study, labels), question=question, parts=parts(evidence, figures, tables), facts=facts
    )
    write_text(out, page)

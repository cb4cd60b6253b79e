"""Read the projection that a radiograph's header claims: by ViewPosition, by the code of its view,
and by words in its descriptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pydicom

from kneeoa.formats.header_claims import Claims
from kneeoa.formats.side_words import words_of

_WORDS = {
    word: projection
    for projection, words in {
        "frontal": "AP PA FRONTAL ANTEROPOSTERIOR POSTEROANTERIOR ROSENBERG SCHUSS",
        "lateral": "LATERAL LATERALE LAT PROFIL PROFILE SEITLICH MEDIOLATERAL LATEROMEDIAL",
        "axial": "AXIAL AXIALE SKYLINE SUNRISE MERCHANT TANGENTIAL TANGENTIALE LAURIN SETTEGAST HUGHSTON",
        "oblique": "OBLIQUE OBL",
    }.items()
    for word in words.split()
}
# Abbreviations that mean other things in a description (LL: lower limb).
_POSITIONS = _WORDS | {
    word: projection
    for projection, words in {"lateral": "LL RL LLD RLD LLO RLO ML LM", "axial": "AX", "oblique": "RAO LAO RPO LPO"}.items()
    for word in words.split()
}
# Words that are written as two.
_PAIRS = {
    ("ANTERO", "POSTERIOR"): "AP", ("POSTERO", "ANTERIOR"): "PA", ("MEDIO", "LATERAL"): "LATERAL", ("MEDIAL", "LATERAL"): "LATERAL",
    ("LATERO", "MEDIAL"): "LATERAL", ("LATERAL", "MEDIAL"): "LATERAL",
}  # fmt: skip
# SNOMED's codes of views, as numbers and as DICOM wrote them before.
_CODES = {
    code: projection
    for projection, codes in {
        "frontal": "399348003 R-10206 272479007 R-10214 R-40888 399033003 R-10202",
        "lateral": "399067008 R-102CD 399198007 R-10232 399173006 R-10236 399260004 R-10224 399352003 R-10228",
        "axial": "399061009 R-10241 399110001 R-102C2",
        "oblique": "399182000 R-102C1 399312000 R-10208 399059000 R-10216",
    }.items()
    for code in codes.split()
}
_DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "AcquisitionDeviceProcessingDescription")
PROJECTION_TAGS = ("ViewPosition", "ViewCodeSequence", *_DESCRIPTIONS)
"""Elements parsed for the projection."""


def header_projection(dataset: pydicom.Dataset) -> Claims:
    """The projections that a header claims: ``frontal``, ``lateral``, ``axial`` (skyline),
    ``oblique``.

    Args:
        dataset: a header with :data:`PROJECTION_TAGS`.
    """
    near = [_projection_of_view(str(dataset.get("ViewPosition") or ""))]
    views = dataset.get("ViewCodeSequence")
    for view in views if isinstance(views, pydicom.Sequence) else ():
        near.append(_CODES.get(str(view.get("CodeValue") or "").strip()) or _projection_of_view(str(view.get("CodeMeaning") or "")))
    return Claims.of(near, (_projection_of_description(str(dataset.get(tag) or "")) for tag in _DESCRIPTIONS))


def _projection_of_view(text: str) -> str | None:
    """The projection of one view's name: an oblique one may be called after the plane that it is
    turned from, a frontal one after the flexion of the knee (``PA axial``).
    """
    named = _named_projections(text, _POSITIONS)
    return next((projection for projection in ("oblique", "frontal", "lateral", "axial") if projection in named), None)


def _projection_of_description(text: str) -> str | None:
    """The projection of a description that names one alone; many name all that were taken."""
    named = _named_projections(text, _WORDS)
    return named.pop() if len(named) == 1 else None


def _named_projections(text: str, meanings: Mapping[str, str]) -> set[str]:
    words = [word.strip("0123456789") for word in words_of(text)]
    words += [joined for pair in pairwise(words) if (joined := _PAIRS.get(pair)) is not None]
    return {meanings[word] for word in words if word in meanings}
